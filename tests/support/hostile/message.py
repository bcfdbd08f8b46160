"""A message to send, and how it is found again afterwards, wherever it ended."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any
from zlib import crc32

import orjson

from schemas.base import Fact
from schemas.envelope import STRUCTURED, encode, source_of
from tests.support.hostile import wire

_MARK = re.compile(rb"~([0-9a-z]+)\.([0-9a-f]{8})~")
"""How a message is marked: in its event's id, in its record's id and wherever else there is room for it."""


@dataclass(frozen=True, slots=True)
class HostileMessage:
    """``events`` is how many it holds, when it is taken apart; ``repeats`` says that it may be one seen before,
    ``damaged`` that nobody knows how many are left of them.

    ``number`` marks it. ``certain`` messages hold the mark in their body, so that each of their events can be told.
    """

    name: str
    number: str
    key: str
    properties: bytes
    body: bytes
    events: int = 1
    repeats: bool = False
    damaged: bool = False

    @property
    def certain(self) -> bool:
        return mark_of(self.number).encode() in self.body.replace(b"\0", b"")


_PLACE = "the-mark"
NAME = "the-name"
"""In a fact's text, it becomes a name that is like no other's: alike records are compared with each other."""


def marks(raw: bytes) -> set[str]:
    """The numbers of the messages that left a mark in these bytes, in whatever of the UTF encodings."""
    result = _MARK.findall(raw.replace(b"\0", b""))
    return {number.decode() for number, check in result if check == _check(number)}


def mark_of(number: str) -> str:
    """The mark of a message; a damaged one is nobody's."""
    return f"~{number}.{_check(number.encode()).decode()}~"


def _name(mark: str) -> bytes:
    letters = bytes(97 + byte % 26 for byte in blake2b(mark.encode(), digest_size=16).digest())
    return letters[:8] + b" " + letters[8:]


def _check(number: bytes) -> bytes:
    return b"%08x" % crc32(number)


@dataclass(slots=True)
class Writer:
    """Writes messages as one former system, of one kind of fact; each gets a mark that no other has.

    ``extra`` are properties that every message gets until they are changed, as :meth:`message` takes them.
    """

    user: str
    fact: Callable[[str], Fact]
    run: str
    written: int = 0
    name: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
    _key: str = field(init=False)
    _sample: bytes = b""

    def __post_init__(self) -> None:
        sample = self.fact("sample")
        self._key = f"{self.user}.{sample.key}"

    @property
    def source(self) -> str:
        """The CloudEvents source that its events must have."""
        return source_of(*self.user.split("."))

    @property
    def foreign_source(self) -> str:
        """The source of another cluster's former system."""
        return source_of("clustr-numerique", self.user.split(".")[1])

    @property
    def key(self) -> str:
        """The routing key of its facts."""
        return self._key

    def mark(self) -> str:
        """The next message's mark."""
        self.written += 1
        return mark_of(f"{self.run}{self.written:06d}")

    def event(self, mark: str, **different: Any) -> dict[str, Any]:
        """A sound event that bears the mark; ``different`` replaces attributes of it."""
        if not self._sample:
            self._sample = encode(self.source, [self.fact(_PLACE)]).body
        sample = self._sample.replace(_PLACE.encode(), mark.encode()).replace(NAME.encode(), _name(mark))
        tree: dict[str, Any] = orjson.loads(sample)
        return tree | {"id": mark, "subject": mark} | different

    def message(
        self,
        mark: str,
        body: bytes,
        *,
        events: int = 1,
        repeats: bool = False,
        damaged: bool = False,
        **properties: Any,
    ) -> HostileMessage:
        """A message of this body.

        ``content_type`` is a text or None, ``headers`` a list of (name, encoded value) or an encoded table, ``key`` a
        routing key, ``more_flags`` bits. Every other property is encoded already, and None leaves one out.
        """
        properties = _together(properties, self.extra)
        content_type, headers = properties.pop("content_type", STRUCTURED), properties.pop("headers", [])
        key, more_flags = properties.pop("key", self.key), properties.pop("more_flags", 0)
        table = headers if isinstance(headers, bytes) else wire.table([("case", wire.text(mark)), *headers])
        usual: Mapping[str, bytes | None] = {
            "content_type": None if content_type is None else wire.short(content_type),
            "headers": table,
            "delivery_mode": wire.octet(2),
            "message_id": wire.short(mark),
            "user_id": wire.short(self.user),
        }
        values = {name: value for name, value in (dict(usual) | properties).items() if value is not None}
        encoded = wire.properties(values, more_flags)
        number = mark.strip("~").split(".")[0]
        return HostileMessage(self.name, number, key.format(user=self.user), encoded, body, events, repeats, damaged)

    def sound(self, **properties: Any) -> HostileMessage:
        """A sound event under odd properties."""
        mark = self.mark()
        return self.message(mark, orjson.dumps(self.event(mark)), **properties)


def _together(document: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Both, the second before the first where they differ; lists of headers are put together."""
    both = {**document, **other}
    lists = [given["headers"] for given in (document, other) if isinstance(given.get("headers"), list)]
    if len(lists) == 2:
        both["headers"] = lists[0] + lists[1]
    return both
