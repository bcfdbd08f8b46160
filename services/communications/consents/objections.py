"""What a former system's objection forbids here, as suppressions. Pure; the order of what is heard cannot show.

An objection hangs on its source record, on the address that it names, on the address of its record, and on the records
that have its address. Each of these makes a suppression with a cause of its own, so they only ever add up: what is
heard of a record later adds one, and nothing takes one away (RGPD art. 21).
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Final, NamedTuple

from services.common.sections import Record
from services.communications.contacts.contact import Contact
from services.communications.suppressions.suppression import EVERY_PURPOSE, Covers, Suppression

RESTRICTIONS: Final = ("refused", "withdrawn")
CHANNELS: Final = ("email", "bulk-email")
"""Of objections that concern e-mail; others forbid nothing that is sent from here."""
UNDATED: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""When an objection was made of which the former system keeps no day: before all that is sent from here."""
FROM_FORMER_SYSTEMS: Final = "consent "
"""What the cause of a suppression begins with that a former system's objection made."""
NameOf = Callable[[str], str]
"""A short name of an address, or of anything, that tells nobody what it is; the same for ever."""


class Objection(NamedTuple):
    """One objection to e-mail that a former system recorded. ``address`` is normalised."""

    cluster: str
    consent_id: str
    record_id: str | None
    address: str | None
    channel: str
    purpose: str
    decided_at: datetime
    source: str | None

    def cause(self, name_of: NameOf) -> str:
        """What every suppression of it is called after: without its id, which outlives the consent and may name one."""
        return f"{FROM_FORMER_SYSTEMS}{name_of(f'{self.cluster} {self.consent_id} {self.channel} {self.purpose}')}"

    def concerns(self, contact: Contact) -> bool:
        """Whether it is about this record, or about its address."""
        own = (contact.cluster, contact.record_id) == (self.cluster, self.record_id)
        return own or (self.address is not None and contact.address == self.address)


def suppressions_of(objection: Objection, contacts: Iterable[Contact], name_of: NameOf) -> list[Suppression]:
    """All that it forbids, by the contacts that are known now."""
    record = None if objection.record_id is None else Record(objection.cluster, objection.record_id)
    first = _suppression(objection, objection.cause(name_of), objection.address, record)
    return [first, *(each for contact in contacts for each in _of_contact(objection, contact, record, name_of))]


def _of_contact(
    objection: Objection, contact: Contact, record: Record | None, name_of: NameOf
) -> Iterable[Suppression]:
    key = Record(contact.cluster, contact.record_id)
    if key == record:
        if contact.address is not None and contact.address != objection.address:
            cause = f"{objection.cause(name_of)} {name_of(contact.address)}"
            yield _suppression(objection, cause, contact.address, None)
    elif objection.concerns(contact):
        yield _suppression(objection, f"{objection.cause(name_of)} {'/'.join(key)}", None, key)


def _suppression(objection: Objection, cause: str, address: str | None, record: Record | None) -> Suppression:
    covers: Covers = "bulk"
    if (objection.channel, objection.purpose) == ("email", EVERY_PURPOSE):
        covers = "everything"
    return Suppression(
        cause=cause,
        address=address,
        records=() if record is None else (record,),
        covers=covers,
        purpose=EVERY_PURPOSE if covers == "everything" else objection.purpose,
        source=f"{objection.cluster}: {objection.source or 'a consent of its former system'}",
        at=objection.decided_at,
    )


def of_card(contact: Contact, name_of: NameOf) -> list[Suppression]:
    """What the card of a member refuses, for the record and for the address that it has now."""
    rows: list[Suppression] = []
    record = Record(contact.cluster, contact.record_id)
    for channel in sorted(set(contact.opt_outs).intersection(CHANNELS)):
        objection = Objection(
            cluster=record.cluster,
            consent_id=f"card of {contact.record_id}",
            record_id=None,
            address=None,
            channel=channel,
            purpose=EVERY_PURPOSE,
            decided_at=UNDATED,
            source="the member's card",
        )
        cause = objection.cause(name_of)
        rows.append(_suppression(objection, cause, None, record))
        if contact.address is not None:
            rows.append(_suppression(objection, f"{cause} {name_of(contact.address)}", contact.address, None))
    return rows
