"""The entry in somebody's calendar that a letter about a seat brings, changes or takes away (RFC 5546): pure."""

import re
from datetime import UTC, datetime
from typing import Final
from uuid import NAMESPACE_OID, uuid5

from schemas.letters import Attendance, RegistrationCancelled
from services.common.calendar.entry import Entry, Mailbox, registration_uid
from services.common.calendar.invitation import cancellation, request
from services.communications.brands.brand import Brand
from services.communications.deliveries.message import CALENDAR, Attachment

_FITS: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
_MICROSECONDS: Final = 1_000_000


def calendar_entry(fact: Attendance, brand: Brand) -> Attachment | None:
    """The part of the mail; None where the fact names no session, as one of the version before.

    The organiser is an address of a role: the gathering's, else the one that the brand writes from.
    """
    if fact.session_id is None or not fact.recipient.email:
        return None
    stamped_at = datetime.fromtimestamp(fact.version / _MICROSECONDS, UTC)
    entry = Entry(
        uid=registration_uid(_uid_part(fact.session_id), _uid_part(fact.registration_id), brand.domain),
        sequence=fact.sequence,
        stamped_at=stamped_at,
        title=fact.title,
        starts_at=fact.starts_at,
        # A former system may say an end before the beginning: the mail goes out all the same.
        ends_at=fact.ends_at if fact.ends_at and fact.ends_at > fact.starts_at else None,
        zone=fact.zone,
        place=fact.place,
        join_url=fact.join,
    )
    organiser = Mailbox(brand.name, fact.organiser or brand.sender)
    guest = Mailbox(fact.recipient.name, fact.recipient.email.strip())
    if isinstance(fact, RegistrationCancelled):
        message = cancellation(entry, organiser, guest, stamped_at=stamped_at)
    else:
        message = request(entry, organiser, guest)
    return Attachment("", f"{CALENDAR}; method={message.method}", message.text.encode())


def _uid_part(identifier: str) -> str:
    """The id, or one made of it where it has characters that a UID cannot have."""
    return identifier if _FITS.fullmatch(identifier) else str(uuid5(NAMESPACE_OID, identifier))
