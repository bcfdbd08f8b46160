"""What must hold of mail at all times, whatever happens in whatever order: senders that die, restores, objections.

Which test holds which of the nine invariants is in `tests/README.md`, "What must hold of mail".
"""

import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from schemas.objections import ObjectionReceived
from services.communications.deliveries.delivery import Answer, outcome_of
from services.communications.deliveries.objections import keep
from services.communications.deliveries.queueing import Mail
from services.communications.deliveries.repository import (
    Claimed,
    Settled,
    claim,
    hold_after_restore,
    mark,
    settle,
    sweep,
)
from services.communications.deliveries.retention import Retention
from services.communications.deliveries.tokens import digest_of, token_of
from shared.persistence.database import create_engine
from tests.support.examples import examples
from tests.support.mailing import KEYRING, Mailing, a_mail
from tests.support.merging import Database

CAUSES: Final = ("c0", "c1")
ADDRESSES: Final = ("a@exemple.fr", "a@exemple.fr", "b@exemple.fr")
"""Of three people, of whom two share one."""
ANSWERS: Final = {
    "accepted": Answer(250, "ok"),
    "defer": Answer(450, "later"),
    "unknown": Answer(550, "no such user"),
    "lost, and arrived": Answer(None, "gone", text_left=True),
    "lost": Answer(None, "gone", text_left=True),
}
ARRIVES: Final = ("accepted", "lost, and arrived")
ENDED: Final = {"accepted", "refused", "gave-up", "uncertain", "suppressed"}

_people = st.sampled_from(range(len(ADDRESSES)))
_senders = st.sampled_from((0, 1))
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("queue"), st.sampled_from(CAUSES), _people, st.sampled_from(("bulk", "transactional"))),
        st.tuples(st.just("claim"), _senders),
        st.tuples(st.just("mark"), _senders),
        st.tuples(st.just("answer"), _senders, st.sampled_from(sorted(ANSWERS))),
        st.tuples(st.just("die"), _senders, st.booleans()),
        st.tuples(st.just("sweep")),
        st.tuples(st.just("object"), _people),
        st.tuples(st.just("take back"), _people),
        st.tuples(st.just("decide"), st.sampled_from(("leave", "send-again"))),
        st.tuples(st.just("restore")),
        st.tuples(st.just("forget")),
    ),
    min_size=8,
    max_size=30,
)


def mail_to(cause: str, person: int, mode: str) -> Mail:
    return a_mail(ADDRESSES[person], cause=cause, kind=mode, mode=mode, person_key=str(person))


