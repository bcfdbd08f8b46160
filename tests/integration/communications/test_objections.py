"""What people tell by the links of their mails, in any order, kept through merges and years."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from schemas.envelope import Envelope
from schemas.objections import ObjectionReceived
from services.common.sections import Record
from services.communications.deliveries.objections import match_objections
from services.communications.deliveries.tokens import digest_of, token_of
from services.communications.mirror.repository import CommunicationsUnitOfWork
from services.communications.suppressions.address import Keyring
from services.communications.usecases.objections import receive
from tests.support.mail_server import mail_server
from tests.support.mailing import KEYRING, Mailing, a_mail
from tests.support.merging import envelope

ADDRESS = "lea.martin@ateliers.example"
AT = datetime(2026, 11, 3, 9, tzinfo=UTC)


def said(token: str, minutes: int = 0, **different: Any) -> Envelope[ObjectionReceived]:
    at = AT + timedelta(minutes=minutes)
    usual: dict[str, Any] = {"version": int(at.timestamp() * 1e6), "act": "object", "way": "one-click"}
    digest = digest_of(token).hex()
    return envelope(ObjectionReceived(link_digest=digest, received_at=at, **usual | different), "/traboule/membership")


async def told(mailing: Mailing, messages: Sequence[Envelope[ObjectionReceived]]) -> None:
    async with mailing.engine.begin() as connection:
        await receive(CommunicationsUnitOfWork(connection, mailing.keyring), messages)


async def linked(mailing: Mailing, **different: Any) -> str:
    """Send a mail; the token of its link."""
    async with mail_server() as server:
        [delivery_id] = await mailing.queue(a_mail(ADDRESS, **different))
        await mailing.send(server.port)
    return token_of(mailing.keyring.keys[0][1], delivery_id, "links")


async def may_write(mailing: Mailing, cause: str, purpose: str = "news", **different: Any) -> bool:
    async with mail_server() as server:
        await mailing.queue(a_mail(cause=cause, purpose=purpose, **{"address": ADDRESS} | different))
        await mailing.send(server.port)
    return bool(server.taken)


async def test_one_click_stops_its_purpose_and_everything_stops_all(mailing: Mailing) -> None:
    token = await linked(mailing)
    await told(mailing, [said(token.upper())])
    assert not await may_write(mailing, "c2")
    assert await may_write(mailing, "c3", "partners")
    await told(mailing, [said(token, 1, scope="everything", way="page")])
    assert not await may_write(mailing, "c4", "partners")


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_the_last_act_counts_in_whatever_order_it_is_heard(mailing: Mailing, order: Sequence[int]) -> None:
    token = await linked(mailing)
    acts = [said(token, 0), said(token, 5, act="undo", way="page"), said(token, 9)]
    for number in order:
        await told(mailing, [acts[number]])
        await told(mailing, [acts[number]])
    assert not await may_write(mailing, "c2")


@pytest.mark.parametrize("together", [True, False])
async def test_who_takes_it_back_is_written_to_again(mailing: Mailing, together: bool) -> None:
    token = await linked(mailing)
    acts = [said(token, 5, act="undo", way="page"), said(token, 0)]
    for batch in [acts] if together else [[act] for act in acts]:
        await told(mailing, batch)
    assert await may_write(mailing, "c2")


async def test_it_holds_for_each_part_of_a_member_that_separates(mailing: Mailing) -> None:
    member = "0b0b0b0b-0b0b-5b0b-8b0b-0b0b0b0b0b0b"
    records = Record("numelink", "1"), Record("clustr-numerique", "9")
    for cluster, record_id in records:
        sql = "insert into member_records (cluster, record_id, member_id, version) values ($1, $2, $3, 1)"
        await mailing.rows(sql, (cluster, record_id, member), fetch=False)
    token = await linked(mailing, records=records[:1])
    await told(mailing, [said(token)])
    await mailing.rows("delete from member_records", fetch=False)
    for number, record in enumerate(records):
        assert not await may_write(mailing, f"c{number}", address=f"p{number}@exemple.fr", records=(record,))


async def test_a_link_works_years_later_for_an_address_that_is_known_no_more(mailing: Mailing) -> None:
    token = await linked(mailing)
    await mailing.rows("update deliveries set address = null, name = null, created_at = now() - interval '2 years'",
                       fetch=False)  # fmt: skip
    # The key was turned meanwhile: the former one reads what it wrote.
    mailing.keyring = Keyring((("2029", b"9" * 32), *KEYRING.keys))
    await told(mailing, [said(token)])
    assert not await may_write(mailing, "c2")


async def test_a_link_of_a_mail_that_a_restored_database_lacks_is_kept(mailing: Mailing) -> None:
    await told(mailing, [said("a" * 26), said("a" * 26)])
    [(act, way)] = await mailing.rows("select act, way from unmatched_objections")
    assert (act, way) == ("object", "one-click")


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(("undone", "sent"), [(False, 0), (True, 1)])
async def test_it_is_obeyed_once_the_same_mail_is_queued_again(
    mailing: Mailing, undone: bool, sent: int, turned: bool
) -> None:
    token = await linked(mailing, records=(Record("numelink", "1"),))
    for table in ("delivery_attempts", "delivery_records", "deliveries"):
        await mailing.rows(f"delete from {table}", fetch=False)  # what a backup from before it went out holds
    acts = [said(token, 5, act="undo", way="page"), said(token)] if undone else [said(token)]
    for act in acts:
        await told(mailing, [act])
    if turned:
        mailing.keyring = Keyring((("2029", b"9" * 32), *KEYRING.keys))
    async with mail_server() as server:
        await mailing.queue(a_mail(ADDRESS, records=(Record("numelink", "1"),)))
        await mailing.send(server.port)
    assert len(server.taken) == sent
    assert await may_write(mailing, "c2") == undone
    assert await mailing.rows("select 1 from unmatched_objections") == []


async def test_it_is_obeyed_if_it_came_in_the_moment_when_the_mail_was_queued(mailing: Mailing) -> None:
    token = await linked(mailing)
    sql = "insert into unmatched_objections values ($1, 'object', 'purpose', 'one-click', now())"
    await mailing.rows(sql, (digest_of(token),), fetch=False)
    await match_objections(mailing.keyring, mailing.engine)
    assert not await may_write(mailing, "c2")
