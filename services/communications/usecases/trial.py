"""A test mail of a brand: sent the way of all others, and confirmed by whoever saw it arrive.

The code stands in the mail alone, so nobody confirms by accident what was not looked at.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from schemas.mail_operations import Queued, SeenTestMail, TestMail, TestMailSeen
from services.communications.brands.brand import MailSettings
from services.communications.deliveries.message import Letter
from services.communications.deliveries.queueing import Mail, queue
from services.communications.deliveries.tokens import token_of
from services.communications.mirror.repository import CommunicationsUnitOfWork
from services.communications.suppressions.address import AddressError, normalise
from services.operations.binding import Call, RefusedError
from shared.persistence.database import rows_of

CODE_LENGTH: Final = 8
CONFIRMED_WITHIN: Final = timedelta(days=7)
"""A code is looked for among the test mails of so many days."""
_TEXT: Final = (
    "Ce courriel est un essai. Il a suivi la même voie que tous les autres.",
    "Pour dire qu'il est arrivé : traboule mail seen [[code]]",
)
_LETTER: Final = "\n\n".join(_TEXT) + "\n"
_HTML: Final = f'<html lang="fr"><p>{_TEXT[0]}</p><p>{_TEXT[1]}</p></html>'
_SENT: Final = """
    select delivery_id::text, key_id, brand, attempt, state, created_at from deliveries
    where kind = 'test' and created_at > now() - $1::interval order by created_at desc
"""
_SEEN: Final = """
    insert into seen_test_mails (delivery_id, brand, seen_by) values ($1::uuid, $2, $3)
    on conflict (delivery_id) do update set delivery_id = excluded.delivery_id
    returning seen_by, seen_at
"""


async def send_test(call: Call[TestMail]) -> Queued:
    """Queue a mail to staff that goes the way of all others."""
    uow, mail = _uow(call), _mail(call)
    brand = mail.brands.get(call.arguments.brand)
    if brand is None:
        raise RefusedError("brand-unknown", f"there is no such brand; there are {', '.join(sorted(mail.brands))}")
    address = _address(call.arguments.address)
    letter = Letter(f"[test] {brand.name}", _LETTER, _HTML)
    # By the oldest key, and never the address, which is forgotten some day.
    person_key = uow.keyring.all(address)[-1].value.hex()
    test = Mail(
        cause=f"test/{datetime.now(UTC).isoformat()}", kind="test", mode="transactional", purpose="test",
        brand=brand.code, person_key=person_key, address=address, letter=letter,
    )  # fmt: skip
    test.fields["code"] = _code(uow, uow.keyring.keys[0][0], test.delivery_id)
    await queue(uow.connection, uow.keyring, [test])
    return Queued(delivery_id=test.delivery_id)


async def confirm_test(call: Call[SeenTestMail]) -> TestMailSeen:
    """Keep who saw a test mail, and when; said twice, the first counts."""
    uow = _uow(call)
    for delivery_id, key_id, brand, attempt, state, created_at in rows_of(
        await uow.connection.exec_driver_sql(_SENT, (CONFIRMED_WITHIN,))
    ):
        if _code(uow, key_id, delivery_id) == call.arguments.code.lower():
            # Whoever has the code has the mail, whatever its server answered, or did not.
            if not attempt:
                raise RefusedError("test-mail-not-sent", f"this test mail is {state}: nobody can have seen it")
            [(seen_by, seen_at)] = rows_of(
                await uow.connection.exec_driver_sql(_SEEN, (delivery_id, brand, call.author))
            )
            return TestMailSeen(brand=brand, sent_at=created_at, seen_by=seen_by, seen_at=seen_at)
    raise RefusedError("test-mail-unknown", "none of the last 7 days has this code: traboule mail test sends one")


def _code(uow: CommunicationsUnitOfWork, key_id: str, delivery_id: str) -> str:
    return token_of(uow.keyring.secret(key_id), delivery_id, "seen")[:CODE_LENGTH]


def _uow(call: Call[Any]) -> CommunicationsUnitOfWork:
    return call.uow


def _mail(call: Call[Any]) -> MailSettings:
    mail = _uow(call).mail
    if mail is None:
        raise RefusedError("no-mail-file", "no mail goes out here: set TRABOULE_COMMUNICATIONS_MAIL_FILE")
    return mail


def _address(text: str) -> str:
    try:
        return normalise(text)
    except AddressError as error:
        raise RefusedError("value-impossible", f"address: {error}") from None
