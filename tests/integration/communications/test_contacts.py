"""From a member that a former system recorded to the contact that communications keeps, and reads many at once."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from deploy.local.nodes import Nodes
from schemas.base import Fact, RecordRef
from schemas.membership import MemberRemoved
from schemas.membership_contacts import ContactDescribed
from services.common.member_records import apply_merges, apply_separations
from services.common.sections import Record, state_the_rest, statements
from services.communications.contacts.contact import Contact
from services.communications.contacts.queries import contacts_of_addresses, contacts_of_members, contacts_of_records
from services.communications.contacts.repository import keep_contacts
from services.communications.mirror.repository import CommunicationsUnitOfWork
from services.membership.descriptions.queries import CONTACTS
from services.membership.identity.decisions import Signature, confirm
from services.membership.records.record import RecordKey
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.usecases import decide
from services.membership.usecases.keep_records import record_members
from tests.support.builders import a_member, unique
from tests.support.emptying import EMPTY
from tests.support.in_memory import POLICY
from tests.support.merging import Database, a_database, envelope, handled, member, merged, separated
from tests.support.sections import newest_stated

KEY = "traboule.membership.contact-described"


@pytest.fixture(scope="module")
def membership(nodes: Nodes) -> Iterator[Database]:
    with a_database(nodes, "membership") as database:
        yield database


@pytest.fixture(scope="module")
def communications(nodes: Nodes) -> Iterator[Database]:
    with a_database(nodes, "communications") as database:
        yield database


@pytest.fixture
async def source(membership: Database) -> AsyncIterator[AsyncEngine]:
    async with membership.engine() as engine:
        yield engine


@pytest.fixture
async def engine(communications: Database) -> AsyncIterator[AsyncEngine]:
    async with communications.engine() as engine:
        async with engine.begin() as connection:
            await connection.exec_driver_sql(EMPTY)
        yield engine


def begin(connection: AsyncConnection) -> MembershipUnitOfWork:
    return MembershipUnitOfWork(connection, POLICY)


async def record(engine: AsyncEngine, *facts: Fact) -> None:
    await handled(engine, begin, record_members, [envelope(fact, "/numelink/membership") for fact in facts])


async def described(engine: AsyncEngine) -> dict[str, dict[str, Any]]:
    """The newest contact of each record that membership announced, by its id."""
    await state_the_rest(CONTACTS, begin, engine)
    async with engine.begin() as connection:
        return {item["record_id"]: item for item in await newest_stated(connection, KEY)}


async def keep(engine: AsyncEngine, *facts: ContactDescribed) -> None:
    await handled(engine, CommunicationsUnitOfWork, keep_contacts, [envelope(fact) for fact in facts])


async def contact(engine: AsyncEngine, record_id: str) -> Contact:
    key = Record("numelink", record_id)
    async with engine.begin() as connection:
        return (await contacts_of_records(connection, [key]))[key]


def a_contact(record_id: str, version: int = 1, **fields: Any) -> ContactDescribed:
    return ContactDescribed(version=version, cluster="numelink", record_id=record_id, name="Ateliers", **fields)


async def test_a_recorded_member_can_be_written_to(source: AsyncEngine, engine: AsyncEngine) -> None:
    fact = a_member(email=" Zoé@GIER.example ", contact_first_name="Zoé", extra={"Civilité": "Madame"})
    await record(source, fact)
    announced = (await described(source))[fact.record_id]
    await keep(engine, ContactDescribed(**announced))
    kept = await contact(engine, fact.record_id)
    assert (kept.write_to, kept.first_name, kept.salutation) == ("zoé@gier.example", "Zoé", "Madame")
    assert (kept.name, kept.language) == (fact.name, "fr")
    assert kept.member == RecordKey("numelink", fact.record_id).own_id


async def test_a_removed_record_is_kept_and_not_written_to(source: AsyncEngine, engine: AsyncEngine) -> None:
    fact = a_member(email="a@gier.example")
    await record(source, fact)
    await record(source, MemberRemoved(version=2, record_id=fact.record_id))
    await keep(engine, ContactDescribed(**(await described(source))[fact.record_id]))
    kept = await contact(engine, fact.record_id)
    assert (kept.removed, kept.write_to, kept.address) == (True, None, "a@gier.example")


async def test_a_merge_describes_both_records_with_the_address_shown(source: AsyncEngine) -> None:
    first, second = a_member(name=unique("Forges")), a_member(name=unique("Zug"), email=None)
    await record(source, first, second)
    assert "shown_email" not in (await described(source))[second.record_id]
    keys = RecordKey("numelink", first.record_id), RecordKey("numelink", second.record_id)
    async with source.begin() as connection:
        uow = begin(connection)
        await decide.decide(uow, confirm(keys), Signature("a test", "the same office"))
        await uow.outbox.flush(connection)
    after = await described(source)
    assert after[second.record_id]["shown_email"] == after[first.record_id]["email"]
    assert "email" not in after[second.record_id], "its own address is not the other's"


async def test_contacts_are_announced_again_under_their_versions(source: AsyncEngine) -> None:
    await record(source, a_member())
    before = await described(source)
    async with source.begin() as connection:
        await connection.exec_driver_sql("truncate outbox")
        uow = begin(connection)
        page = await statements(CONTACTS).page(uow, None)
        await uow.outbox.flush(connection)
    assert page.published == len(before)
    assert await described(source) == before


@pytest.mark.parametrize("order", [(1, 2), (2, 1), (2, 1, 2)])
async def test_the_newest_contact_stays_in_any_order(engine: AsyncEngine, order: tuple[int, ...]) -> None:
    for version in order:
        await keep(engine, a_contact("A", version, email=f"v{version}@gier.example"))
    assert (await contact(engine, "A")).address == "v2@gier.example"


async def test_members_are_read_by_what_merges_said_last(engine: AsyncEngine) -> None:
    ours, theirs = (RecordRef(cluster="numelink", record_id=name) for name in "AB")
    await keep(engine, a_contact("A", member_id=member("A")), a_contact("B", member_id=member("B")))

    async def records(*names: str) -> dict[str, list[str]]:
        async with engine.begin() as connection:
            members = await contacts_of_members(connection, [member(name) for name in names])
        return {member_id: [each.record_id for each in contacts] for member_id, contacts in members.items()}

    assert await records("A", "B") == {member("A"): ["A"], member("B"): ["B"]}
    await handled(engine, CommunicationsUnitOfWork, apply_merges, [envelope(merged(1, "A", ours, theirs))])
    assert await records("A", "B") == {member("A"): ["A", "B"]}
    parted = separated(2, "A", ("A", [ours]), ("B", [theirs]))
    await handled(engine, CommunicationsUnitOfWork, apply_separations, [envelope(parted)])
    assert await records("B") == {member("B"): ["B"]}


async def test_addresses_are_met_in_any_writing_their_own_and_as_shown(engine: AsyncEngine) -> None:
    await keep(
        engine,
        a_contact("A", email_written="\u00a0INFO@Gier.EXAMPLE\ufeff"),
        a_contact("B", shown_email="info@gier.example"),
        a_contact("C", email_written="n/c"),
    )
    async with engine.begin() as connection:
        groups = await contacts_of_addresses(connection, ["info@gier.example", "x@y.example"])
    assert {address: [each.record_id for each in group] for address, group in groups.items()} == {
        "info@gier.example": ["A", "B"]
    }
