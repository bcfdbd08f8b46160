"""Where every message ended: applied, parked, quarantined or a duplicate, told apart by its mark."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import orjson

from tests.support.hostile.message import HostileMessage, marks
from tests.support.hostile.publisher import Answer

_INBOX = "select message from inbox where message like $1"
_KEPT = "select message_id from quarantine where cluster = $1"
_PARKED = "select id, count, case when id = any($1::bigint[]) then null else body end from dead_letters"
_NAMELESS = """
    select queue, producer, content_type, reason, sum(count)::int as messages,
           min(left(encode(body, 'escape'), 80)) as example
    from dead_letters where id = any($1::bigint[]) group by 1, 2, 3, 4 order by 5 desc
"""


DAMAGE = 1
"""How many more events there may be in a body that was damaged: a part of it may have been doubled."""


@dataclass(slots=True)
class Ended:
    """How many events of one message ended where. ``whole`` counts bodies that are the message's own."""

    applied: int = 0
    quarantined: int = 0
    parked: int = 0
    whole: int = 0

    @property
    def events(self) -> int:
        return self.applied + self.quarantined + self.parked


@dataclass(slots=True)
class Accounts:
    """Everything that one former system sent, and what the broker said to it."""

    cluster: str
    sent: defaultdict[str, list[tuple[HostileMessage, Answer]]] = field(default_factory=lambda: defaultdict(list))
    totals: Counter[str] = field(default_factory=Counter[str])
    _renamed: dict[str, str] = field(default_factory=dict[str, str])
    _seen: dict[int, tuple[set[str], bool]] = field(default_factory=dict[int, tuple[set[str], bool]])

    def add(self, messages: Iterable[HostileMessage], answers: Iterable[Answer]) -> None:
        """Note what was sent."""
        for message, answer in zip(messages, answers, strict=True):
            self.sent[message.number].append((message, answer))
            if message.damaged:
                self._renamed |= dict.fromkeys(_unmarked(message.body), message.number)

    async def wrong(self, connection: asyncpg.Connection[Any]) -> list[str]:
        """What does not add up, message by message and in sum; empty where all does. ``totals`` are told anew."""
        ended, nameless = await self._ended(connection)
        self.totals.clear()
        texts = [f"settled, and was never sent: {number}" for number in ended.keys() - self.sent.keys()]
        certain, least, most = 0, 0, 0
        for number, sent in self.sent.items():
            for _, answer in sent:
                self.totals[answer] += 1
            if not sent[0][0].certain:
                least += sum(1 for _, answer in sent if answer == "confirmed")
                most += sum(message.events for message, answer in sent if answer != "refused")
                continue
            certain += 1
            # What was doubled or torn in a batch may have become a part of it that bears no mark.
            most += sum(
                DAMAGE for message, answer in sent if message.damaged and message.events > 1 and answer != "refused"
            )
            if fault := self._fault(ended.get(number, Ended()), sent):
                texts.append(fault)
        if not least <= nameless <= most:
            kinds = await connection.fetch(
                _NAMELESS, [letter for letter, (marked, _) in self._seen.items() if not marked]
            )
            listed = "; ".join(" ".join(map(repr, kind.values())) for kind in kinds)
            texts.append(f"{least} to {most} messages without a mark were confirmed, and {nameless} parked: {listed}")
        self.totals["parked"] += nameless
        return texts

    def _fault(self, end: Ended, sent: list[tuple[HostileMessage, Answer]]) -> str | None:
        taken = [message for message, answer in sent if answer == "confirmed"]
        perhaps = [message for message, answer in sent if answer == "unsure"]
        self.totals.update(applied=end.applied, quarantined=end.quarantined, parked=end.parked)
        events = sum(message.events for message in taken)
        repeats = any(message.repeats for message, _ in sent)
        whole = len(sent) == 1 and end.whole == end.parked == 1
        exact = end.events == events or (whole and bool(taken)) or (bool(perhaps) and 0 <= end.events <= _events(sent))
        if taken and sent[0][0].damaged:
            exact = exact or 1 <= end.events <= _events(sent) + DAMAGE
        former = 1 <= end.events <= _events(sent) and end.applied + end.quarantined <= 1
        if exact or (repeats and (former or not (taken or end.events))):
            self.totals["duplicates"] += max(0, events - end.events) if repeats else 0
            self.totals["in whole"] += max(0, events - end.events) if whole else 0
            return None
        answers = [answer for _, answer in sent]
        return f"{sent[0][0].name}: {events} events of {answers} ended as {end}"

    async def _ended(self, connection: asyncpg.Connection[Any]) -> tuple[dict[str, Ended], int]:
        ended: defaultdict[str, Ended] = defaultdict(Ended)
        nameless = 0
        for (message,) in await connection.fetch(_INBOX, f"/{self.cluster}/%"):
            for number in marks(message.encode()) or filter(None, [self._renamed.get(message)]):
                ended[number].applied += 1
        for (message_id,) in await connection.fetch(_KEPT, self.cluster):
            for number in marks(message_id.encode()) or filter(None, [self._renamed.get(message_id)]):
                ended[number].quarantined += 1
                ended[number].applied -= 1
        async with connection.transaction():
            async for letter, count, body in connection.cursor(_PARKED, list(self._seen), prefetch=200):
                if body is not None:
                    self._seen[letter] = self._read(body)
                texts, whole = self._seen[letter]
                nameless += 0 if texts else count
                for number in texts:
                    ended[number].parked += count
                    ended[number].whole += whole
        return ended, nameless

    def _read(self, body: bytes) -> tuple[set[str], bool]:
        """Whose it is, and whether it is the message as it was sent."""
        texts = marks(body)
        return texts, any(body == message.body for number in texts for message, _ in self.sent.get(number, []))


def _unmarked(body: bytes) -> set[str]:
    """What the inbox calls the events of a body whose damage took the mark out of an id and left it JSON."""
    try:
        tree = orjson.loads(body)
    except orjson.JSONDecodeError:
        return set()
    events = [event for event in (tree if isinstance(tree, list) else [tree]) if isinstance(event, dict)]
    names = {f"{event.get('source')} {event.get('id')}" for event in events}
    return {name for name in names if not marks(name.encode())}


def _events(sent: list[tuple[HostileMessage, Answer]]) -> int:
    return sum(message.events for message, answer in sent if answer != "refused")
