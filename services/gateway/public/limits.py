"""How often somebody without a key may change something: so many at once, then so many a second."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic


@dataclass(slots=True)
class RateLimit:
    """A token bucket for each name, and one for all of them together. Kept in this process alone."""

    burst: float
    per_second: float
    clock: Callable[[], float] = monotonic
    most_names: int = 10_000
    _buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict[str, tuple[float, float]])

    def allows(self, name: str) -> bool:
        """Whether one more is allowed now; it counts."""
        now = self.clock()
        left, since = self._buckets.pop(name, (self.burst, now))
        left = min(self.burst, left + (now - since) * self.per_second)
        allowed = left >= 1
        self._buckets[name] = (left - 1 if allowed else left, now)
        if len(self._buckets) > self.most_names:
            self._buckets.popitem(last=False)
        return allowed
