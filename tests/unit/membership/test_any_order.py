"""Whatever order, duplication and batching the same messages come in, the views are the same, byte for byte."""

import asyncio
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.envelope import Envelope
from schemas.membership import MemberRemoved
from services.membership.domain import linking
from services.membership.domain.consolidation import consolidate
from services.membership.domain.meaning import meaning
from services.membership.domain.records import RecordKey, SourceRecord, as_written
from tests.support.any_order import Deliveries, deliveries, handle, messages
from tests.support.in_memory import CLUSTERS, InMemoryMembership

THOROUGH = settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def views_after(batches: Deliveries) -> dict[str, bytes]:
    async def handle_all() -> dict[str, bytes]:
        uow = InMemoryMembership()
        for batch in batches:
            await handle(uow, batch)
        return uow.views

    return asyncio.run(handle_all())


@THOROUGH
@given(st.data())
def test_any_two_deliveries_of_the_same_messages_give_the_same_views(data: st.DataObject) -> None:
    told = data.draw(messages(at_most=24))
    one = data.draw(deliveries(told), label="one")
    other = data.draw(deliveries(told), label="other")
    assert views_after(one) == views_after(other)


@THOROUGH
@given(st.data())
def test_consolidating_step_by_step_ends_where_consolidating_at_once_does(data: st.DataObject) -> None:
    told = data.draw(messages(at_most=24, only_members=True))
    assert views_after(data.draw(deliveries(told))) == at_once(told)


def at_once(told: Sequence[Envelope[Any]]) -> dict[str, bytes]:
    """Views from the newest version of each record, by the domain's functions alone."""
    newest: dict[RecordKey, Envelope[Any]] = {}
    for message in sorted(told, key=lambda one: (one.data.version, one.digest)):
        newest[RecordKey(message.cluster, message.data.record_id)] = message
    views = [consolidate(group, ()) for group in linking.groups(map(a_record, newest, newest.values()))]
    return {view.member_id: view.document for view in views}


def a_record(key: RecordKey, message: Envelope[Any]) -> SourceRecord:
    if isinstance(message.data, MemberRemoved):
        return SourceRecord(key, {}, {}, None, None, "", None, removed=True)
    means = meaning(message.data, CLUSTERS[key.cluster])
    written = as_written(message.document)
    return SourceRecord(key, written, means.document, means.siren, means.same_as, means.name_key, None)
