"""The bytes of one mail (RFC 5322), with what providers ask of bulk mail (RFC 2369, RFC 2919, RFC 8058)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from hashlib import sha256
from html import escape
from typing import Final

from services.communications.brands.brand import Brand
from services.communications.deliveries.delivery import Mode

_PLACEHOLDER: Final = re.compile(r"\[\[([a-z_]+)\]\]")
CALENDAR: Final = "text/calendar"
"""The media type of what is no attachment: it stands beside text and HTML, or Outlook cannot open it (RFC 6047)."""
LARGEST: Final = 10 * 1024 * 1024
"""Bytes of a mail; many servers take no more."""


class MessageError(ValueError):
    """This mail cannot be built: its recipient or its words are at fault, and no other mail is."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with it."""

    name: str
    media_type: str
    body: bytes = field(repr=False)


def content_id(picture: bytes) -> str:
    """By what name the HTML shows a picture of the same mail, as ``cid:…`` (RFC 2392): no other picture has it."""
    return f"{sha256(picture).hexdigest()[:32]}@picture.invalid"


@dataclass(frozen=True, slots=True)
class Letter:
    """What it says, rendered. ``[[name]]`` in text, html and subject stands for a value of the delivery."""

    subject: str
    text: str
    html: str
    attachments: Sequence[Attachment] = ()


@dataclass(frozen=True, slots=True)
class Envelope:
    """To whom, and what differs from the next mail. ``unsubscribe`` is an address of the web, then one of mail."""

    delivery_id: str
    mode: Mode
    purpose: str
    kind: str
    address: str = field(repr=False)
    name: str | None = field(repr=False)
    created_at: datetime
    unsubscribe: tuple[str, str] | None = field(default=None, repr=False)
    fields: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)


def build(letter: Letter, brand: Brand, envelope: Envelope) -> bytes:
    """The whole mail, ready to sign: the same arguments make the same bytes. Raises MessageError."""
    try:
        mail = EmailMessage(SMTP if envelope.address.isascii() else SMTPUTF8)
        _add_headers(mail, brand, envelope, _filled(letter.subject, envelope.fields))
        mail.set_content(_filled(letter.text, envelope.fields), cte="base64")
        html = _filled(letter.html, {name: escape(value) for name, value in envelope.fields.items()})
        mail.add_alternative(html, subtype="html", cte="base64")
        _add_files(mail, letter)
        for number, part in enumerate(part for part in mail.walk() if part.is_multipart()):
            part.set_boundary(f"{envelope.delivery_id}-{number}")
        body = mail.as_bytes()
    except (ValueError, HeaderParseError, IndexError) as error:
        # Its words may be somebody's name.
        raise MessageError(f"a header cannot be written ({type(error).__name__})") from None
    if len(body) > LARGEST:
        raise MessageError(f"it would have {len(body)} bytes, and {LARGEST} are the most")
    return body


def _add_files(mail: EmailMessage, letter: Letter) -> None:
    """Pictures beside the HTML that shows them, then the calendar's entry, which is the last part; then attachments."""
    entries = [item for item in letter.attachments if item.media_type.startswith(CALENDAR)]
    shown = [item for item in letter.attachments if f"cid:{content_id(item.body)}" in letter.html]
    html = [*mail.iter_parts()][-1]
    assert isinstance(html, EmailMessage)
    for item in shown:
        main, _, sub = item.media_type.partition("/")
        name = f"<{content_id(item.body)}>"
        html.add_related(item.body, main, sub, cid=name, filename=item.name, disposition="inline")
        html.set_param("type", "text/html")
    for item in entries:
        _, _, method = item.media_type.partition("method=")
        mail.add_alternative(item.body.decode(), subtype="calendar", cte="base64", params={"method": method})
    for item in letter.attachments:
        if item not in entries and item not in shown:
            main, _, sub = item.media_type.partition("/")
            mail.add_attachment(item.body, maintype=main, subtype=sub, filename=item.name)


def _add_headers(mail: EmailMessage, brand: Brand, envelope: Envelope, subject: str) -> None:
    mail["From"] = Address(brand.name, addr_spec=brand.sender)
    local, _, domain = envelope.address.rpartition("@")
    mail["To"] = Address(envelope.name or "", local, domain)
    if brand.reply_to:
        mail["Reply-To"] = brand.reply_to
    mail["Subject"] = subject
    mail["Date"] = format_datetime(envelope.created_at)
    mail["Message-ID"] = f"<{envelope.delivery_id}@{brand.domain}>"
    if envelope.mode == "transactional":
        mail["Auto-Submitted"] = "auto-generated"
        return
    mail["List-Id"] = f"<{envelope.purpose}.{brand.domain}>"
    if envelope.unsubscribe is not None:
        web, by_mail = envelope.unsubscribe
        mail["List-Unsubscribe"] = f"<{web}>, <{by_mail}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail["Feedback-ID"] = f"{envelope.kind}:{envelope.purpose}:{brand.code}:traboule"


def _filled(text: str, fields: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda found: fields.get(found[1], found[0]), text)
