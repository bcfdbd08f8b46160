"""Reads what comes back: delivery reports (RFC 3464), complaints (RFC 5965), and mail that only looks like one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import default
from typing import Final, Literal, cast

from services.communications.bounces.meaning import Meaning, meaning_of

Kind = Literal["bounce", "complaint", "delay", "delivered", "absence", "other"]
LARGEST: Final = 64 * 1024
"""Bytes of a report that are kept, and read; the returned mail at its end is of no use."""
_WORDS: Final = 4_000
_RETURNED: Final = re.compile(
    # Just three: of a line of dashes, "three or more" would be tried at every length.
    r"^-{3}.*(original|returned|copy of).*|^(original message|message d'origine).*|^return-path:.*",
    re.IGNORECASE | re.MULTILINE,
)
_FROM_DAEMON: Final = re.compile(r"mailer-daemon|postmaster|mail delivery|maildelivery|bounce", re.IGNORECASE)
_SUBJECT: Final = re.compile(
    r"undeliver|returned mail|delivery (status|failure|has failed)|failure notice|mail delivery|non remis|échec"
    r"|could not be delivered|not delivered|rejected|unzustellbar",
    re.IGNORECASE,
)
_DELAYED: Final = re.compile(r"delay|warning|retard|will (be retried|retry|keep trying)|still trying", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Report:
    """What a mail that came back says. ``enhanced`` is its status (RFC 3463), ``words`` what a server said."""

    kind: Kind
    meaning: Meaning
    enhanced: str | None = None
    words: str = field(default="", repr=False)


def read_report(raw: bytes) -> Report:
    """What its first :data:`LARGEST` bytes say; never raises: what nobody can read is ``other``."""
    try:
        mail = message_from_bytes(raw[:LARGEST], policy=default)
        return _read(mail)
    except Exception:
        # The standard library raises whatever it likes for headers that no rule allows.
        return Report("other", "other")


def _read(mail: EmailMessage) -> Report:
    for part in mail.walk():
        kind = part.get_content_type()
        if kind == "message/feedback-report":
            return Report("complaint", "other")
        if kind == "message/delivery-status":
            return _of_status(part, mail)
    if _is_absence(mail):
        return Report("absence", "other")
    if not (_FROM_DAEMON.search(str(mail.get("from", ""))) or _SUBJECT.search(str(mail.get("subject", "")))):
        return Report("other", "other")
    return _of_words(mail)


def _of_status(part: Message, mail: EmailMessage) -> Report:
    """RFC 3464 §2.3: a group of fields for the message, then one for each recipient; ours has one."""
    for group in _groups(part):
        action = str(group.get("action", "")).strip().lower()
        if not action:
            continue
        enhanced = str(group.get("status", "")).strip().split(" ")[0] or None
        words = _line(str(group.get("diagnostic-code", "")))
        if action in ("delayed", "relayed", "expanded", "delivered"):
            return Report("delay" if action == "delayed" else "delivered", "later", enhanced, words)
        meaning = meaning_of(words, None, enhanced)
        if meaning == "other":
            # Many servers give 5.0.0 and no words there; what they wrote for people says more.
            words = _text_of(mail)
            meaning = meaning_of(words)
        return Report("bounce", meaning, enhanced, words)
    return Report("other", "other")


def _of_words(mail: EmailMessage) -> Report:
    words = _text_of(mail)
    if _DELAYED.search(str(mail.get("subject", ""))):
        return Report("delay", "later", None, words)
    return Report("bounce", meaning_of(words), None, words)


def _text_of(mail: EmailMessage) -> str:
    """What is written for people, up to the mail that is given back."""
    body = mail.get_body(("plain", "html"))
    text = body.get_content() if body is not None else str(mail.get_payload())
    return _line(_RETURNED.split(text, maxsplit=1)[0] if isinstance(text, str) else "")


def _is_absence(mail: EmailMessage) -> bool:
    """RFC 3834 §5: an automatic answer that is no report."""
    automatic = str(mail.get("auto-submitted", "no")).strip().lower()
    if automatic.startswith("auto-replied"):
        return True
    return any(name in mail for name in ("x-autoreply", "x-autorespond", "x-auto-response-suppress")) and not (
        _FROM_DAEMON.search(str(mail.get("from", "")))
    )


def _groups(part: Message) -> Iterator[Message]:
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from cast("list[Message]", payload)


def _line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text[:_WORDS]).split())
