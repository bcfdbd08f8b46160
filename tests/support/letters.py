"""Facts that a letter is written about, and the mails that a server took."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from random import Random
from typing import Any

from schemas.letters import DocumentIssued, LetterDue
from schemas.letters_examples import LETTER_EXAMPLES
from tests.support.mail_server import MailServer

SOON = datetime.now(UTC) + timedelta(days=2)
PDF = b"%PDF-1.7\n" + Random(7).randbytes(40_000)


def a_fact(kind: type[LetterDue], **different: Any) -> LetterDue:
    """The published example, of days to come."""
    fact: Any = LETTER_EXAMPLES[kind]()
    later = {name: SOON for name in ("starts_at", "offered_until") if name in kind.model_fields}
    return kind.model_validate(fact.model_dump() | later | different)


def a_document(**different: Any) -> LetterDue:
    return a_fact(DocumentIssued, **{"pdf": b64encode(PDF).decode()} | different)


def read(server: MailServer) -> list[EmailMessage]:
    return [message_from_bytes(taken.text, policy=default) for taken in server.taken]  # type: ignore[misc]


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body([kind])
    assert body is not None
    return str(body.get_content())
