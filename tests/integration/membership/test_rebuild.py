"""What was computed can be computed anew from what former systems wrote, and comes out the same."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local.nodes import Nodes
from schemas.envelope import Envelope, encode, source_of
from schemas.membership import MemberRecorded
from schemas.reading import read
from services.membership.identity.decisions import Signature, confirm
from services.membership.records.record import RecordKey
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.usecases import decide
from services.membership.usecases.keep_records import record_members
from services.membership.usecases.rebuild import is_needed, rebuild
from shared.persistence.database import create_engine
from tests.support.builders import a_member, unique
from tests.support.in_memory import POLICY
from tests.support.in_process import OwnService, Passwords, own_service

STAFF = Signature("a test", "the same office")


@pytest.fixture(scope="module")
def own(nodes: Nodes, passwords: Passwords) -> Iterator[OwnService]:
    with own_service(nodes, passwords, "membership") as own:
        yield own


@pytest.fixture
async def engine(own: OwnService) -> AsyncIterator[AsyncEngine]:
    await own.empty()
    engine = create_engine(own.env["TRABOULE_MEMBERSHIP_DATABASE_URL"], application="test", pool_size=2)
    yield engine
    await engine.dispose()


async def told(engine: AsyncEngine, cluster: str, *facts: MemberRecorded) -> None:
    message = encode(source_of(cluster, "membership"), facts)
    envelopes = [
        item for item in read(MemberRecorded, message.body, message.content_type, {}) if isinstance(item, Envelope)
    ]
    async with engine.begin() as connection:
        await record_members(MembershipUnitOfWork(connection, POLICY), envelopes)


async def some_members(engine: AsyncEngine) -> tuple[RecordKey, RecordKey]:
    """Two that recognise each other, two that staff confirmed, and one alone; the latter pair's keys."""
    name, text, other = f"Forges {unique('Xylo')}", unique("C"), unique("C")
    # By score: one SIREN and one name would be joined whatever the weights say.
    same = {"name": name, "phone": "0477123456", "postcode": "42000"}
    await told(engine, "numelink", a_member(siren="732829320", **same), a_member(name="Atelier Un", record_id=text))
    await told(engine, "clustr-numerique", a_member(**same), a_member(name="Zug", record_id=other))
    await told(engine, "numelink", a_member(postcode="42000"))
    pair = RecordKey("numelink", text), RecordKey("clustr-numerique", other)
    async with engine.begin() as connection:
        await decide.decide(MembershipUnitOfWork(connection, POLICY), confirm(pair), STAFF)
    return pair


async def test_rebuilding_gives_the_same_members_views_and_pairs(own: OwnService, engine: AsyncEngine) -> None:
    await some_members(engine)
    tables = {
        "views": "select member_id::text, document from views order by 1",
        "pairs": "select a_cluster, a_record_id, b_record_id, score, verdict, levels from match_pairs order by 1, 2, 3",
        "records": "select record_id, understood::text, siren, member_id::text from source_records order by 1",
        "history": "select version, what, document::text from identity_history order by id",
    }
    before = {name: await own.query(sql) for name, sql in tables.items()}
    assert before["pairs"]
    assert len(before["views"]) == 3

    # As an older version of the program may have left it.
    await own.query("truncate match_state, match_features, match_keys, match_pairs, views")
    await own.query("update source_records set understood = '{}', siren = null, name_key = ''")
    steps = list[str]()
    async with engine.begin() as connection:
        uow = MembershipUnitOfWork(connection, POLICY)
        assert await is_needed(uow)
        done = await rebuild(uow, lambda step, _done, _of: steps.append(step))
        assert not await is_needed(uow)

    assert (done.records, done.understood_otherwise, done.members) == (5, 5, 3)
    assert {*steps} == {"understand", "recognise", "consolidate"}
    assert {name: await own.query(sql) for name, sql in tables.items()} == before


async def test_other_weights_judge_all_pairs_anew(own: OwnService, engine: AsyncEngine) -> None:
    await some_members(engine)
    strict = replace(POLICY, weights=replace(POLICY.weights, version=99, auto=1_000.0))
    async with engine.begin() as connection:
        uow = MembershipUnitOfWork(connection, strict)
        assert await is_needed(uow)
        done = await rebuild(uow, lambda *_: None)
        await uow.outbox.flush(connection)
    assert done.members == 4, "only what staff confirmed holds together"
    assert await own.column("select distinct weights from match_pairs") == [99]
    assert await own.column("select what from identity_history order by id desc limit 1") == ["separated"]


async def test_a_rebuild_that_is_killed_leaves_all_as_it_was(own: OwnService, engine: AsyncEngine) -> None:
    await some_members(engine)
    before = await own.query("select member_id::text, document, updated_at from views order by 1")

    def killed(step: str, *_: int) -> None:
        if step == "consolidate":
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        async with engine.begin() as connection:
            await rebuild(MembershipUnitOfWork(connection, POLICY), killed)
    assert await own.query("select member_id::text, document, updated_at from views order by 1") == before
