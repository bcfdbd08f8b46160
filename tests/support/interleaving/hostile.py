"""What a hostile former system puts between its messages, and around them: nothing of it may hold up anybody."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

import orjson

from schemas.envelope import BATCH, STRUCTURED, encode, source_of
from schemas.membership import MemberRecorded

MARK = re.compile(rb"hostile-[a-z0-9]+-[0-9]+")
"""How each of its own messages is found again."""
SPOILT = 0.2
"""How often a sound message is spoilt."""
_BIG = b'"anything":1' + b"0" * 30


def _deep(depth: int) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for _ in range(depth):
        table = {"a": table}
    return table


HEADERS: Sequence[Mapping[str, Any]] = (
    {}, {"deep": _deep(300)}, {"ce-deep": _deep(300)}, {"x-death": [1], "traceparent": 7, "timestamp_in_ms": -1.5},
    {"traboule-attempt": "x", "traboule-origin-key": b"\xff", "traboule-dead-letter": "1"},
)  # fmt: skip


def _event(cluster: str, mark: str, **different: Any) -> dict[str, Any]:
    fact = MemberRecorded(version=1, record_id=mark, name=mark)
    return orjson.loads(encode(source_of(cluster, "membership"), [fact]).body) | {"id": mark} | different


def _no_json(_cluster: str, mark: str) -> tuple[bytes, str]:
    return f"not json {mark}".encode(), STRUCTURED


def _foreign_source(_cluster: str, mark: str) -> tuple[bytes, str]:
    return spoilt(orjson.dumps(_event("somebody-else", mark))), STRUCTURED


def _odd_type(cluster: str, mark: str) -> tuple[bytes, str]:
    return orjson.dumps([_event(cluster, mark, type="fr.traboule.membership.member-recorded.v²")]), BATCH


def _large_version(cluster: str, mark: str) -> tuple[bytes, str]:
    return orjson.dumps(_event(cluster, mark)).replace(b'"version":1', b'"version":1' + b"0" * 30), STRUCTURED


def _rubbish(_cluster: str, mark: str) -> tuple[bytes, str]:
    return orjson.dumps([mark, *range(300)]), BATCH


ATTACKS: Sequence[Callable[[str, str], tuple[bytes, str]]] = (
    _no_json, _foreign_source, _odd_type, _large_version, _rubbish,
)  # fmt: skip


def spoilt(body: bytes) -> bytes:
    """The same events with an attribute that takes more than 64 bits."""
    return body.replace(b'"specversion"', _BIG + b',"specversion"')


class Hostile:
    """One former system's hostility; ``sent`` are the marks of its messages."""

    def __init__(self, cluster: str, seed: int) -> None:
        # Numbers of its own: the story goes as it would without.
        self._cluster, self._rng = cluster, Random(f"hostile {seed}")
        self.sent: list[str] = []

    def message(self) -> tuple[bytes, str, Mapping[str, Any]]:
        """The next message: body, content type and headers."""
        mark = f"hostile-{self._cluster}-{len(self.sent)}"
        self.sent.append(mark)
        return *self._rng.choice(ATTACKS)(self._cluster, mark), self._rng.choice(HEADERS)

    def around(self, body: bytes) -> tuple[bytes, Mapping[str, Any]]:
        """What becomes of a sound message's body, and its headers."""
        if self._rng.random() > SPOILT:
            return body, {}
        return spoilt(body), self._rng.choice(HEADERS)
