"""Properties that cannot be decoded: their message is parked, like one whose body cannot be read.

A ``message_id`` in Latin-1, a header's name in Latin-1, a timestamp in microseconds: the broker passes them on, and the
AMQP library ends the connection over them. The broker would then deliver the same message again at once, to every
replica, and one producer's slip would stop the whole service.

The client library above refuses more: a delivery mode of 3, which RabbitMQ 4 takes, or an expiration that is no number.
It raises before the consumer sees the message, so that is looked at here as well.
"""

from collections.abc import Callable

from aio_pika import DeliveryMode
from pamqp.commands import Basic
from pamqp.header import ContentHeader

UNREADABLE = "traboule-unreadable-properties"
"""Header that holds the properties as they came, when they could not be decoded."""

_strictly: Callable[[ContentHeader, bytes], None] = ContentHeader.unmarshal


def tolerate_unreadable_properties() -> None:
    """From now on, in this process, such a message arrives with the header :data:`UNREADABLE` and nothing else."""
    ContentHeader.unmarshal = _tolerantly


def _tolerantly(self: ContentHeader, data: bytes) -> None:
    try:
        _strictly(self, data)
        _check(self.properties)
    except Exception:
        # Class, weight and body size are read before the properties; without these there is no message to speak of.
        if self.class_id is None:
            raise
        self.properties = Basic.Properties(headers={UNREADABLE: bytearray(data[12:])})


def _check(properties: Basic.Properties) -> None:
    """Raise what ``aio_pika.IncomingMessage`` would raise over decoded properties."""
    if properties.delivery_mode:
        DeliveryMode(properties.delivery_mode)
    if properties.expiration is not None:
        float(properties.expiration)
