"""Deliveries: once for each cause, written as intended, tried again, and given up; and what forbids one."""

import asyncio
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest

from services.common.sections import Record
from services.communications.deliveries import repository
from services.communications.deliveries.message import Attachment, Letter
from services.communications.suppressions.repository import lift, suppress
from services.communications.suppressions.suppression import Suppression
from tests.support.mail_server import Fault, mail_server
from tests.support.mailing import KEYRING, Mailing, a_mail

ADDRESS = "lea.martin@ateliers.example"

NOW = datetime(2026, 1, 15, 9, tzinfo=UTC)


def an_objection(**different: object) -> Suppression:
    return Suppression(**{"cause": "test-1", "address": ADDRESS, "source": "staff", "at": NOW} | different)  # pyright: ignore[reportArgumentType]


async def test_a_mail_goes_out_once_for_its_cause_kind_and_person(mailing: Mailing) -> None:
    async with mail_server() as server:
        assert len(await mailing.queue(a_mail(ADDRESS), a_mail(ADDRESS))) == 1
        assert await mailing.queue(a_mail(ADDRESS)) == []
        assert await mailing.send(server.port) == 1
        assert await mailing.send(server.port) == 0
        assert await mailing.queue(a_mail(ADDRESS, cause="campaign-2")) != []
        assert await mailing.send(server.port) == 1
    assert len(server.taken) == 2
    assert await mailing.states() == {"accepted": 2}


async def test_one_address_gets_a_bulk_mail_once_and_each_guest_a_ticket(mailing: Mailing) -> None:
    async with mail_server() as server:
        await mailing.queue(a_mail(ADDRESS, person_key="a"), a_mail(ADDRESS, person_key="b"))
        await mailing.queue(
            a_mail(ADDRESS, person_key="a", kind="ticket", mode="transactional"),
            a_mail(ADDRESS, person_key="b", kind="ticket", mode="transactional"),
        )
        await mailing.send(server.port)
    assert len(server.taken) == 3


