"""What an import hands to the broker, and how that may fail; without the broker's library, which takes long to load."""

from typing import NamedTuple


class Outgoing(NamedTuple):
    """A message that is ready: ``message_id`` must depend on the content alone; ``events`` are counted as progress."""

    routing_key: str
    body: bytes
    content_type: str
    message_id: str
    events: int


class NotPublishedError(Exception):
    """Publishing stopped; the message says why. What was confirmed before stays published, and may be sent again."""
