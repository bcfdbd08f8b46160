"""A record's preferences name what keeps mail from it, whoever was heard of first: the record or the objection."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson
import pytest

from schemas.communications import ConsentRecorded
from schemas.membership_contacts import ContactDescribed
from services.common.sections import Record, state_the_rest
from services.communications.consents.queries import PREFERENCES
from services.communications.contacts.address_keys import PAGE, compare_address_keys, complete_address_keys
from services.communications.contacts.repository import keep_contacts
from services.communications.mirror.handlers import record_consents
from services.communications.mirror.repository import CommunicationsUnitOfWork
from services.communications.suppressions.address import Keyring
from services.communications.suppressions.queries import MOST
from services.communications.suppressions.repository import lift, writers_turn
from services.communications.suppressions.suppression import FROM_FORMER_SYSTEMS, UNDATED, Suppression
from tests.support.mailing import KEYRING, Mailing
from tests.support.merging import envelope, handled

RECORD = Record("numelink", "1042")
ADDRESS = "lea.martin@ateliers.example"
AT = datetime(2026, 11, 5, 9, tzinfo=UTC)
CLICK = Suppression(
    cause="link/1/news", address=None, records=(RECORD,), purpose="news", source="one-click", at=AT, spreads=True
)
BOUNCE = Suppression(
    cause="bounce/1", address=ADDRESS, covers="everything", reason="unknown-user", source="bounce", at=AT
)
STAFF = Suppression(cause="staff/now/", address=ADDRESS, source="staff, Léa: au téléphone", at=AT)


async def describe(mailing: Mailing, version: int = 1, email: str = ADDRESS, **more: Any) -> None:
    begin = partial(CommunicationsUnitOfWork, keyring=mailing.keyring)
    fact = ContactDescribed(version=version, cluster=RECORD.cluster, record_id=RECORD.record_id, email=email, **more)
    await handled(mailing.engine, begin, keep_contacts, [envelope(fact)])


async def stated(mailing: Mailing) -> list[dict[str, Any]]:
    """What was announced last of the record, once every mark was taken."""
    await state_the_rest(PREFERENCES, CommunicationsUnitOfWork, mailing.engine)
    bodies = await mailing.rows("select body from outbox where routing_key like '%preferences-changed%' order by id")
    trees = [orjson.loads(body) for (body,) in bodies]
    events = [event for tree in trees for event in (tree if isinstance(tree, list) else [tree])]
    of_record = [event["data"] for event in events if event["data"]["record_id"] == RECORD.record_id]
    return max(of_record, key=lambda data: data["version"]).get("suppressed", []) if of_record else []


@pytest.mark.parametrize("contact_first", [True, False])
@pytest.mark.parametrize(
    ("suppression", "expected"),
    [
        (CLICK, ("bulk", "news", "objection", "own-act", "record")),
        (BOUNCE, ("everything", "*", "unknown-user", "returned-mail", "address")),
        (STAFF, ("bulk", "*", "objection", "staff", "address")),
    ],
)
async def test_it_names_what_for_since_when_and_by_whose_word(
    mailing: Mailing, suppression: Suppression, expected: tuple[str, ...], contact_first: bool
) -> None:
    steps: list[Callable[[], Any]] = [lambda: describe(mailing), lambda: mailing.suppress(suppression)]
    for step in steps if contact_first else reversed(steps):
        await step()
        await stated(mailing)
    [item] = await stated(mailing)
    assert tuple(item[name] for name in ("covers", "purpose", "reason", "source", "concerns")) == expected
    assert datetime.fromisoformat(item["since"]) == AT
    assert "Léa" not in str(item), "what staff wrote may name somebody"


async def test_a_former_systems_opt_out_names_its_cluster_and_no_day_that_it_does_not_have(mailing: Mailing) -> None:
    consent = ConsentRecorded(
        version=1, consent_id="C", record_id=RECORD.record_id, address=ADDRESS, channel="bulk-email", purpose="*",
        status="refused", decided_at=datetime(2000, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    begin = partial(CommunicationsUnitOfWork, keyring=KEYRING)
    await describe(mailing)
    await handled(mailing.engine, begin, record_consents, [envelope(consent, "/numelink/communications")])
    [item] = await stated(mailing)
    assert (item["source"], item["known_in"], item["concerns"]) == ("former-system", "numelink", "record")
    assert "since" not in item


async def test_what_was_lifted_is_named_no_more_and_an_address_only_while_the_record_has_it(mailing: Mailing) -> None:
    await describe(mailing)
    await mailing.suppress(CLICK, BOUNCE)
    assert len(await stated(mailing)) == 2
    await describe(mailing, version=2, email="nouvelle@ateliers.example")
    assert [item["reason"] for item in await stated(mailing)] == ["objection"]
    ids = [row[0] for row in await mailing.rows("select suppression_id from suppressions where cause like 'link/%'")]
    async with mailing.engine.begin() as connection:
        await lift(connection, ids, "Léa", "dossier 12")
    assert await stated(mailing) == []


async def test_what_is_suppressed_under_a_later_key_is_traced_to_contacts_of_before(mailing: Mailing) -> None:
    await describe(mailing)
    later = Keyring.read("2028:" + "6b" * 32 + " 2026:" + "5a" * 32)
    turned = replace(mailing, keyring=later)
    await complete_address_keys(later, mailing.engine)
    await turned.suppress(BOUNCE)
    assert [item["reason"] for item in await stated(mailing)] == ["unknown-user"]


async def test_very_many_say_the_same_of_an_address_once(mailing: Mailing) -> None:
    await describe(mailing)
    await mailing.suppress(*(replace(STAFF, cause=f"staff/{n}/") for n in range(300)))
    [item] = await stated(mailing)
    assert item["source"] == "staff"


async def test_what_is_cut_are_former_systems_lines_and_no_objection_of_our_own(mailing: Mailing) -> None:
    await describe(mailing)
    lines = (
        replace(STAFF, cause=f"{FROM_FORMER_SYSTEMS}{n}", purpose=f"list-{n}", source="numelink: liste", at=UNDATED)
        for n in range(MOST + 20)
    )
    await mailing.suppress(*lines, STAFF, CLICK)
    items = await stated(mailing)
    assert (len(items), {item["source"] for item in items[:2]}) == (MOST, {"own-act", "staff"})


async def test_an_address_that_changes_while_hashes_are_completed_is_the_only_one_that_counts(
    mailing: Mailing,
) -> None:
    await describe(mailing)
    await mailing.rows("delete from contact_keys", fetch=False)
    async with mailing.engine.begin() as connection:
        await writers_turn(connection)
        completing = asyncio.create_task(complete_address_keys(KEYRING, mailing.engine))
        waits = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
        while (await connection.exec_driver_sql(waits)).scalar_one() == 0:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        await connection.exec_driver_sql("update contacts set address = 'nouvelle@ateliers.example'")
    await completing
    keys = {bytes(row[0]) for row in await mailing.rows("select address_key from contact_keys")}
    assert keys == {KEYRING.current("nouvelle@ateliers.example").value}


async def test_what_a_replica_of_before_described_gets_its_hashes_page_by_page(mailing: Mailing) -> None:
    await mailing.rows(
        "insert into contacts (cluster, record_id, version, address, document) "
        "select 'clustr', n::text, 1, n || '@before.example', '{}' from generate_series(1, $1::int) n",
        (2 * PAGE + 1,),
        fetch=False,
    )
    await complete_address_keys(KEYRING, mailing.engine)
    await mailing.rows("update contacts set address = record_id || '@after.example'", fetch=False)
    await compare_address_keys(KEYRING, mailing.engine)
    keys = {bytes(row[0]) for row in await mailing.rows("select address_key from contact_keys")}
    assert keys == {KEYRING.current(f"{n}@after.example").value for n in range(1, 2 * PAGE + 2)}
