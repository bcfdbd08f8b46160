"""Merging, separating and taking back: a model tells what must be there after any story, and nothing else may be."""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.envelope import Envelope, read
from schemas.membership import MemberRemoved, MembersMerged, MembersSeparated, MergeConflictChanged
from services.membership import commands
from services.membership.domain.decisions import Decision, DecisionError, Signature, confirm
from services.membership.domain.records import RecordKey
from tests.support.any_order import Deliveries, an_envelope, decisions_about, deliveries, handle, messages
from tests.support.builders import a_member
from tests.support.in_memory import InMemoryMembership

THOROUGH = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
STAFF = Signature("a test", "because")


async def told(batches: Deliveries, decided: Sequence[Decision] = ()) -> InMemoryMembership:
    uow = InMemoryMembership()
    for batch in batches:
        await handle(uow, batch)
    for decision in decided:
        await commands.decide(uow, decision, STAFF)
    return uow


def announced(uow: InMemoryMembership) -> list[Any]:
    """Every fact in the outbox, in order."""
    facts: list[Any] = []
    for message in uow.outbox._outgoing:  # pyright: ignore[reportPrivateUsage]
        fact_type = next(
            one
            for one in (MembersMerged, MembersSeparated, MergeConflictChanged)
            if message.routing_key.endswith(one.key)
        )
        for envelope in read(fact_type, message.body, message.content_type, {}):
            assert isinstance(envelope, Envelope), envelope
            facts.append(envelope.data)
    return facts


def followed(facts: Sequence[Any]) -> dict[RecordKey, str]:
    """Which member each record is part of, as a service knows it that hears these facts in any order."""
    known: dict[RecordKey, tuple[int, str]] = {}
    for fact in facts:
        parts = fact.parts if isinstance(fact, MembersSeparated) else [fact]
        for part in parts:
            for ref in part.records:
                key = RecordKey(ref.cluster, ref.record_id)
                known[key] = max(known.get(key, (0, "")), (fact.version, part.member_id))
    return {key: member_id for key, (_, member_id) in known.items()}


@THOROUGH
@given(st.data())
def test_taking_everything_back_leaves_what_would_be_there_without(data: st.DataObject) -> None:
    said = data.draw(messages(at_most=20))
    batches = data.draw(deliveries(said))
    decided = data.draw(decisions_about(said))

    async def story() -> tuple[InMemoryMembership, InMemoryMembership]:
        plain, merged = await told(batches), await told(batches, decided)
        for number in data.draw(st.permutations(sorted(merged.decided))):
            await commands.take_back(merged, number, STAFF)
        return plain, merged

    plain, merged = asyncio.run(story())
    assert merged.views == plain.views
    assert merged.conflicts.keys() == plain.conflicts.keys()
    assert {key: one.member_id for key, one in merged.records.items() if not one.removed} == {
        key: one.member_id for key, one in plain.records.items() if not one.removed
    }


@THOROUGH
@given(st.data())
def test_separating_leaves_each_record_with_what_names_it_and_with_what_came_since(data: st.DataObject) -> None:
    said = data.draw(messages(at_most=20))
    later = data.draw(messages(at_most=8))
    batches, more = data.draw(deliveries(said)), data.draw(deliveries(later))

    async def story() -> tuple[InMemoryMembership, InMemoryMembership] | None:
        merged = await told(batches)
        present = sorted(key for key, one in merged.records.items() if not one.removed)
        if len(present) < 2:
            return None
        pair = data.draw(st.permutations(present))[:2]
        await commands.decide(merged, confirm(pair), STAFF)
        for batch in more:
            await handle(merged, batch)
        try:
            await commands.separate(merged, pair[:1], STAFF)
        except DecisionError:
            return None  # what came since removed one of them, or parted them
        parted = next(one for number, one in merged.decided.items() if number == max(merged.decided))
        return merged, await told([*batches, *more], [parted])

    if (both := asyncio.run(story())) is not None:
        assert both[0].views == both[1].views


@THOROUGH
@given(st.data())
def test_whoever_follows_what_is_announced_knows_every_member(data: st.DataObject) -> None:
    said = data.draw(messages(at_most=20))
    uow = asyncio.run(told(data.draw(deliveries(said)), data.draw(decisions_about(said))))
    facts = announced(uow)
    members = followed(data.draw(st.permutations([one for one in facts if not isinstance(one, MergeConflictChanged)])))
    for key, one in uow.records.items():
        if not one.removed:
            assert members.get(key, key.own_id) == one.member_id
    last = {one.conflict_id: one for one in facts if isinstance(one, MergeConflictChanged)}
    assert {name for name, one in last.items() if one.overlaps} == set(uow.conflicts)
    assert set(uow.conflicts) == {
        one["conflict_id"] for view in uow.views.values() for one in orjson.loads(view)["conflicts"]
    }


def test_a_record_that_returns_alone_is_told_of() -> None:
    """It had been one with another when it was removed, and whoever follows must not believe that any more."""

    def said(version: int, **fields: Any) -> Envelope[Any]:
        fact = a_member(**{"record_id": "B", "name": "Forges Xylo", "siren": "732829320", "version": version} | fields)
        return an_envelope("numelink", fact)

    batches = [
        [said(1, record_id="A")],
        [said(1)],
        [an_envelope("numelink", MemberRemoved(record_id="B", version=2))],
        [said(3, name="Zug", siren=None, email=None)],
    ]
    uow = asyncio.run(told(batches))
    facts = [one for one in announced(uow) if not isinstance(one, MergeConflictChanged)]
    assert [type(one) for one in facts] == [MembersMerged, MembersSeparated, MembersSeparated]
    assert followed(facts) == {key: key.own_id for key in (RecordKey("numelink", "A"), RecordKey("numelink", "B"))}