@dataclass
class World:
    """The queue, what left it, and what a naive look says must be."""

    mailing: Mailing
    claimed: dict[int, list[Claimed]] = field(default_factory=lambda: defaultdict(list))
    marked: dict[int, list[Claimed]] = field(default_factory=lambda: defaultdict(list))
    claims: dict[int, str] = field(default_factory=dict[int, str])
    queued: dict[str, Mail] = field(default_factory=dict[str, Mail])
    arrived: Counter[str] = field(default_factory=Counter[str])
    sent_again: set[str] = field(default_factory=set[str])
    objected: set[str] = field(default_factory=set[str])
    acts: int = 0

    async def take(self, step: tuple[Any, ...]) -> None:
        match step:
            case ("queue", cause, person, mode):
                mail = mail_to(cause, person, mode)
                for delivery_id in await self.mailing.queue(mail):
                    self.queued[delivery_id] = mail
            case ("claim", sender):
                await self.claim(sender)
            case ("mark", sender):
                await self.mark(sender)
            case ("answer", sender, answer):
                await self.answer(sender, answer)
            case ("die", sender, arrives):
                self.die(sender, arrives=arrives)
                await self.mailing.due_now(("handing",))
            case ("sweep",):
                async with self.mailing.engine.begin() as connection:
                    await sweep(connection)
            case ("object" | "take back" as act, person):
                await self.act(act, person)
            case ("decide", decision):
                await self.decide(decision)
            case ("restore",):
                for sender in (0, 1):
                    self.die(sender, arrives=True)
                await self.mailing.rows("update mail_databases set fingerprint = 'another'", fetch=False)
                async with self.mailing.engine.begin() as connection:
                    await hold_after_restore(connection)
            case ("forget",):
                await Retention(timedelta(), timedelta()).forget(self.mailing.engine)
            case _:
                raise AssertionError(step)

    async def claim(self, sender: int) -> None:
        await self.mailing.due_now(("due",))
        self.claims[sender] = str(uuid4())
        async with self.mailing.engine.begin() as connection:
            self.claimed[sender] = await claim(connection, self.claims[sender], 10)

    async def mark(self, sender: int) -> None:
        wanted, self.claimed[sender] = self.claimed[sender], []
        if wanted:
            async with self.mailing.engine.begin() as connection:
                free = await mark(connection, self.mailing.keyring, self.claims[sender], wanted)
            leaving = [item for item in wanted if item.delivery_id in free]
            assert not [i for i in leaving if i.mode == "bulk" and i.address in self.objected], "marked after it"
            self.marked[sender] += leaving

    async def answer(self, sender: int, name: str) -> None:
        leaving, self.marked[sender] = self.marked[sender], []
        now = datetime.now(UTC)
        if name in ARRIVES:
            self.arrived.update(item.delivery_id for item in leaving)
        answers = [
            Settled(item, item.attempt + 1, ANSWERS[name],
                    outcome_of(ANSWERS[name], item.mode, item.attempt + 1, item.scheduled_at, now))
            for item in leaving
        ]  # fmt: skip
        if answers:
            async with self.mailing.engine.begin() as connection:
                await settle(connection, self.claims[sender], answers)

    def die(self, sender: int, *, arrives: bool) -> None:
        if arrives:
            self.arrived.update(item.delivery_id for item in self.marked[sender])
        self.claimed[sender], self.marked[sender] = [], []

    async def act(self, act: str, person: int) -> None:
        """By the link of whatever bulk mail the person got: it works however long ago that was."""
        links = [mail.delivery_id for mail in self.queued.values() if mail.address == ADDRESSES[person]
                 and mail.mode == "bulk"]  # fmt: skip
        for delivery_id in links:
            self.acts += 1
            at = datetime.now(UTC) + timedelta(seconds=self.acts)
            fact = ObjectionReceived(
                version=self.acts, received_at=at, act="object" if act == "object" else "undo", way="page",
                link_digest=digest_of(token_of(KEYRING.keys[0][1], delivery_id, "links")).hex(),
            )  # fmt: skip
            async with self.mailing.engine.begin() as connection:
                await keep(connection, self.mailing.keyring, [fact])
        if links:
            (self.objected.add if act == "object" else self.objected.discard)(ADDRESSES[person])

    async def decide(self, decision: str) -> None:
        if decision == "send-again":
            rows = await self.mailing.rows("select delivery_id::text from deliveries where state = 'uncertain'")
            self.sent_again |= {row[0] for row in rows}
        await self.mailing.ask("decide-uncertain", cause="*", decision=decision)

    async def holds(self) -> None:
        """Counts add up, and nobody got a newsletter twice that no person sent again."""
        states = await self.mailing.states()
        assert states.total() == len(self.queued)
        bulk = {name: mail for name, mail in self.queued.items() if mail.mode == "bulk"}
        assert len({(mail.cause, mail.address) for mail in bulk.values()}) == len(bulk)
        twice = [name for name in bulk if self.arrived[name] > 1 and name not in self.sent_again]
        assert twice == []

    async def quiet(self) -> None:
        """Let everything go on until nothing waits; nobody is forgotten, and each invoice arrived or is named."""
        for sender in (0, 1):
            self.die(sender, arrives=False)
        for _ in range(8):
            await self.mailing.due_now()
            for step in (("sweep",), ("claim", 0), ("mark", 0), ("answer", 0, "accepted")):
                await self.take(step)
        rows = await self.mailing.rows("select delivery_id::text, mode, state from deliveries")
        for delivery_id, mode, state in rows:
            assert state in ENDED, f"{mode} was forgotten in {state}"
            if state == "accepted":
                assert self.arrived[delivery_id] > 0


@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(
    steps=[
        ("queue", "c0", 0, "bulk"), ("queue", "c0", 0, "transactional"), ("claim", 0), ("mark", 0), ("die", 0, True),
        ("sweep",), ("claim", 1), ("mark", 1), ("answer", 1, "accepted"),
    ]
)  # fmt: skip
@example(steps=[("queue", "c0", 0, "bulk"), ("claim", 0), ("object", 1), ("mark", 0), ("answer", 0, "accepted")])
@example(
    steps=[
        ("queue", "c0", 0, "bulk"), ("claim", 0), ("mark", 0), ("answer", 0, "accepted"), ("forget",), ("object", 0),
        ("queue", "c1", 1, "bulk"), ("claim", 1), ("mark", 1), ("restore",), ("decide", "send-again"),
    ]
)  # fmt: skip
@given(steps=_steps)
@pytest.mark.hypothesis
def test_sums_add_up_nobody_twice_nobody_who_objected_and_nobody_forgotten(
    mail_database: Database, steps: list[tuple[Any, ...]]
) -> None:
    asyncio.run(_lived(mail_database.url, steps))


async def _lived(url: str, steps: list[tuple[Any, ...]]) -> None:
    engine = create_engine(url, application="test", pool_size=2)
    try:
        world = World(Mailing(engine, KEYRING))
        await world.mailing.empty()
        async with engine.begin() as connection:
            await hold_after_restore(connection)
        for step in steps:
            await world.take(step)
            await world.holds()
        await world.quiet()
        await world.holds()
    finally:
        await engine.dispose()
