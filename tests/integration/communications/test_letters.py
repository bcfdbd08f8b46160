"""From the fact to the mail that a server took: once for each cause, whatever else goes wrong."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from schemas.letters import LetterDue, RegistrationCancelled, RegistrationConfirmed, SeatOffered
from schemas.membership_contacts import ContactDescribed
from services.communications.brands.brand import MailSettings
from services.communications.contacts.repository import keep_contacts
from services.communications.definition import DEFINITION
from services.communications.deliveries.signing import Signer
from services.communications.mirror.repository import CommunicationsUnitOfWork
from services.communications.usecases.letters import LETTERS
from services.operations.running import OperationRequest, carry_out
from shared.messaging.failures import Refusal
from tests.support.calendars import by_icalendar
from tests.support.letters import PDF, SOON, a_document, a_fact, part, read
from tests.support.mail_server import mail_server
from tests.support.mailing import BRAND, KEYRING, Mailing, mail_settings
from tests.support.merging import envelope, handled

HANDLERS = dict(LETTERS)


async def heard(mailing: Mailing, *facts: LetterDue, mail: MailSettings | None = mail_settings(1)) -> None:
    async with mailing.engine.begin() as connection:
        uow = CommunicationsUnitOfWork(connection, keyring=mailing.keyring, mail=mail)
        for fact in facts:
            await HANDLERS[type(fact)](uow, [envelope(fact, f"/traboule/{fact.service}")])


async def refusal(mailing: Mailing, fact: LetterDue, mail: MailSettings | None = mail_settings(1)) -> str:
    with pytest.raises(Refusal) as refused:
        await heard(mailing, fact, mail=mail)
    assert "exemple" not in refused.value.detail, "no personal data"
    return refused.value.reason


async def test_an_invoice_arrives_once_with_the_very_pdf(mailing: Mailing) -> None:
    async with mail_server() as server:
        await heard(mailing, a_document())
        # Told again after a restore, under another id; and with an address that was corrected meanwhile.
        await heard(mailing, a_document(version=7))
        await heard(mailing, a_document(recipient={**a_document().recipient.model_dump(), "email": "b@exemple.fr"}))
        await mailing.send(server.port)
        await mailing.send(server.port)
    [mail] = read(server)
    assert mail["Subject"] == "Traboule Numérique\u00a0: votre facture F-2027-000118"
    assert mail["To"] == "Ateliers du Gier <contact@ateliers-du-gier.example>"
    assert (mail["Auto-Submitted"], mail["List-Unsubscribe"]) == ("auto-generated", None)
    [file] = mail.iter_attachments()
    assert (file.get_filename(), file.get_content_type()) == ("F-2027-000118.pdf", "application/pdf")
    assert file.get_content() == PDF
    for kind in ("plain", "html"):
        assert "600,00\u00a0€" in part(mail, kind)
        assert "3 février 2027" in part(mail, kind)
    [row] = await mailing.rows("select cause, kind, mode, purpose, person_key from deliveries")
    assert tuple(row) == ("document/F-2027-000118", "invoice", "transactional", "contract", "numelink/1042")
    assert [tuple(row) for row in await mailing.rows("select cluster, record_id from delivery_records")] == [
        ("numelink", "1042")
    ]


@pytest.mark.parametrize(
    ("of_fact", "of_contact", "expected"), [(None, "en", "en"), (None, None, "fr"), ("fr", "en", "fr")]
)
async def test_the_language_is_that_of_the_fact_else_of_the_contact_else_of_the_brand(
    mailing: Mailing, of_fact: str | None, of_contact: Any, expected: str
) -> None:
    contact = ContactDescribed(version=1, cluster="numelink", record_id="1042", language=of_contact)
    begin = partial(CommunicationsUnitOfWork, keyring=mailing.keyring)
    await handled(mailing.engine, begin, keep_contacts, [envelope(contact)])
    async with mail_server() as server:
        await heard(mailing, a_document(recipient={**a_document().recipient.model_dump(), "language": of_fact}))
        await mailing.send(server.port)
    [mail] = read(server)
    assert f'lang="{expected}"' in part(mail, "html")


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("kind", list(HANDLERS), ids=lambda kind: kind.key)
async def test_each_fact_becomes_a_mail_in_the_language_of_the_reader(
    mailing: Mailing, kind: type[LetterDue], language: str
) -> None:
    person = {"name": "Zoé\r\nMüller", "email": "Zoe@Exemple.fr ", "language": language}
    async with mail_server() as server:
        await heard(mailing, a_fact(kind, recipient=person))
        assert await mailing.send(server.port) == 1
    [mail] = read(server)
    assert mail["To"] == "Zoé Müller <zoe@exemple.fr>"
    assert part(mail, "plain").startswith({"fr": "Bonjour", "en": "Hello"}[language])
    assert f'lang="{language}"' in part(mail, "html")


async def test_a_seat_comes_into_the_calendar_is_moved_there_and_taken_away(mailing: Mailing) -> None:
    session: dict[str, Any] = {
        "session_id": "S1",
        "ends_at": SOON + timedelta(hours=2),
        "join": "https://visio.example/x",
    }
    moved = {"rescheduled": True, "sequence": 1, "version": 1_800_000_000_000_000}
    async with mail_server() as server:
        await heard(mailing, a_fact(RegistrationConfirmed, **session))
        await heard(mailing, a_fact(RegistrationConfirmed, **session | moved))
        await heard(
            mailing, a_fact(RegistrationCancelled, **session | {"sequence": 1, "version": 1_800_000_000_000_001})
        )
        await mailing.send(server.port)
    shown = {}
    for mail in read(server):
        # Beside the text, where Outlook opens it, and no attachment.
        assert [*mail.iter_attachments()] == []
        assert [each.get_content_type() for each in mail.iter_parts()] == ["text/plain", "text/html", "text/calendar"]
        entry = [*mail.iter_parts()][-1]
        calendar = by_icalendar(entry.get_content().encode())
        assert entry.get_param("method") == calendar.method
        [event] = calendar.events
        shown[event.sequence] = (calendar.method, event.uid, event.attendees, mail["Subject"])
    assert [shown[number][0] for number in sorted(shown)] == ["REQUEST", "REQUEST", "CANCEL"]
    assert len({uid for _, uid, _, _ in shown.values()}) == 1
    assert {attendees for _, _, attendees, _ in shown.values()} == {("mailto:zoe@ateliers-du-gier.example",)}
    assert "modifié" in shown[1][3]


async def test_a_record_without_an_address_in_the_fact_is_written_to_at_the_one_that_membership_knows(
    mailing: Mailing,
) -> None:
    person = {"name": "Ateliers", "records": [{"cluster": "numelink", "record_id": "1042"}]}
    assert await refusal(mailing, a_fact(RegistrationConfirmed, recipient=person)) == "address-missing"
    own = {"email": "bureau@ateliers.example"}
    contact = ContactDescribed.model_validate({"version": 1, "cluster": "numelink", "record_id": "1042", **own})
    begin = partial(CommunicationsUnitOfWork, keyring=mailing.keyring)
    await handled(mailing.engine, begin, keep_contacts, [envelope(contact)])
    async with mail_server() as server:
        await heard(mailing, a_fact(RegistrationConfirmed, recipient=person, session_id="S1"))
        await mailing.send(server.port)
    [mail] = read(server)
    assert mail["To"] == "Ateliers <bureau@ateliers.example>"
    [event] = by_icalendar([*mail.iter_parts()][-1].get_content().encode()).events
    assert event.attendees == ("mailto:bureau@ateliers.example",)


async def test_an_end_before_the_beginning_keeps_no_mail_back(mailing: Mailing) -> None:
    async with mail_server() as server:
        await heard(mailing, a_fact(RegistrationConfirmed, session_id="S1", ends_at=SOON - timedelta(days=1)))
        await mailing.send(server.port)
    [mail] = read(server)
    [event] = by_icalendar([*mail.iter_parts()][-1].get_content().encode()).events
    assert (event.starts_at, event.ends_at) == (SOON.replace(microsecond=0), None)


async def test_a_later_offer_or_cancellation_is_another_mail_and_the_same_one_is_not(mailing: Mailing) -> None:
    await heard(mailing, a_fact(SeatOffered), a_fact(SeatOffered, version=9), a_fact(SeatOffered, offer_id="2"))
    await heard(mailing, a_fact(RegistrationCancelled), a_fact(RegistrationCancelled, version=9))
    await heard(mailing, a_fact(RegistrationCancelled))
    assert await mailing.states() == {"due": 4}


async def test_what_is_over_is_not_sent(mailing: Mailing) -> None:
    async with mail_server() as server:
        await heard(mailing, a_fact(SeatOffered, offered_until=datetime.now(UTC) - timedelta(minutes=1)))
        await mailing.send(server.port)
    assert (await mailing.states(), server.taken) == ({"gave-up": 1}, [])


@pytest.mark.parametrize(
    ("different", "reason"),
    [
        ({"recipient": {"name": "A", "email": None}}, "address-missing"),
        ({"recipient": {"name": "A", "email": "contact chez exemple.fr"}}, "address-unusable"),
        ({"pdf": None}, "file-missing"),
        ({"pdf": "JVBERi0xLjc"}, "file-unreadable"),
    ],
)
async def test_a_fact_of_which_no_mail_can_be_made_is_refused_with_the_reason(
    mailing: Mailing, different: dict[str, Any], reason: str
) -> None:
    assert await refusal(mailing, a_document(**different)) == reason
    assert await mailing.states() == {}


async def test_the_brand_is_that_of_the_cluster(mailing: Mailing) -> None:
    other = BRAND | {"code": "rhone", "name": "Clust’R", "sender": "l@clustr.example", "clusters": ["clustr-numerique"]}
    both = mail_settings(1, brands={"loire": BRAND | {"clusters": ["numelink"]}, "rhone": other})
    await heard(mailing, a_document(), a_document(number="C-1", cluster="clustr-numerique"), mail=both)
    rows = await mailing.rows("select cause, brand from deliveries order by 1")
    assert [tuple(row) for row in rows] == [("document/C-1", "rhone"), ("document/F-2027-000118", "loire")]
    assert await refusal(mailing, a_document(cluster="minalogic"), mail=both) == "brand-missing"


async def status(mailing: Mailing, mail: MailSettings | None) -> dict[str, Any]:
    asked = OperationRequest(operation="mail-status", cluster=None, arguments={}, author="a", reason="a test")
    async with mailing.engine.begin() as connection:
        uow = CommunicationsUnitOfWork(connection, keyring=KEYRING, mail=mail)
        return (await carry_out(uow, DEFINITION, DEFINITION.every_operation, asked)).answer


async def test_without_a_mail_file_nothing_is_written_and_the_status_says_so(mailing: Mailing) -> None:
    await heard(mailing, a_document(), mail=None)
    assert await mailing.states() == {}
    assert (await status(mailing, None))["sends"] is False
    assert (await status(mailing, mail_settings(1)))["sends"] is True


async def test_an_independent_reader_verifies_the_signature(mailing: Mailing, tmp_path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "dkim.pem").write_bytes(pem)
    signer = Signer.read("numelink.example", "s2027", tmp_path / "dkim.pem")
    async with mail_server() as server:
        await heard(mailing, a_document())
        await replace(mailing, signers={"loire": signer}).send(server.port)
    text = server.taken[0].text

    def record(name: bytes, timeout: int = 5) -> bytes:
        assert name == b"s2027._domainkey.numelink.example."
        return signer.record().encode()

    assert dkim.verify(text, dnsfunc=record)
    for forged in (text.replace(b"auto-generated", b"auto-replied", 1), text.replace(b"F-2027", b"F-2028", 1)):
        assert forged != text
        assert not dkim.verify(forged, dnsfunc=record)
