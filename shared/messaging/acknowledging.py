"""Which deliveries of a channel are settled: an acknowledgement covers all that came before it, so none may be missing.

The broker numbers the deliveries of a channel 1, 2, 3, … A number that a consumer never received was lost between the
socket and the consumer, as when the client library refuses the message. It is never acknowledged: it is given back.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from aio_pika.abc import AbstractIncomingMessage

GRACE_SECONDS = 5.0
"""How long a number may be missing: deliveries are handed over by tasks of their own, which may overtake each other."""


@dataclass(slots=True)
class ChannelTags:
    """The delivery tags of one channel. Times are seconds of the event loop's clock."""

    _through: int = 0
    _highest: int = 0
    _open: set[int] = field(default_factory=set[int])
    _settled: dict[int, AbstractIncomingMessage | None] = field(
        default_factory=dict[int, AbstractIncomingMessage | None]
    )
    _missing_since: float | None = None

    def receive(self, message: AbstractIncomingMessage) -> bool:
        """Note a delivery; False if it was given back before it came, so that the broker sends it again."""
        tag = _tag(message)
        if tag <= self._through or tag in self._settled:
            return False
        self._open.add(tag)
        self._highest = max(self._highest, tag)
        return True

    def settle(self, messages: Iterable[AbstractIncomingMessage]) -> AbstractIncomingMessage | None:
        """Note what is settled; returns the message to acknowledge with all before it, None if there is none yet."""
        for message in messages:
            self._open.discard(_tag(message))
            self._settled[_tag(message)] = message
        last = None
        while self._through + 1 in self._settled:
            self._through += 1
            last = self._settled.pop(self._through) or last
        return last

    def missing(self, now: float) -> list[int]:
        """Tags that did not arrive within the grace; empty before it ends."""
        gaps = self._gaps()
        if not gaps:
            self._missing_since = None
            return []
        if self._missing_since is None:
            self._missing_since = now
        return gaps if now - self._missing_since >= GRACE_SECONDS else []

    def give_back(self, tags: Iterable[int]) -> None:
        """The broker has these again, under new tags to come."""
        self._settled.update(dict.fromkeys(tags))
        self._missing_since = None

    @property
    def incomplete(self) -> bool:
        """Whether a tag is missing now."""
        return bool(self._gaps())

    def _gaps(self) -> list[int]:
        if self._highest - self._through == len(self._open) + len(self._settled):
            return []
        known = self._open | self._settled.keys()
        return [tag for tag in range(self._through + 1, self._highest) if tag not in known]


def _tag(message: AbstractIncomingMessage) -> int:
    tag = message.delivery_tag
    assert tag is not None, "the broker numbers every delivery to a consumer"
    return tag
