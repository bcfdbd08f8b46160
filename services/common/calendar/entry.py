"""What a calendar shows of one session, and by which name it recognises it (RFC 5545)."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal
from urllib.parse import quote, urlsplit

Status = Literal["confirmed", "tentative", "cancelled"]
_UID_PART: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
_DOMAIN: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


class CalendarError(ValueError):
    """This cannot be written into a calendar; the message says which field is at fault, without its value."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address of mail, and whose it is."""

    name: str = field(repr=False)
    address: str = field(repr=False)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[^@\s]+@[^@\s]+", self.address):
            raise CalendarError("address: it is none, write one such as contact@example.org")

    @property
    def uri(self) -> str:
        """The address as ``mailto:`` (RFC 6068); without it Outlook passes the entry over."""
        return "mailto:" + quote(self.address, safe="@!$'*+-._~")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One session as one calendar shows it. Moments are aware; ``zone`` is an IANA name.

    ``stamped_at`` is when the mail was written, or, in a feed, when the session last changed. ``join_url`` leads into
    an on-line session: whoever reads it gets in. Raises CalendarError.
    """

    uid: str
    sequence: int
    stamped_at: datetime
    title: str
    starts_at: datetime
    ends_at: datetime | None
    zone: str
    status: Status = "confirmed"
    description: str = ""
    place: str | None = None
    join_url: str | None = field(default=None, repr=False)
    page_url: str | None = None

    def __post_init__(self) -> None:
        for name in ("stamped_at", "starts_at", "ends_at"):
            if (moment := getattr(self, name)) is not None and moment.utcoffset() is None:
                raise CalendarError(f"{name}: it has no offset, give a moment in UTC")
        if self.ends_at is not None and self.ends_at <= self.starts_at:
            raise CalendarError("ends_at: it is not after starts_at")
        for name in ("join_url", "page_url"):
            if (url := getattr(self, name)) is not None and not _is_web(url):
                raise CalendarError(f"{name}: it is no address of the web, begin it with https://")


def registration_uid(session_id: str, registration_id: str, domain: str) -> str:
    """The UID of what one guest gets for one session: it never changes, and no other guest has it."""
    return _uid((session_id, registration_id), domain)


def session_uid(session_id: str, domain: str) -> str:
    """The UID of a session in a feed that is nobody's own."""
    return _uid((session_id,), domain)


def sequence_after(before: Entry, after: Entry) -> int:
    """The SEQUENCE of an entry that replaces another: larger if time, place or status changed (RFC 5546, 2.1.4)."""
    return before.sequence + (_weighty(before) != _weighty(after))


def _weighty(entry: Entry) -> tuple[object, ...]:
    return entry.starts_at, entry.ends_at, entry.zone, entry.place, entry.join_url, entry.status


def _uid(parts: tuple[str, ...], domain: str) -> str:
    if not all(_UID_PART.fullmatch(part) for part in parts):
        raise CalendarError("uid: an id has other characters than letters, digits, - and _, or more than 80")
    if not _DOMAIN.fullmatch(domain):
        raise CalendarError("uid: the domain is none, write it in lower case, such as events.example.org")
    return f"{'.'.join(parts)}@{domain}"


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("https", "http") and bool(parts.netloc) and url.isascii() and url.isprintable()
