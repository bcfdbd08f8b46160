"""What a former system's objection forbids here, as suppressions. Pure; the order of what is heard cannot show.

An objection hangs on its source record, on the address that it names, on the address of its record, and on the records
that have its address. Each of these makes a suppression with a cause of its own, so they only ever add up: what is
heard of a record later adds one, and nothing takes one away (RGPD art. 21). An address that very many records have is
an accountant's or a town hall's: what is objected to under it holds for the address, and for no record.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from services.common.sections import Record
from services.communications.contacts.contact import Contact
from services.communications.suppressions.suppression import (
    EVERY_PURPOSE,
    FROM_FORMER_SYSTEMS,
    UNDATED,
    Covers,
    Suppression,
)

CHANNELS: Final = ("email", "bulk-email")
"""Of objections that concern e-mail; others forbid nothing that is sent from here."""
CROWD: Final = 50
"""Records with one address: of more, none is taken to be the person who objected."""
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

    def cause_by_address(self, name_of: NameOf) -> str:
        """The same of records that have its address: however many consents say it, it is one objection there."""
        return f"{FROM_FORMER_SYSTEMS}{name_of(f'{self.cluster} of {self.address} {self.channel} {self.purpose}')}"

    def concerns(self, contact: Contact) -> bool:
        """Whether it is about this record, or about its address."""
        own = (contact.cluster, contact.record_id) == (self.cluster, self.record_id)
        return own or (self.address is not None and contact.address == self.address)

    @property
    def record(self) -> Record | None:
        """The record that it names."""
        return None if self.record_id is None else Record(self.cluster, self.record_id)


def concerned_by(objections: Sequence[Objection], contacts: Iterable[Contact]) -> list[list[Contact]]:
    """Of these contacts those that each objection is about: its record's own, and those that have its address.

    Of several consents that say the same of an address the first one alone concerns those who have it; none concerns a
    crowd.
    """
    by_record: defaultdict[Record | None, dict[tuple[Record, str | None], Contact]] = defaultdict(dict)
    by_address: defaultdict[str | None, dict[tuple[Record, str | None], Contact]] = defaultdict(dict)
    for contact in contacts:
        key = Record(contact.cluster, contact.record_id), contact.address
        by_record[key[0]][key] = contact
        by_address[contact.address][key] = contact
    named = set[tuple[str, str, str, str]]()
    concerned: list[list[Contact]] = []
    for objection in objections:
        found = dict(by_record.get(objection.record, {}))
        sharing = by_address.get(objection.address, {}) if objection.address is not None else {}
        name = objection.cluster, objection.address or "", objection.channel, objection.purpose
        if len(sharing) <= CROWD and name not in named:
            named.add(name)
            found |= sharing
        concerned.append(list(found.values()))
    return concerned


def suppressions_of(objection: Objection, contacts: Iterable[Contact], name_of: NameOf) -> list[Suppression]:
    """All that it forbids, by the contacts that are known now."""
    first = _suppression(objection, objection.cause(name_of), objection.address, objection.record)
    return [first, *(each for contact in contacts for each in _of_contact(objection, contact, name_of))]


def _of_contact(objection: Objection, contact: Contact, name_of: NameOf) -> Iterable[Suppression]:
    key = Record(contact.cluster, contact.record_id)
    if key == objection.record:
        if contact.address is not None and contact.address != objection.address:
            cause = f"{objection.cause(name_of)} {name_of(contact.address)}"
            yield _suppression(objection, cause, contact.address, None)
    elif objection.concerns(contact):
        # Of several consents that say so, whichever was heard first.
        anyhow = objection._replace(source=None)
        yield _suppression(anyhow, f"{objection.cause_by_address(name_of)} {'/'.join(key)}", None, key)


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
