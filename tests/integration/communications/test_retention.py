"""Who got a mail is forgotten after a year, what it said after ninety days; what keeps somebody from mail never is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from schemas.communications import ConsentRecorded
from schemas.membership_contacts import ContactDescribed
from schemas.objections import ObjectionReceived
from services.common.sections import Record
from services.communications.bounces.returned import Returned
from services.communications.contacts.repository import keep_contacts
from services.communications.deliveries.objections import keep
from services.communications.deliveries.retention import Retention
from services.communications.deliveries.tokens import digest_of, token_of
from services.communications.mirror.handlers import record_consents
from services.communications.mirror.repository import CommunicationsUnitOfWork
from services.communications.suppressions.suppression import Suppression
from services.communications.usecases.bounces import take_in
from tests.support.mail_server import mail_server
from tests.support.mailing import LETTER, Mailing, a_mail
from tests.support.merging import envelope, handled
from tests.support.returned_mail import SAMPLES

ADDRESS = "lea.martin@ateliers.example"
RECORDS = (Record("numelink", "1"),)
RETENTION = Retention(log=timedelta(days=365), text=timedelta(days=90))


async def sent(mailing: Mailing, days_ago: int, **different: object) -> str:
    async with mail_server() as server:
        [delivery_id] = await mailing.queue(a_mail(ADDRESS, name="Léa Martin", records=RECORDS, **different))
        await mailing.send(server.port)
    await age(mailing, days_ago)
    return delivery_id


async def age(mailing: Mailing, days: int) -> None:
    """Let everything have happened so many days earlier."""
    for table, columns in (
        ("deliveries", ("created_at", "ended_at")),
        ("contents", ("created_at",)),
        ("bounces", ("received_at",)),
        ("unmatched_objections", ("received_at",)),
    ):
        shifted = ", ".join(f"{column} = {column} - make_interval(days => $1)" for column in columns)
        await mailing.rows(f"update {table} set {shifted}", (days,), fetch=False)


async def recipients(mailing: Mailing) -> list[str | None]:
    return [row[0] for row in await mailing.rows("select address from deliveries order by created_at")]


async def object_by_link(mailing: Mailing, delivery_id: str) -> None:
    token = token_of(mailing.keyring.keys[0][1], delivery_id, "links")
    at = datetime.now(UTC)
    fact = ObjectionReceived(version=1, link_digest=digest_of(token).hex(), act="object", way="one-click",
                             received_at=at)  # fmt: skip
    async with mailing.engine.begin() as connection:
        await keep(connection, mailing.keyring, [fact])


@pytest.mark.parametrize(("days", "kept"), [(364, True), (366, False)])
async def test_name_address_and_answers_of_a_mail_are_kept_for_a_year(mailing: Mailing, days: int, kept: bool) -> None:
    delivery_id = await sent(mailing, days)
    await RETENTION.forget(mailing.engine)
    [row] = await mailing.rows("select address, name, fields, answer, state, cause from deliveries")
    attempts = await mailing.rows("select answer from delivery_attempts")
    assert ((row.address, row.name) == (ADDRESS, "Léa Martin"), bool(attempts)) == (kept, kept)
    assert (row.state, row.cause) == ("accepted", "campaign-1")
    if not kept:
        assert (row.name, row.fields, row.answer) == (None, {}, None)
        assert "Léa" not in str(await mailing.rows("select * from deliveries"))
        assert [tuple(row) for row in await mailing.rows("select domain from deliveries")] == [("",)]
        await object_by_link(mailing, delivery_id)
        assert await mailing.queue(a_mail(ADDRESS)) == [], "it went out already"
        await mailing.queue(a_mail(ADDRESS, cause="c2"))
        async with mail_server() as server:
            await mailing.send(server.port)
        assert server.taken == [], "its link works"


async def test_what_waits_is_never_forgotten(mailing: Mailing) -> None:
    await mailing.queue(a_mail(ADDRESS))
    await age(mailing, 800)
    await RETENTION.forget(mailing.engine)
    assert await recipients(mailing) == [ADDRESS]
    assert await mailing.rows("select 1 from contents where document <> '{}'")


@pytest.mark.parametrize(("days", "states"), [(29, {"due": 1, "handing": 1}), (31, {"gave-up": 1, "uncertain": 1})])
async def test_what_cannot_go_out_for_a_month_is_given_up(mailing: Mailing, days: int, states: dict[str, int]) -> None:
    await mailing.queue(a_mail(ADDRESS), a_mail(ADDRESS, cause="c2"))
    sql = "update deliveries set scheduled_at = now() - make_interval(days => $1)"
    await mailing.rows(sql, (days,), fetch=False)
    await mailing.rows("update deliveries set state = 'handing' where cause = 'c2'", fetch=False)
    await RETENTION.forget(mailing.engine)
    assert await mailing.states() == states


async def test_a_mail_whose_text_was_forgotten_stops_no_other_and_ends(mailing: Mailing) -> None:
    await mailing.queue(a_mail(ADDRESS))
    await mailing.rows("update contents set document = '{}'", fetch=False)
    async with mail_server() as server:
        await mailing.queue(a_mail("b@exemple.fr", letter=replace(LETTER, subject="Autre")))
        await mailing.send(server.port)
    assert [mail.recipient for mail in server.taken] == ["b@exemple.fr"]
    await RETENTION.forget(mailing.engine)
    [(answer,)] = await mailing.rows("select answer from deliveries where state = 'gave-up'")
    assert answer == "what it says was forgotten"


async def test_what_comes_back_after_a_year_names_nobody_again(mailing: Mailing) -> None:
    token = token_of(mailing.keyring.keys[0][1], await sent(mailing, 400), "return")
    await RETENTION.forget(mailing.engine)
    for name in ("postfix, unknown", "spam"):
        raw = SAMPLES[name].raw.encode("utf-8", "surrogateescape")
        async with mailing.engine.begin() as connection:
            await take_in(connection, mailing.keyring, [Returned(token, "b", raw, datetime.now(UTC))])
    assert [tuple(row) for row in await mailing.rows("select state, answer from deliveries")] == [("refused", None)]
    assert await mailing.rows("select 1 from paces where paused_at is not null") == []


async def record_of_list(mailing: Mailing, cluster: str, status: str, version: int = 1) -> None:
    """What a former list that knows the address alone says of it."""
    consent = ConsentRecorded.model_validate({
        "version": version, "consent_id": "C", "address": ADDRESS, "channel": "bulk-email", "purpose": "*",
        "status": status, "decided_at": datetime(2026, 1, version, tzinfo=UTC),
    })  # fmt: skip
    await handled(
        mailing.engine, CommunicationsUnitOfWork, record_consents, [envelope(consent, f"/{cluster}/communications")]
    )


async def forgotten(mailing: Mailing) -> bool:
    await RETENTION.forget(mailing.engine)
    return await recipients(mailing) == [None]


async def test_an_address_that_a_former_list_is_to_be_told_of_stays_until_it_says_so(mailing: Mailing) -> None:
    await record_of_list(mailing, "numelink", "granted")
    await object_by_link(mailing, await sent(mailing, 400))
    assert not await forgotten(mailing)
    await record_of_list(mailing, "numelink", "refused", version=2)
    assert await forgotten(mailing)


async def test_each_list_that_knows_the_address_alone_is_waited_for(mailing: Mailing) -> None:
    fact = ContactDescribed(version=1, cluster="numelink", record_id="1", email=ADDRESS)
    begin = partial(CommunicationsUnitOfWork, keyring=mailing.keyring)
    await handled(mailing.engine, begin, keep_contacts, [envelope(fact)])
    await record_of_list(mailing, "numelink", "granted")
    await record_of_list(mailing, "clustr", "granted")
    await object_by_link(mailing, await sent(mailing, 400))
    assert not await forgotten(mailing), "a record of another cluster has it"
    await record_of_list(mailing, "clustr", "refused", version=2)
    assert await forgotten(mailing), "the list of numelink is told by its record"


async def test_texts_and_files_are_kept_for_ninety_days_after_the_last_mail_with_them(mailing: Mailing) -> None:
    await sent(mailing, 100, cause="first")
    await sent(mailing, 0, cause="second")
    await RETENTION.forget(mailing.engine)
    assert await mailing.rows("select 1 from contents where document <> '{}'"), "the second one has the same text"
    await age(mailing, 91)
    await RETENTION.forget(mailing.engine)
    assert await mailing.rows("select 1 from contents where document <> '{}'") == []
    async with mail_server() as server:
        await mailing.queue(a_mail(ADDRESS, cause="third"))
        await mailing.send(server.port)
    assert len(server.taken) == 1, "the same text is kept again"


async def test_an_uncertain_mail_is_not_sent_again_once_its_text_is_forgotten(mailing: Mailing) -> None:
    await sent(mailing, 100)
    await mailing.rows("update deliveries set state = 'uncertain'", fetch=False)
    await RETENTION.forget(mailing.engine)
    refused = await mailing.ask("decide-uncertain", cause="*", decision="send-again")
    assert (refused["kind"], "TEXT_DAYS" in refused["detail"]) == ("mail-forgotten", True)
    assert await mailing.ask("decide-uncertain", cause="*", decision="leave") == {"changed": 1}
    assert await mailing.ask("decide-uncertain", cause="*", decision="send-again") == {"changed": 0}


async def test_what_came_back_is_kept_for_ninety_days_and_what_it_meant_for_good(mailing: Mailing) -> None:
    token = token_of(mailing.keyring.keys[0][1], await sent(mailing, 0), "return")
    raw = SAMPLES["postfix, unknown"].raw.encode("utf-8", "surrogateescape")
    item = Returned(token, "b", raw, datetime.now(UTC))
    async with mailing.engine.begin() as connection:
        await take_in(connection, mailing.keyring, [item])
    await age(mailing, 91)
    await RETENTION.forget(mailing.engine)
    [row] = await mailing.rows("select raw, words from bounces")
    assert (row.raw, row.words != "") == (None, True)
    await age(mailing, 300)
    await RETENTION.forget(mailing.engine)
    assert [tuple(row) for row in await mailing.rows("select raw, words from bounces")] == [(None, "")]
    assert [row[0] for row in await mailing.rows("select reason from suppressions")] == ["unknown-user"]
    async with mailing.engine.begin() as connection:
        assert await take_in(connection, mailing.keyring, [item]) == {}, "the same mailbox may be read again"


async def test_objections_that_match_no_mail_are_kept_for_a_year(mailing: Mailing) -> None:
    sql = "insert into unmatched_objections values ($1, 'object', 'purpose', 'one-click', now())"
    await mailing.rows(sql, (b"old",), fetch=False)
    await age(mailing, 200)
    await mailing.rows(sql, (b"new",), fetch=False)
    await age(mailing, 200)
    await replace(RETENTION, log=timedelta(days=90)).forget(mailing.engine)
    assert [bytes(row[0]) for row in await mailing.rows("select token_hash from unmatched_objections")] == [b"new"]


async def test_suppressions_are_never_forgotten(mailing: Mailing) -> None:
    at = datetime(2016, 1, 1, tzinfo=UTC)
    await mailing.suppress(Suppression(cause="staff/1/", address=ADDRESS, source="staff", at=at))
    await RETENTION.forget(mailing.engine)
    assert len(await mailing.rows("select 1 from suppressions")) == 1
