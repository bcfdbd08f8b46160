"""Merging, separating and taking back: a model tells what must be there after any story, and nothing else may be."""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.envelope import Envelope
from schemas.membership import MemberRemoved, MembersMerged, MembersSeparated, MergeConflictChanged
from schemas.reading import read
from services.membership.identity.decisions import Decision, DecisionError, Signature, confirm, reject
from services.membership.records.record import RecordKey
from services.membership.usecases import decide
from tests.support.any_order import Deliveries, an_envelope, decisions_about, deliveries, handle, messages
from tests.support.builders import a_member
from tests.support.examples import examples
from tests.support.in_memory import InMemoryMembership

THOROUGH = settings(
    max_examples=examples(200), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
STAFF = Signature("a test", "because")


async def told(batches: Deliveries, decided: Sequence[Decision] = ()) -> InMemoryMembership:
    uow = InMemoryMembership()
    for batch in batches:
        await handle(uow, batch)
    for decision in decided:
        await decide.decide(uow, decision, STAFF)
    return uow


def announced(uow: InMemoryMembership) -> list[Any]:
    """Every fact in the outbox, in order."""
    facts: list[Any] = []
    for message in uow.outbox._outgoing:  # pyright: ignore[reportPrivateUsage]
        fact_type = next(
            kind
            for kind in (MembersMerged, MembersSeparated, MergeConflictChanged)
            if message.routing_key.endswith(kind.key)
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
    answer = data.draw(messages(at_most=20))
    batches = data.draw(deliveries(answer))
    decided = data.draw(decisions_about(answer))

    async def story() -> tuple[InMemoryMembership, InMemoryMembership]:
        plain, merged = await told(batches), await told(batches, decided)
        for number in data.draw(st.permutations(sorted(merged.decided))):
            await decide.take_back(merged, number, STAFF)
        return plain, merged

    plain, merged = asyncio.run(story())
    assert merged.views == plain.views
    assert merged.conflicts.keys() == plain.conflicts.keys()
    assert {key: record.member_id for key, record in merged.records.items()} == {
        key: record.member_id for key, record in plain.records.items()
    }


@THOROUGH
@given(st.data())
def test_separating_leaves_each_record_with_what_names_it_and_with_what_came_since(data: st.DataObject) -> None:
    answer = data.draw(messages(at_most=20))
    later = data.draw(messages(at_most=8))
    batches, more = data.draw(deliveries(answer)), data.draw(deliveries(later))

    async def story() -> tuple[InMemoryMembership, InMemoryMembership] | None:
        merged = await told(batches)
        present = sorted(key for key, record in merged.records.items() if not record.removed)
        if len(present) < 2:
            return None
        pair = data.draw(st.permutations(present))[:2]
        await decide.decide(merged, confirm(pair), STAFF)
        for batch in more:
            await handle(merged, batch)
        try:
            await decide.separate(merged, pair[:1], STAFF)
        except DecisionError:
            return None  # what came since removed one of them, or parted them
        parted = next(decision for number, decision in merged.decided.items() if number == max(merged.decided))
        return merged, await told([*batches, *more], [parted])

    if (both := asyncio.run(story())) is not None:
        assert both[0].views == both[1].views


@THOROUGH
@given(st.data())
def test_whoever_follows_what_is_announced_knows_every_member(data: st.DataObject) -> None:
    answer = data.draw(messages(at_most=20))
    uow = asyncio.run(told(data.draw(deliveries(answer)), data.draw(decisions_about(answer))))
    facts = announced(uow)
    members = followed(
        data.draw(st.permutations([fact for fact in facts if not isinstance(fact, MergeConflictChanged)]))
    )
    for key, record in uow.records.items():
        assert members.get(key, key.own_id) == record.member_id
    last = {fact.conflict_id: fact for fact in facts if isinstance(fact, MergeConflictChanged)}
    assert {name for name, item in last.items() if item.overlaps} == set(uow.conflicts)
    assert set(uow.conflicts) == {
        item["conflict_id"] for view in uow.views.values() for item in orjson.loads(view)["conflicts"]
    }


def a_story(*announced_of: tuple[int, dict[str, Any]] | MemberRemoved) -> Deliveries:
    """Batches of one message each: versions of records of one name and SIREN, unless told otherwise."""
    usual = {"name": "Forges Xylo", "siren": "732829320"}
    facts = [
        fact if isinstance(fact, MemberRemoved) else a_member(**usual | fact[1], version=fact[0])
        for fact in announced_of
    ]
    return [[an_envelope("numelink", fact)] for fact in facts]


def members_and_followed(batches: Deliveries) -> tuple[dict[str, str | None], dict[str, str], InMemoryMembership]:
    uow = asyncio.run(told(batches))
    known = followed([item for item in announced(uow) if not isinstance(item, MergeConflictChanged)])
    members = {key.record_id: record.member_id for key, record in uow.records.items()}
    return members, {key.record_id: known.get(key, key.own_id) for key in uow.records}, uow


A, B = (RecordKey("numelink", text).own_id for text in "AB")
ZUG = {"record_id": "B", "name": "Zug", "siren": None, "email": None}


def test_a_removed_record_stays_with_its_member_and_returns_where_it_belongs() -> None:
    story = [(1, {"record_id": "A"}), (1, {"record_id": "B"}), MemberRemoved(record_id="B", version=2)]
    members, known, _ = members_and_followed(a_story(*story))
    assert members == known == {"A": A, "B": A}
    members, known, _ = members_and_followed(a_story(*story, (3, ZUG)))
    assert members == known == {"A": A, "B": B}, "back as another company"


def test_a_member_whose_first_record_is_removed_keeps_its_id() -> None:
    story = a_story((1, {"record_id": "A"}), (1, {"record_id": "B"}), MemberRemoved(record_id="A", version=2))
    members, known, uow = members_and_followed(story)
    assert members == known == {"A": A, "B": A}
    assert uow.views.keys() == {A}
    assert orjson.loads(uow.views[A])["removed_sources"] == ["numelink/A"]
    assert [item["from"] for item in orjson.loads(uow.views[A])["sources"]] == ["numelink/B"]


def test_what_only_a_removed_record_joined_is_apart() -> None:
    brands = {"record_id": "C", "siren": None, "name": "Forges Xylo", "brand": "Zug", "email": "a@forgesxylo.fr"}
    pair = (1, {"record_id": "A"}), (1, ZUG | {"siren": "552100554"})
    members, _, _ = members_and_followed(a_story(*pair, (1, brands), MemberRemoved(record_id="C", version=2)))
    assert members["A"] != members["B"]


def test_an_objection_outlives_the_card_that_it_was_made_on() -> None:
    """RGPD art. 21: whoever tidies a duplicate away does not give the others a consent."""
    refusing = a_story((1, {"record_id": "A"}), (1, {"record_id": "B", "opt_outs": ("email",)}))
    uow = asyncio.run(told([*refusing, [an_envelope("numelink", MemberRemoved(record_id="B", version=2))]]))
    in_force = orjson.loads(uow.views[A])["consents"]["in_force"]
    assert {(item["channel"], item["allowed"]) for item in in_force} == {("email", False), ("bulk-email", False)}


def test_a_version_that_says_nothing_new_beside_one_that_parts_is_told_of() -> None:
    """Both come in one batch: the other services must hear that the one left, whichever it was."""
    together = a_story((1, {"record_id": "A"}), (1, {"record_id": "B"}))
    for leaving, staying in (("A", "B"), ("B", "A")):
        [again], [parted] = a_story((2, {"record_id": staying}), (2, ZUG | {"record_id": leaving}))
        members, known, _ = members_and_followed([*together, [again, parted]])
        assert members == known == {"A": A, "B": B}


def test_a_detail_that_changes_merges_nobody() -> None:
    together = a_story((1, {"record_id": "A"}), (1, {"record_id": "B"}))
    [same], [detail] = a_story((2, {"record_id": "A"}), (2, {"record_id": "B", "city": "Roanne"}))
    _, _, uow = members_and_followed([*together, [same, detail]])
    assert [remembered.what for remembered in uow.history] == ["merged"]


def test_a_member_of_many_records_can_be_separated() -> None:
    batches = a_story(*((1, {"record_id": f"R{number:02}"}) for number in range(60)))
    uow = asyncio.run(told(batches))
    assert len(uow.views) == 1
    asyncio.run(decide.separate(uow, [RecordKey("numelink", "R07")], STAFF))
    assert len(uow.views) == 2


def test_saying_again_what_others_hold_back_counts_before_them() -> None:
    a, b, c = (RecordKey("numelink", text) for text in "ABC")
    batches = a_story(*((1, {"record_id": text, "name": f"Nom {text * 5}", "siren": None}) for text in "ABC"))
    decided = [confirm([a, b]), confirm([b, c]), reject([a, c])]
    uow = asyncio.run(told(batches, decided))
    apart = next(pair for pair in ((a, b), (b, c)) if uow.records[pair[0]].member_id != uow.records[pair[1]].member_id)
    again = asyncio.run(decide.decide(uow, confirm(apart), STAFF))
    assert not again.repeated
    assert len(set(again.members.values())) == 1
    assert asyncio.run(decide.decide(uow, confirm(apart), STAFF)).repeated
