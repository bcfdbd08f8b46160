"""A contact as communications knows it: one source record, whose it is, and its addresses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.communications.suppressions.address import AddressError, normalise

DEFAULT_LANGUAGE: Final = "fr"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One source record. Addresses are normalised; None where there is none that could be written to.

    ``shown_address`` is its member's, as it is shown with what staff set by hand. ``member`` is the member's id, or
    ``cluster/record_id`` for a record that membership never named with others.
    """

    cluster: str
    record_id: str
    member: str
    name: str
    first_name: str
    last_name: str
    role: str
    salutation: str
    language: str
    address: str | None
    shown_address: str | None
    opt_outs: Sequence[str]
    is_member: bool | None
    status: str | None
    lineage: str | None
    removed: bool

    @property
    def write_to(self) -> str | None:
        """The address for mail about this record: its own, else its member's; None for a record that was removed."""
        return None if self.removed else self.address or self.shown_address


def contact(cluster: str, record_id: str, member: str, document: Mapping[str, Any]) -> Contact:
    """The contact that a ContactDescribed says, as JSON."""
    return Contact(
        cluster=cluster,
        record_id=record_id,
        member=member,
        **{name: document.get(name) or "" for name in ("first_name", "last_name", "role", "salutation")},
        name=document.get("name") or document.get("shown_name") or "",
        language=document.get("language") or DEFAULT_LANGUAGE,
        address=address_of(document),
        shown_address=key_of(document.get("shown_email")),
        opt_outs=tuple(document.get("opt_outs", ())),
        is_member=document.get("is_member"),
        status=document.get("status"),
        lineage=document.get("lineage"),
        removed=bool(document.get("removed")),
    )


def address_of(document: Mapping[str, Any]) -> str | None:
    """The record's own address, as membership understood it, else as it is written; None if it is no address."""
    return key_of(document.get("email")) or key_of(document.get("email_written"))


def key_of(written: str | None) -> str | None:
    """An address in its one writing, None if it is no address."""
    if not written:
        return None
    try:
        return normalise(written)
    except AddressError:
        return None
