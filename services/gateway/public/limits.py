"""How often somebody without a key may look or change something: so many at once, then so many a second."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from time import monotonic

from starlette.requests import Request

from services.gateway.problems import ProblemError


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


def caller_of(request: Request) -> str:
    """Whose bucket it is: an IPv4 address, or the /64 that an IPv6 address is of, for that is one customer's.

    What a header says that is no address would be a name that anybody can choose: all such are one caller.
    """
    address = address_of(request)
    return str(IPv6Network((int(address), 64), strict=False) if isinstance(address, IPv6Address) else address or "")


def address_of(request: Request) -> IPv4Address | IPv6Address | None:
    """Whence a request comes, an IPv4 address as such however it is written; None for what is no address."""
    try:
        address = ip_address(request.client.host if request.client else "")
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def too_many() -> ProblemError:
    """What is answered to somebody who asks more often than that."""
    return ProblemError("too-many-requests", headers={"retry-after": "10"})
