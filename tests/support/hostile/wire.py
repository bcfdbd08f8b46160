"""The bytes of AMQP 0-9-1 property lists and field tables, true or false.

Grammar: AMQP 0-9-1, section 4.2.5, with RabbitMQ's types (<https://www.rabbitmq.com/amqp-0-9-1-errata>, section 3).
Nothing here checks anything: that is what it is for.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping

FLAGS = {
    "content_type": 15,
    "content_encoding": 14,
    "headers": 13,
    "delivery_mode": 12,
    "priority": 11,
    "correlation_id": 10,
    "reply_to": 9,
    "expiration": 8,
    "message_id": 7,
    "timestamp": 6,
    "type": 5,
    "user_id": 4,
    "app_id": 3,
    "cluster_id": 2,
}
"""The bit of each property, in the order in which their values follow."""
MORE_FLAGS = 1
"""The lowest bit says that another word of flags follows."""


def properties(values: Mapping[str, bytes], more: int = 0) -> bytes:
    """A property list of values that are encoded already; ``more`` are bits of flags that belong to none."""
    flags = more
    for name in values:
        flags |= 1 << FLAGS[name]
    return struct.pack(">H", flags) + b"".join(values[name] for name in FLAGS if name in values)


def short(text: str | bytes) -> bytes:
    """A short string: at most 255 bytes."""
    raw = text.encode() if isinstance(text, str) else text
    return struct.pack(">B", len(raw)) + raw


def octet(number: int) -> bytes:
    """One byte, such as a delivery mode or a priority."""
    return struct.pack(">B", number)


def moment(seconds: int) -> bytes:
    """A timestamp: 64 bits without a sign."""
    return struct.pack(">Q", seconds)


def table(fields: Iterable[tuple[str | bytes, bytes]]) -> bytes:
    """A field table of values that bear their types already."""
    inside = b"".join(short(name) + value for name, value in fields)
    return struct.pack(">I", len(inside)) + inside


# --- values of a table, each with its type's letter ------------------------------------------------------------------


def text(value: str | bytes) -> bytes:
    """A long string."""
    raw = value.encode() if isinstance(value, str) else value
    return b"S" + struct.pack(">I", len(raw)) + raw


def raw_bytes(value: bytes) -> bytes:
    """Bytes that are no text."""
    return b"x" + struct.pack(">I", len(value)) + value


def number(value: int) -> bytes:
    """A signed integer of 64 bits."""
    return b"l" + struct.pack(">q", value)


def small(value: int) -> bytes:
    """A signed integer of 8 bits."""
    return b"b" + struct.pack(">b", value)


def real(value: float) -> bytes:
    """A double; NaN and the infinities are some."""
    return b"d" + struct.pack(">d", value)


def decimal(scale: int, value: int) -> bytes:
    """A decimal: ``value`` with so many digits after the point."""
    return b"D" + struct.pack(">Bi", scale, value)


def truth(value: int) -> bytes:
    """A boolean, of which any byte but 0 is true."""
    return b"t" + struct.pack(">B", value)


def instant(seconds: int) -> bytes:
    """A timestamp inside a table."""
    return b"T" + moment(seconds)


VOID = b"V"


def array(values: Iterable[bytes]) -> bytes:
    """A field array."""
    inside = b"".join(values)
    return b"A" + struct.pack(">I", len(inside)) + inside


def nested(fields: Iterable[tuple[str | bytes, bytes]]) -> bytes:
    """A table inside a table."""
    return b"F" + table(fields)


def deep_table(depth: int) -> bytes:
    """Tables in tables, so many of them."""
    value = text("bottom")
    for _ in range(depth):
        value = nested([("a", value)])
    return value


def deep_array(depth: int) -> bytes:
    """Arrays in arrays, so many of them."""
    value = text("bottom")
    for _ in range(depth):
        value = array([value])
    return value