async def test_what_is_read_back_is_what_was_written(mailing: Mailing) -> None:
    letter = Letter(
        "Facture", "Bonjour\n", "<p>Bonjour</p>", [Attachment("F-2027-1.pdf", "application/pdf", b"%PDF-1")]
    )
    async with mail_server() as server:
        await mailing.queue(
            a_mail(ADDRESS, name="Léa Martin"),
            a_mail(ADDRESS, kind="invoice", mode="transactional", letter=letter, person_key="x"),
        )
        await mailing.send(server.port)
    taken = {mail["Subject"]: mail for mail in (message_from_bytes(t.text, policy=default) for t in server.taken)}
    news, invoice = taken["Été 2027"], taken["Facture"]
    assert str(news["To"]) == "Léa Martin <lea.martin@ateliers.example>"
    assert str(news["From"]) == "Numelink à Saint-Étienne <lettre@numelink.example>"
    page, by_mail = (part.strip(" <>") for part in news["List-Unsubscribe"].split(","))
    assert page.startswith("https://adhesion.example/p/u/")
    assert by_mail.startswith("mailto:u+")
    assert news["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    text, html = (news.get_body([kind]) for kind in ("plain", "html"))
    assert text is not None
    assert text.get_content() == f"Bonjour,\r\n.\r\nPour ne plus rien recevoir : {page}\r\n"
    assert html is not None
    assert f'href="{page}"' in html.get_content()
    assert invoice["List-Unsubscribe"] is None
    assert invoice["Auto-Submitted"] == "auto-generated"
    [file] = invoice.iter_attachments()
    assert (file.get_filename(), file.get_content()) == ("F-2027-1.pdf", b"%PDF-1")
    senders = {mail.sender for mail in server.taken}
    assert len(senders) == 2
    assert all(s.startswith("b+") and s.endswith("@bounce.numelink.example") for s in senders)


@pytest.mark.parametrize(
    ("fault", "mode", "state", "copies"),
    [
        ("close-at-rcpt", "bulk", "due", 0),
        ("close-at-data", "bulk", "due", 0),
        ("go-away", "bulk", "due", 0),
        ("defer-at-rcpt", "bulk", "due", 0),
        ("defer-after-dot", "bulk", "due", 0),
        ("unknown-at-rcpt", "bulk", "refused", 0),
        ("close-in-text", "bulk", "uncertain", 0),
        ("close-after-dot", "bulk", "uncertain", 0),
        ("keep-and-close-after-dot", "bulk", "uncertain", 1),
        ("hang-after-dot", "bulk", "uncertain", 1),
        ("close-after-dot", "transactional", "due", 0),
        ("keep-and-close-after-dot", "transactional", "due", 1),
    ],
)
async def test_what_a_fault_makes_of_a_mail(mailing: Mailing, fault: Fault, mode: str, state: str, copies: int) -> None:
    async with mail_server(lambda _, attempt: fault if attempt == 1 else None) as server:
        await mailing.queue(a_mail(ADDRESS, mode=mode))
        await mailing.send(server.port, dot_seconds=0.5)
        assert await mailing.states() == {state: 1}
        assert len(server.taken) == copies
        # Later: what is tried again arrives; what is uncertain is left to a person, so nobody gets it twice.
        await mailing.due_now()
        await mailing.send(server.port)
    assert len(server.taken) == (copies + 1 if state == "due" else copies)
    assert await mailing.states() == {"accepted" if state == "due" else state: 1}
    assert len({message_from_bytes(mail.text)["Message-ID"] for mail in server.taken}) <= 1


async def test_waits_grow_and_end(mailing: Mailing) -> None:
    waits: list[timedelta] = []
    async with mail_server(lambda *_: "defer-at-rcpt") as server:
        await mailing.queue(a_mail(ADDRESS))
        for _ in range(5):
            await mailing.send(server.port)
            [(due_at, now)] = await mailing.rows("select due_at, now() from deliveries")
            waits.append(timedelta(minutes=round((due_at - now) / timedelta(minutes=1))))
            await mailing.due_now()
        await mailing.rows("update deliveries set scheduled_at = now() - interval '49 hours'", fetch=False)
        await mailing.send(server.port)
    assert waits == [timedelta(minutes=5), timedelta(minutes=30), *(timedelta(hours=h) for h in (2, 6, 6))]
    assert await mailing.states() == {"gave-up": 1}
    assert [row[0] for row in await mailing.rows("select code from delivery_attempts order by at")] == [450] * 6


async def test_what_is_over_is_given_up_before_it_is_tried(mailing: Mailing) -> None:
    async with mail_server() as server:
        await mailing.queue(a_mail(ADDRESS, not_after=datetime.now(UTC) - timedelta(minutes=1)))
        await mailing.send(server.port)
    assert (await mailing.states(), server.taken) == ({"gave-up": 1}, [])


async def test_an_unknown_user_is_written_to_no_more_and_a_full_box_is(mailing: Mailing) -> None:
    async with mail_server(lambda r, _: "unknown-at-rcpt" if r == ADDRESS else None) as server:
        await mailing.queue(a_mail(ADDRESS))
        await mailing.send(server.port)
        await mailing.queue(a_mail(ADDRESS, cause="later"), a_mail("compta@ateliers.example", cause="later"))
        await mailing.queue(a_mail(ADDRESS, kind="invoice", mode="transactional", cause="later"))
        await mailing.send(server.port)
    # Its other address stays, and so does a colleague's.
    assert await mailing.states() == {"refused": 1, "suppressed": 2, "accepted": 1}
    assert [mail.recipient for mail in server.taken] == ["compta@ateliers.example"]


async def test_a_server_that_refuses_us_pauses_its_domain_and_suppresses_nobody(mailing: Mailing) -> None:
    async with mail_server(lambda r, _: "policy-at-rcpt" if r.endswith("@ateliers.example") else None) as server:
        await mailing.queue(a_mail(ADDRESS), a_mail("autre@exemple.fr"))
        await mailing.send(server.port)
        assert await mailing.states() == {"due": 1, "accepted": 1}
        await mailing.due_now()
        await mailing.send(server.port)
    assert server.attempts[ADDRESS] == 1
    assert await mailing.rows("select suppression_id from suppressions") == []
    [(domain,)] = await mailing.rows("select domain from paces where paused_at is not null")
    assert domain == "ateliers.example"


async def test_an_objection_holds_for_bulk_mail_and_not_for_invoices(mailing: Mailing) -> None:
    async with mail_server() as server:
        await mailing.queue(
            a_mail(ADDRESS),
            a_mail(ADDRESS, kind="invoice", mode="transactional", purpose="contract"),
            a_mail("LEA.martin@ateliers.example".lower(), cause="c2", purpose="partners"),
        )
        await mailing.suppress(an_objection(purpose="news"))
        await mailing.send(server.port)
    assert await mailing.states() == {"suppressed": 1, "accepted": 2}


async def test_an_objection_of_a_record_follows_its_member_through_merges(mailing: Mailing) -> None:
    member = "0b0b0b0b-0b0b-5b0b-8b0b-0b0b0b0b0b0b"
    async with mail_server() as server:
        await mailing.rows(
            "insert into member_records (cluster, record_id, member_id, version) values "
            f"('numelink', '1', '{member}', 1), ('clustr-numerique', '9', '{member}', 1)",
            fetch=False,
        )
        await mailing.suppress(an_objection(address=None, records=(Record("numelink", "1"),)))
        await mailing.queue(a_mail("autre@exemple.fr", records=(Record("clustr-numerique", "9"),)))
        await mailing.send(server.port)
        assert await mailing.states() == {"suppressed": 1}
        # A person's own act is kept by every record of that time, an imported one by its own alone.
        await mailing.suppress(an_objection(cause="own", spreads=True, records=(Record("numelink", "1"),)))
    spread = await mailing.rows(
        "select s.cause, r.cluster from suppression_records r join suppressions s using (suppression_id) order by 1, 2"
    )
    assert [tuple(row) for row in spread] == [
        ("own", "clustr-numerique"), ("own", "numelink"), ("test-1", "numelink"),
    ]  # fmt: skip


async def test_an_objection_that_was_lifted_counts_again_only_by_a_new_act(mailing: Mailing) -> None:
    await mailing.suppress(an_objection())
    async with mailing.engine.begin() as connection:
        assert len(await lift(connection, [1], "the person", None)) == 1
    again = datetime.now(UTC) + timedelta(seconds=1)
    assert await mailing.suppress(an_objection()) == set()
    assert await mailing.suppress(an_objection(at=again)) == {"test-1"}
    assert await mailing.suppress(an_objection(at=again)) == set()


async def test_no_mail_is_marked_once_an_objection_is_committed(mailing: Mailing) -> None:
    await mailing.queue(a_mail(ADDRESS))
    claim_id = "0b0b0b0b-0b0b-4b0b-8b0b-0b0b0b0b0b0b"
    async with mailing.engine.begin() as connection:
        claimed = await repository.claim(connection, claim_id, 10)
    async with mailing.engine.connect() as objecting:
        await suppress(objecting, KEYRING, [an_objection()])

        async def mark() -> set[str]:
            async with mailing.engine.begin() as connection:
                return await repository.mark(connection, KEYRING, claim_id, claimed)

        marking = asyncio.create_task(mark())
        await asyncio.sleep(0.2)
        assert not marking.done(), "it must wait for whoever objects"
        await objecting.commit()
        assert await marking == set()
    assert await mailing.states() == {"suppressed": 1}
