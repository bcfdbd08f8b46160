"""Whatever order, duplication and batching the same messages come in, the views are the same, byte for byte.

So it is with decisions between them: members depend on records and on decisions in their own order, and on no more.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.envelope import Envelope
from schemas.membership import MemberRecorded, MemberRemoved
from services.membership.identity.decisions import Decision, Signature
from services.membership.identity.members import members_of
from services.membership.matching.candidates import Candidates
from services.membership.matching.features import features
from services.membership.matching.grouping import Decision as Decided
from services.membership.matching.score import judge
from services.membership.normalisation.normalised_record import meaning
from services.membership.records.record import RecordKey, SourceRecord, as_written
from services.membership.usecases import decide
from services.membership.views.consolidation import consolidate
from tests.support.any_order import Deliveries, decisions_about, deliveries, handle, messages
from tests.support.examples import examples
from tests.support.in_memory import POLICY, InMemoryMembership

THOROUGH = settings(
    max_examples=examples(250), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
STAFF = Signature("a test", "because")


def views_after(batches: Deliveries) -> dict[str, bytes]:
    return story(batches)[0]


def story(
    batches: Deliveries, decided: Sequence[Decision] = (), pauses: Sequence[int] = ()
) -> tuple[dict[str, bytes], list[Decision]]:
    """The views at the end, and the decisions that were kept, in order: one that says nothing new is not.

    ``pauses`` say how many decisions follow each batch at most; what is left is decided at the end.
    """

    async def handle_all() -> tuple[dict[str, bytes], list[Decision]]:
        uow = InMemoryMembership()
        waiting = list(decided)
        for at, batch in enumerate(batches):
            await handle(uow, batch)
            for _ in range(pauses[at] if at < len(pauses) else 0):
                if waiting and waiting[0].records <= uow.records.keys():
                    await decide.decide(uow, waiting.pop(0), STAFF)
        for decision in waiting:
            await decide.decide(uow, decision, STAFF)
        return uow.views, list(uow.decided.values())

    return asyncio.run(handle_all())


@THOROUGH
@given(st.data())
def test_any_two_deliveries_of_the_same_messages_give_the_same_views(data: st.DataObject) -> None:
    published = data.draw(messages(at_most=24))
    item = data.draw(deliveries(published), label="one")
    other = data.draw(deliveries(published), label="other")
    assert views_after(item) == views_after(other)


@THOROUGH
@given(st.data())
def test_consolidating_step_by_step_ends_where_consolidating_at_once_does(data: st.DataObject) -> None:
    published = data.draw(messages(at_most=24, only_members=True))
    decided = data.draw(decisions_about(published))
    pauses = data.draw(st.lists(st.integers(0, 2), max_size=12))
    views, kept = story(data.draw(deliveries(published)), decided, pauses)
    assert views == at_once(published, kept)


def at_once(messages: Sequence[Envelope[Any]], decided: Sequence[Decision]) -> dict[str, bytes]:
    """Views from the newest version of each record and all decisions, by the domain's functions alone."""
    newest: dict[RecordKey, Envelope[Any]] = {}
    contents: dict[RecordKey, Envelope[Any]] = {}
    for message in sorted(messages, key=lambda item: (item.data.version, item.digest)):
        key = RecordKey(message.cluster, message.data.record_id)
        newest[key] = message
        if isinstance(message.data, MemberRecorded):
            contents[key] = message
    records = {key: a_record(key, contents.get(key), newest[key]) for key in newest}
    index = Candidates(features(record) for record in records.values() if record.written)
    judged = [judge(a, b, index.classes, POLICY.weights) for a, b in index.pairs()]
    facts = [
        Decided(*pair, verdict, order)
        for order, decision in enumerate(decided)
        for pair, verdict in decision.verdicts.items()
    ]
    removed = {key for key, record in records.items() if record.removed}
    members = members_of({key: record.siren for key, record in records.items()}, removed, judged, facts)
    views = [
        consolidate([records[key] for key in member.records], (), (), POLICY.rules)
        for member in members
        if member.present
    ]
    return {view.member_id: view.document for view in views}


def a_record(key: RecordKey, content: Envelope[Any] | None, newest: Envelope[Any]) -> SourceRecord:
    removed = isinstance(newest.data, MemberRemoved)
    if content is None:
        return SourceRecord(key, {}, {}, None, None, "", None, removed)
    means = meaning(content.data, POLICY.clusters[key.cluster])
    written = as_written(content.document)
    return SourceRecord(key, written, means.document, means.siren, means.same_as, means.name_key, None, removed)
