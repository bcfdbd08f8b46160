"""What comes back by LMTP does to addresses what it means, once, and to nobody else."""

import asyncio
import smtplib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from deploy.local.runs import free_ports
from services.common.sections import Record
from services.communications.bounces.intake import serve
from services.communications.bounces.returned import Returned
from services.communications.deliveries.tokens import token_of
from services.communications.usecases.bounces import take_in
from tests.support.mail_server import mail_server
from tests.support.mailing import Mailing, a_mail
from tests.support.returned_mail import SAMPLES

ADDRESS = "lea.martin@ateliers.example"
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


async def sent(mailing: Mailing, cause: str = "c1", **different: object) -> str:
    """Send a mail; the token of its return path."""
    async with mail_server() as server:
        [delivery_id] = await mailing.queue(a_mail(ADDRESS, cause=cause, **different))
        await mailing.send(server.port)
    return token_of(mailing.keyring.keys[0][1], delivery_id, "return")


async def back(mailing: Mailing, token: str | None, name: str, at: datetime = NOW) -> dict[str, int]:
    item = Returned(token, "b", SAMPLES[name].raw.encode("utf-8", "surrogateescape") + str(at).encode(), at)
    async with mailing.engine.begin() as connection:
        return dict(await take_in(connection, mailing.keyring, [item]))


async def suppressed(mailing: Mailing) -> list[tuple[str, str]]:
    rows = await mailing.rows("select reason, covers from suppressions order by suppression_id")
    return [tuple(row) for row in rows]


@pytest.mark.parametrize(
    ("name", "expected", "state"),
    [
        ("postfix, unknown", [("unknown-user", "everything")], "refused"),
        ("box full", [], "refused"),
        ("spam", [], "refused"),
        ("delayed", [], "accepted"),
        ("absent", [], "accepted"),
        ("a person", [], "accepted"),
        ("complaint", [("complaint", "bulk")], "accepted"),
    ],
)
async def test_only_an_unknown_user_and_a_complaint_suppress(
    mailing: Mailing, name: str, expected: list[tuple[str, str]], state: str
) -> None:
    token = await sent(mailing)
    await back(mailing, token, name)
    assert await back(mailing, token, name) == {}
    assert await suppressed(mailing) == expected
    assert await mailing.states() == {state: 1}


async def test_a_report_without_a_token_of_ours_is_kept_and_does_nothing(mailing: Mailing) -> None:
    await sent(mailing)
    assert await back(mailing, "z" * 26, "postfix, unknown") == {"of nobody": 1}
    assert await back(mailing, None, "complaint") == {"of nobody": 1}
    assert await suppressed(mailing) == []
    assert await mailing.states() == {"accepted": 1}


async def test_a_refusal_of_us_pauses_the_domain(mailing: Mailing) -> None:
    await back(mailing, await sent(mailing), "spam")
    [(domain,)] = await mailing.rows("select domain from paces where paused_at is not null")
    assert domain == "ateliers.example"


@pytest.mark.parametrize(("days", "expected"), [((0, 1, 2), [("unreachable", "bulk")]), ((0, 0, 1), []), ((0, 1), [])])
async def test_a_box_that_is_full_on_three_days_is_left_alone(
    mailing: Mailing, days: tuple[int, ...], expected: list[tuple[str, str]]
) -> None:
    today = datetime.now(UTC)
    for number, day in enumerate(days):
        at = today - timedelta(days=day, minutes=number)
        await back(mailing, await sent(mailing, f"c{number}"), "box full", at)
    assert await suppressed(mailing) == expected


async def test_it_counts_for_the_address_to_which_the_mail_went(mailing: Mailing) -> None:
    token = await sent(mailing, records=(Record("numelink", "1"),))
    await back(mailing, token, "postfix, unknown")
    async with mail_server() as server:
        await mailing.queue(a_mail("nouvelle@ateliers.example", cause="c2", records=(Record("numelink", "1"),)))
        await mailing.send(server.port)
    assert [mail.recipient for mail in server.taken] == ["nouvelle@ateliers.example"]


@asynccontextmanager
async def lmtp(mailing: Mailing) -> AsyncIterator[int]:
    async def keep(item: Returned) -> None:
        async with mailing.engine.begin() as connection:
            await take_in(connection, mailing.keyring, [item])

    (port,) = free_ports(1)
    serving = asyncio.create_task(serve("127.0.0.1", port, keep))
    await asyncio.sleep(0.1)
    try:
        yield port
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


def deliver(port: int, recipients: list[str], raw: str) -> dict[str, tuple[int, bytes]]:
    with smtplib.LMTP("127.0.0.1", port) as client:
        return client.sendmail("", recipients, raw)


async def test_mail_comes_in_by_lmtp_and_is_answered_after_the_commit(mailing: Mailing) -> None:
    token = await sent(mailing)
    async with lmtp(mailing) as port:
        raw = SAMPLES["postfix, unknown"].raw
        await asyncio.to_thread(deliver, port, [f"b+{token}@bounce.numelink.example"], raw)
        assert await suppressed(mailing) == [("unknown-user", "everything")]
        with pytest.raises(smtplib.SMTPRecipientsRefused, match=r"5\.1\.1"):
            await asyncio.to_thread(deliver, port, ["lettre@numelink.example"], raw)


async def test_a_mail_to_the_address_of_objections_is_one_whoever_writes_it(mailing: Mailing) -> None:
    async with mail_server() as server:
        [delivery_id] = await mailing.queue(a_mail(ADDRESS))
        await mailing.send(server.port)
    token = token_of(mailing.keyring.keys[0][1], delivery_id, "links")
    async with lmtp(mailing) as port:
        raw = "From: une.collegue@ateliers.example\nSubject: stop\n\nMerci\n"
        await asyncio.to_thread(deliver, port, [f"u+{token}@bounce.numelink.example"], raw)
    assert await suppressed(mailing) == [("objection", "bulk")]


async def test_what_cannot_be_kept_now_is_sent_again_by_the_relay(
    mailing: Mailing, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise OSError("the database is away")

    (port,) = free_ports(1)
    serving = asyncio.create_task(serve("127.0.0.1", port, broken))
    await asyncio.sleep(0.1)
    with pytest.raises(smtplib.SMTPDataError, match="cannot be kept now"):
        await asyncio.to_thread(partial(deliver, port, [f"b+{'a' * 26}@bounce.numelink.example"], "Subject: x\n\nx"))
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
