"""Switching a cluster's communications asks for everybody's objections; going back asks whether the list knows them."""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import dns.asyncresolver
import dns.resolver
import orjson
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from deploy.local.nodes import Nodes
from schemas.communications import ConsentRecorded
from schemas.membership_contacts import ContactDescribed
from services.common.sections import Record
from services.communications.brands.brand import MailSettings
from services.communications.consumers import SUBSCRIPTIONS
from services.communications.contacts.repository import keep_contacts
from services.communications.cutover import gate, write_back
from services.communications.definition import DEFINITION
from services.communications.mirror.handlers import record_consents
from services.communications.mirror.repository import CommunicationsUnitOfWork
from services.communications.suppressions.address import Keyring
from services.communications.suppressions.repository import suppress
from services.communications.suppressions.suppression import Suppression
from services.cutover import operations, stages
from services.cutover.preconditions import NEVER_OVERRULED, Condition
from tests.support.dns_server import resolver_of
from tests.support.emptying import EMPTY
from tests.support.mailing import BRAND, mail_settings
from tests.support.merging import Database, a_database, envelope, handled

KEYS = Keyring.read("2027:" + "5a" * 32)
NINE = datetime(2026, 11, 5, 9, 0, tzinfo=UTC)
KEY = "traboule.communications.objection-written.numelink"


@pytest.fixture(scope="module")
def database(nodes: Nodes) -> Iterator[Database]:
    with a_database(nodes, "communications") as database:
        yield database


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    async with database.engine() as engine:
        async with engine.begin() as connection:
            await connection.exec_driver_sql(EMPTY)
        yield engine


def begin(connection: AsyncConnection) -> CommunicationsUnitOfWork:
    return CommunicationsUnitOfWork(connection, KEYS, {"numelink": "brevo"})


async def execute(engine: AsyncEngine, *statements: str) -> None:
    async with engine.begin() as connection:
        for statement in statements:
            await connection.exec_driver_sql(statement)


async def describe(engine: AsyncEngine, record_id: str, email: str, cluster: str = "numelink", **more: Any) -> None:
    fact = ContactDescribed(version=1, cluster=cluster, record_id=record_id, email=email, **more)
    await handled(engine, begin, keep_contacts, [envelope(fact)])


async def take(engine: AsyncEngine, cause: str, record_id: str | None = "R", address: str | None = None) -> None:
    """An objection that somebody made here, by one-click."""
    records = () if record_id is None else (Record("numelink", record_id),)
    suppression = Suppression(cause=cause, address=address, records=records, source="one-click", at=NINE)
    async with engine.begin() as connection:
        await suppress(connection, KEYS, [suppression])


def a_consent(**fields: Any) -> ConsentRecorded:
    usual = {"version": 1, "consent_id": "C1", "channel": "bulk-email", "purpose": "*", "status": "refused"}
    return ConsentRecorded.model_validate(usual | {"decided_at": NINE} | fields)


async def record(engine: AsyncEngine, *facts: ConsentRecorded) -> None:
    await handled(engine, begin, record_consents, [envelope(fact, "/numelink/communications") for fact in facts])


async def conditions(
    engine: AsyncEngine, of: Any, keyring: Keyring | None = KEYS, mail: MailSettings | None = None
) -> dict[str, Condition]:
    async with engine.begin() as connection:
        uow = CommunicationsUnitOfWork(connection, keyring, mail=mail)
        return {condition.name: condition for condition in await of(uow, "numelink")}


async def unconfirmed(engine: AsyncEngine) -> Sequence[write_back.UnconfirmedObjection]:
    async with engine.begin() as connection:
        uow = begin(connection)
        items = list(await write_back.digests(uow, "numelink"))
        return [each async for each in write_back.unconfirmed(uow, "numelink", items)]


async def written(engine: AsyncEngine) -> list[dict[str, Any]]:
    async with engine.begin() as connection:
        sql = "select body from outbox where routing_key = $1 order by id"
        trees = [orjson.loads(body) for body in (await connection.exec_driver_sql(sql, (KEY,))).scalars()]
    return [event["data"] for tree in trees for event in (tree if isinstance(tree, list) else [tree])]


# --- the gate -------------------------------------------------------------------------------------------------------


async def test_a_switch_asks_for_fresh_objections_of_every_cluster_that_is_written_to(engine: AsyncEngine) -> None:
    await describe(engine, "R", "a@x.example")
    await describe(engine, "S", "s@x.example", "clustr-numerique")
    run = "insert into parity_runs (cluster, by, source, counts, sums, open, accepted, subject, at) values "
    empty = "'x', '{}', '{}', '{}', 0, 0, 'mirror', now()"
    lacking = (await conditions(engine, gate.for_switch))["consents"]
    assert (lacking.holds, "clustr-numerique" in lacking.detail, "numelink: " in lacking.detail) == (False, True, True)
    await execute(engine, f"{run} ('numelink', {empty})")
    await execute(engine, f"{run} ('clustr-numerique', {empty} - interval '25 h')")
    stale = (await conditions(engine, gate.for_switch))["consents"]
    assert (stale.holds, "numelink:" in stale.detail, "longer ago than a day" in stale.detail) == (False, False, True)
    await execute(engine, "insert into stages values ('clustr-numerique', 'live', 1, now(), 'x')")
    assert (await conditions(engine, gate.for_switch))["consents"].holds, "its objections are taken here"


