"""CiviCRM: contacts, and memberships (one row per membership, with the contact's columns beside it).

Source: the labels of CiviCRM's export of contacts and of memberships, English as they are in its export files.
"""

from collections.abc import Iterator

from schemas.fields import Fact
from schemas.membership import MemberRemoved, MemberStatus
from services.membership.legacy.draft import Columns, Draft, person
from services.membership.legacy.identifiers import take_added
from services.membership.legacy.rows import one_fact_per_row
from services.membership.legacy.terms import Term, merge_terms, subscription
from shared.importing.outcomes import Outcome
from shared.importing.reading import Row, Table

CONTACTS = "CiviCRM contacts"
MEMBERSHIPS = "CiviCRM memberships"
MEMBERSHIP_SIGNATURES = (
    frozenset({"contact id", "membership id"}),
    frozenset({"contact id", "membership start date"}),
)
CONTACT_SIGNATURES = (frozenset({"contact id", "contact type"}), frozenset({"contact id", "display name"}))

_OPT_OUTS = (
    ("do not email", "email"),
    ("no bulk emails (user opt out)", "bulk-email"),
    ("do not phone", "phone"),
    ("do not mail", "post"),
    ("do not sms", "sms"),
)
_ON_HOLD = {"2": "bulk-email", "on hold opt out": "bulk-email", "0": "", "no": ""}
_STATUS: dict[str, MemberStatus] = {
    "new": "active",
    "current": "active",
    "grace": "active",
    "pending": "pending",
    "expired": "ended",
    "cancelled": "ended",
    "deceased": "ended",
}


def translate_contacts(table: Table, version: int) -> Iterator[Outcome[Fact]]:
    """One fact per row: a contact in CiviCRM's trash is a removal, every other one a record."""
    return one_fact_per_row(table, version, _contact)


def _contact(draft: Draft, version: int) -> Fact | None:
    record_id = draft.identity("contact id")
    if record_id and draft.flag("contact is in trash"):
        return MemberRemoved(record_id=record_id, version=version, reason="in CiviCRM's trash")
    _who(draft)
    return draft.fact(version)


def _who(draft: Draft) -> None:
    """Everything about the contact itself, which both exports have."""
    first, last = draft.take("first name"), draft.take("last name")
    contact_type = draft.peek("contact type").casefold()
    draft.text("category", "contact subtype", "contact type")
    display = draft.take("display name")
    if contact_type == "individual":
        draft.name(person(first, last) or display, "Display Name")
    elif contact_type == "household":
        draft.name(draft.take("household name") or display, "Display Name")
    else:
        legal = draft.take("legal name")
        draft.name(draft.take("organization name") or legal or display or person(first, last), "Organization Name")
    if first:
        draft.fields["contact_first_name"] = first
    if last:
        draft.fields["contact_last_name"] = last
    draft.text("brand", "nickname")
    draft.text("contact_role", "job title")
    draft.text("naf", "sic code")
    _legal_identifier(draft)
    _reach(draft)
    take_added(draft)


def _legal_identifier(draft: Draft) -> None:
    """One column for any identifier; its form tells which it is, and an unknown form is kept as written."""
    written = draft.take("legal identifier")
    compact = "".join(c for c in written if c.isalnum()).upper()
    if not written:
        return
    if compact.isdigit() and len(compact) == 14:
        draft.fields["siret"] = written
    elif compact.startswith("W") and len(compact) == 10:
        draft.fields["rna"] = written
    else:
        draft.fields["siren"] = written


def _reach(draft: Draft) -> None:
    parts = [draft.take("street address")]
    parts += [draft.take(f"supplemental address {number}") for number in (1, 2, 3)]
    street = "\n".join(part for part in parts if part)
    if street:
        draft.fields["street"] = street
    draft.text("postcode", "postal code")
    draft.text("city", "city")
    draft.text("country", "country")
    draft.text("phone", "phone")
    draft.text("email", "email")
    draft.text("website", "website")
    refused = [channel for column, channel in _OPT_OUTS if draft.flag(column)]
    # A bounce puts an address on hold too; only "On Hold Opt Out" (2) is the person's own wish.
    if draft.choice(_ON_HOLD, "on hold") == "bulk-email" and "bulk-email" not in refused:
        refused.append("bulk-email")
    if refused:
        draft.fields["opt_outs"] = tuple(refused)


def translate_memberships(table: Table, version: int) -> Iterator[Outcome[Fact]]:
    """One fact per contact, with all its memberships.

    The contact's own record comes from the contacts export, and must not be overwritten by the little that stands
    here: ids begin with ``membership:``, and ``same_as`` names the contact.
    """
    columns = Columns(table)

    def read(row: Row) -> Term:
        return _membership(Draft(row, columns))

    return merge_terms(table, version, read)


def _membership(draft: Draft) -> Term:
    contact = draft.identity("contact id")
    if contact:
        draft.record_id = draft.fields["record_id"] = f"membership:{contact}"
        draft.fields["same_as"] = contact
    if draft.flag("test"):
        draft.fault("status", "", "a test membership", "Test")
    if draft.flag("contact is in trash"):
        draft.fault("record_id", contact, "the contact is in CiviCRM's trash", "Contact is in Trash")
    _who(draft)
    status = draft.choice(_STATUS, "membership status")
    since = draft.day("member_since", "member since")
    starts = draft.day("starts_on", "membership start date") or since
    ends = draft.day("ends_on", "membership expiration date", "membership end date")
    draft.fields.pop("starts_on", None)
    draft.fields.pop("ends_on", None)
    bought = subscription(
        draft,
        draft.take("membership id", field="subscription_id"),
        starts,
        ends_on=ends,
        amount=draft.amount("amount", "total amount"),
        label=draft.take("membership type", field="label") or None,
    )
    return Term(draft, bought, status)