async def test_a_switch_asks_for_contacts_and_for_the_secret_of_addresses(engine: AsyncEngine) -> None:
    await record(engine, a_consent(record_id="R"))
    lacking = await conditions(engine, gate.for_switch, None)
    assert (lacking["contacts"].holds, lacking["address-keys"].holds) == (False, False)
    await describe(engine, "R", "a@x.example")
    held = await conditions(engine, gate.for_switch)
    assert (held["contacts"].holds, held["address-keys"].holds) == (True, True)


async def test_a_switch_asks_what_dns_says_of_the_brand_that_writes_to_the_cluster(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not (await conditions(engine, gate.looked_up))["dns"].holds, "without a mail file no mail goes out"
    zone = {
        ("bounce.numelink.example", "TXT"): '"v=spf1 a:relay.example -all"',
        ("bounce.numelink.example", "MX"): "10 mx.numelink.example.",
    }
    records = zone | {("_dmarc.numelink.example", "TXT"): '"v=DMARC1; p=none"'}
    for known, expected in ((zone, "DMARC is missing"), (records, "DMARC are right")):
        async with resolver_of(known) as resolver:
            monkeypatch.setattr(dns.asyncresolver, "get_default_resolver", lambda resolver=resolver: resolver)
            condition = (await conditions(engine, gate.looked_up, mail=mail_settings(25)))["dns"]
        assert (condition.holds, expected in condition.detail) == (known is records, True), condition.detail
    two = mail_settings(25, brands={"loire": BRAND | {"clusters": ["clustr"]}, "x": BRAND | {"code": "x"}})
    lacking = await conditions(engine, gate.looked_up, mail=two)
    assert "no brand of the mail file writes to numelink" in lacking["dns"].detail


async def test_names_are_looked_up_while_no_write_waits_for_the_switch(
    engine: AsyncEngine, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrote: list[str] = []

    async def write(*_: Any) -> list[Any]:
        async with database.engine() as own, own.begin() as other:
            await other.exec_driver_sql("set local lock_timeout = '1 s'")
            wrote.extend(await stages.lock_stages(other, ["numelink"]))
        return []

    async def count_waiting(*_: Any) -> dict[str, int]:
        return {}

    monkeypatch.setattr(gate, "check_brand", write)
    async with engine.begin() as connection:
        uow = CommunicationsUnitOfWork(connection, KEYS, mail=mail_settings(25))
        uow.count_waiting = count_waiting
        with pytest.raises(operations.NotMetError) as refused:
            await operations.move(uow, DEFINITION, "numelink", "switch", by="Léa", reason="essai")
    assert (wrote, "dns" in {item.name for item in refused.value.unmet}) == (["numelink"], False)


async def test_a_switch_asks_whether_a_person_saw_a_test_mail_of_late(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_resolver() -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.asyncresolver, "get_default_resolver", no_resolver)
    seen = "insert into seen_test_mails (delivery_id, brand, seen_by, seen_at) values (gen_random_uuid(), "
    for brand, since, holds in (("x", "1 day", False), ("loire", "8 days", False), ("loire", "6 days", True)):
        await execute(engine, f"{seen} '{brand}', 'Léa', now() - interval '{since}')")
        condition = (await conditions(engine, gate.for_switch, mail=mail_settings(25)))["test-mail"]
        assert condition.holds == holds, condition.detail
    assert condition.detail.startswith("Léa saw a test mail of loire at ")
    assert not (await conditions(engine, gate.looked_up, mail=mail_settings(25)))["dns"].holds


async def test_a_rollback_waits_until_the_former_list_says_each_objection_taken_here(engine: AsyncEngine) -> None:
    await describe(engine, "R", "a@x.example")
    assert (await conditions(engine, gate.for_rollback))["objections"].holds
    await take(engine, "click 1", "R", "a@x.example")
    await take(engine, "click 2", "S")
    refused = (await conditions(engine, gate.for_rollback))["objections"]
    assert (refused.holds, refused.detail[:12]) == (False, "2 objections")
    await record(engine, a_consent(address="A@x.example"), a_consent(consent_id="C2", record_id="S", status="granted"))
    assert (await conditions(engine, gate.for_rollback))["objections"].detail[:12] == "1 objections"
    await record(engine, a_consent(consent_id="C2", record_id="S", version=2))
    assert (await conditions(engine, gate.for_rollback))["objections"].holds
    assert "objections" in NEVER_OVERRULED


@pytest.mark.parametrize("address", ["a@x.example", "shown@x.example"])
async def test_a_rollback_waits_for_what_staff_noted_of_an_address_that_was_never_written_to(
    engine: AsyncEngine, address: str
) -> None:
    await describe(engine, "R", "a@x.example", shown_email="shown@x.example")
    await take(engine, "staff/1/", None, address)
    assert not (await conditions(engine, gate.for_rollback))["objections"].holds
    [change] = await unconfirmed(engine)
    assert (change.objection.record_id, change.objection.address) == ("R", address)
    await record(engine, a_consent(record_id="R"))
    assert (await conditions(engine, gate.for_rollback))["objections"].holds


async def test_an_opt_out_of_the_card_confirms_as_well(engine: AsyncEngine) -> None:
    await take(engine, "click 1", "R")
    await describe(engine, "R", "a@x.example", opt_outs=("bulk-email",))
    assert (await conditions(engine, gate.for_rollback))["objections"].holds


async def test_what_the_former_system_said_itself_or_what_was_lifted_need_not_be_told(engine: AsyncEngine) -> None:
    await record(engine, a_consent(record_id="R"), a_consent(record_id="R", status="granted", version=2))
    await take(engine, "click 1", "S")
    await execute(engine, "update suppressions set lifted_at = now(), lifted_by = 'herself' where cause = 'click 1'")
    assert await unconfirmed(engine) == []


# --- the way back ---------------------------------------------------------------------------------------------------


async def test_an_objection_is_told_once_to_a_live_system_in_its_own_columns(engine: AsyncEngine) -> None:
    await describe(engine, "R", "a@x.example")
    await take(engine, "click 1", "R", "a@x.example")
    await write_back.write_untold(begin, engine)
    assert await written(engine) == [], "its former system is the authority"
    await execute(engine, "insert into stages values ('numelink', 'live', 1, now(), 'x')")
    for _ in range(2):
        await write_back.write_untold(begin, engine)
    (fact,) = await written(engine)
    assert (fact["record_id"], fact["address"], fact["channel"]) == ("R", "a@x.example", "bulk-email")
    assert (fact["file"], fact["columns"], fact["rows"]) == ("Brevo blocklist", ["EMAIL"], [["a@x.example"]])


async def test_an_address_that_no_record_has_is_told_to_the_list_that_knows_it(engine: AsyncEngine) -> None:
    address = KEYS.current("a@x.example")
    await record(engine, a_consent(address="a@x.example", status="granted"))
    await take(engine, "click 1", None, "a@x.example")
    assert await unconfirmed(engine) == [], "whom the hash stands for is known by a mail alone"
    async with engine.begin() as connection:
        await connection.exec_driver_sql("insert into contents (content_id, document) values ('\\x00', '{}')")
        await connection.exec_driver_sql(
            "insert into deliveries (delivery_id, cause, kind, mode, purpose, brand, person_key, address, domain, "
            "key_id, address_key, token_hash, return_hash, content_id) values (gen_random_uuid(), 'c', 'k', 'bulk', "
            "'news', 'b', 'p', 'a@x.example', 'x.example', $1, $2, '\\x01', '\\x02', '\\x00')",
            (address.key_id, address.value),
        )
    (change,) = await unconfirmed(engine)
    assert (change.objection.record_id, change.objection.address, change.left_out) == (None, "a@x.example", ())
    assert "a@x.example" not in change.record_id


async def test_a_file_for_a_person_can_be_imported_as_what_the_former_system_says(engine: AsyncEngine) -> None:
    await describe(engine, "R", "a@x.example")
    await take(engine, "click 1", "R")
    (change,) = await unconfirmed(engine)
    plain = write_back.UnconfirmedObjection(change.objection, "sympa")
    header, row = write_back.files([plain])["objections"].decode("utf-8-sig").splitlines()
    cells = dict(zip(header.replace('"', "").split(";"), row.replace('"', "").split(";"), strict=True))
    await record(engine, ConsentRecorded.model_validate({"version": 1, **cells}))
    assert await unconfirmed(engine) == []


async def test_a_late_objection_is_obeyed_and_a_late_consent_waits(engine: AsyncEngine) -> None:
    await execute(engine, "insert into stages values ('numelink', 'live', 1, now(), 'x')")
    (handler,) = (each.handler for each in SUBSCRIPTIONS if each.fact is ConsentRecorded)
    facts = a_consent(record_id="R"), a_consent(consent_id="C2", record_id="S", status="granted")
    await handled(engine, begin, handler, [envelope(fact, "/numelink/communications") for fact in facts])
    async with engine.begin() as connection:
        kept = (await connection.exec_driver_sql("select record_id from consents")).scalars().all()
        records = (await connection.exec_driver_sql("select record_id from suppression_records")).scalars().all()
        late = (await connection.exec_driver_sql("select count(*) from quarantine")).scalar_one()
    assert (kept, records, late) == (["R"], ["R"], 1)
    assert DEFINITION.write_back is write_back


async def test_a_late_message_is_answered_with_the_objection_that_is_held(engine: AsyncEngine) -> None:
    await describe(engine, "R", "a@x.example")
    await take(engine, "click 1", "R")
    async with engine.begin() as connection:
        uow = begin(connection)
        await write_back.publish_current(uow, "numelink", {"record_id": "R"}, "m1")
        await write_back.publish_current(uow, "numelink", {"address": "other@x.example"}, "m2")
        await uow.outbox.flush(connection)
    assert [fact["record_id"] for fact in await written(engine)] == ["R"]
