"""CiviCRM: contacts, and memberships (one row per membership, with the contact's columns beside it).

Read, and written back. Source: the labels of CiviCRM's export of contacts and of memberships, English as they are in
its export files.
"""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

from schemas.base import Fact
from schemas.membership import MemberRecorded, MemberRemoved, MemberStatus, Subscription
from services.membership.legacy.columns import Column, column
from services.membership.legacy.draft import Columns, Draft, person
from services.membership.legacy.identifiers import ADDED, take_added
from services.membership.legacy.lines import Dialect, Line, Sheet, added_to, iso, texts
from services.membership.legacy.meanings import DEFAULT, Meaning, Reading
from services.membership.legacy.rows import one_fact_per_row
from services.membership.legacy.terms import Term, merge_terms, subscription, term_lines
from shared.importing.outcomes import Notice, Outcome
from shared.importing.table import Row, Table, normal

CONTACTS = "CiviCRM contacts"
MEMBERSHIPS = "CiviCRM memberships"
MEMBERSHIP_SIGNATURES = (
    frozenset({"contact id", "membership id"}),
    frozenset({"contact id", "membership start date"}),
)
CONTACT_SIGNATURES = (frozenset({"contact id", "contact type"}), frozenset({"contact id", "display name"}))
MEMBERSHIP_PREFIX = "membership:"
"""What our ids of memberships begin with; the contact's own begins behind it."""
DIALECT = Dialect(",", quoted=True)

_ID = column("Contact ID")
_TYPE, _SUBTYPE = column("Contact Type"), column("Contact Subtype")
_FIRST, _LAST, _DISPLAY = column("First Name"), column("Last Name"), column("Display Name")
_ORGANIZATION, _LEGAL, _HOUSEHOLD = column("Organization Name"), column("Legal Name"), column("Household Name")
_EMPLOYER = column("Current Employer ID")
_IDENTIFIER = column("Legal Identifier")
_STREET = (
    column("Street Address"),
    *(column(f"Supplemental Address {number}") for number in (1, 2, 3)),
)
_TEXTS = {
    "brand": column("Nickname"),
    "contact_role": column("Job Title"),
    "naf": column("Sic Code"),
    "postcode": column("Postal Code"),
    "city": column("City"),
    "country": column("Country"),
    "phone": column("Phone"),
    "email": column("Email"),
    "website": column("Website"),
}
_OPT_OUTS = (
    (column("Do Not Email"), "email"),
    (column("No Bulk Emails (User Opt Out)"), "bulk-email"),
    (column("Do Not Phone"), "phone"),
    (column("Do Not Mail"), "post"),
    (column("Do Not Sms"), "sms"),
)
_SINCE = column("Member Since")
_STARTS, _ENDS = column("Membership Start Date"), column("Membership Expiration Date", "membership end date")
_STATE, _TERM = column("Membership Status"), column("Membership ID")
_PAID, _LABEL = column("Total Amount"), column("Membership Type")
_NEITHER = "neither yes nor no: it counts as a refusal until it is one of them"
_ON_HOLD = {"2": "bulk-email", "on hold opt out": "bulk-email", "0": "", "no": ""}
_STATUS: dict[str, Meaning] = {
    "new": "active",
    "current": "active",
    "grace": "active",
    "pending": "pending",
    "expired": "ended",
    "cancelled": "ended",
    "deceased": "ended",
    # The same in a French session.
    "nouveau": "active",
    "nouvelle": "active",
    "actuel": "active",
    "actuelle": "active",
    "en cours": "active",
    "delai de grace": "active",
    "en attente": "pending",
    "expire": "ended",
    "expiree": "ended",
    "annule": "ended",
    "annulee": "ended",
    "decede": "ended",
}
_STATE_OF: dict[MemberStatus, str] = {"active": "Current", "pending": "Pending", "ended": "Expired"}


def translate_contacts(table: Table, version: int, reading: Reading = DEFAULT) -> Iterator[Outcome[Fact]]:
    """One fact per row: a contact in CiviCRM's trash is a removal, every other one a record.

    A contact is no member: that is told by its memberships. Someone with an employer is one of its people.
    """
    return one_fact_per_row(table, version, _contact, reading=reading)


def _contact(draft: Draft, version: int) -> Fact | None:
    record_id = draft.identity(*_ID.names)
    if record_id and draft.flag("contact is in trash"):
        return MemberRemoved(record_id=record_id, version=version, reason="in CiviCRM's trash")
    _who(draft)
    draft.stands("none")
    if draft.peek(*_TYPE.names).casefold() == "individual":
        draft.text("works_for", *_EMPLOYER.names)
    return draft.fact(version)


def _who(draft: Draft) -> None:
    """Everything about the contact itself, which both exports have."""
    first = draft.text("contact_first_name", *_FIRST.names)
    last = draft.text("contact_last_name", *_LAST.names)
    contact_type = draft.peek(*_TYPE.names).casefold()
    draft.text("category", *_SUBTYPE.names, *_TYPE.names)
    display = draft.take(*_DISPLAY.names)
    if contact_type == "individual":
        draft.name(person(first, last) or display, "Display Name")
    elif contact_type == "household":
        draft.name(draft.take(*_HOUSEHOLD.names) or display, "Display Name")
    else:
        legal = draft.take(*_LEGAL.names)
        draft.name(draft.take(*_ORGANIZATION.names) or legal or display or person(first, last), "Organization Name")
    for field, item in _TEXTS.items():
        draft.text(field, *item.names)
    for field in ("siren", "siret", "rna"):
        draft.covers(field, *_IDENTIFIER.names)
    draft.covers("street", *(name for item in _STREET for name in item.names))
    _legal_identifier(draft)
    _reach(draft)
    take_added(draft)


def _legal_identifier(draft: Draft) -> None:
    """One column for any identifier; its form tells which it is, and an unknown form is kept as written."""
    written = draft.take(*_IDENTIFIER.names)
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
    parts = [draft.take(*item.names) for item in _STREET]
    street = "\n".join(part for part in parts if part)
    if street:
        draft.fields["street"] = street
    draft.covers("opt_outs", "on hold", *(name for item, _ in _OPT_OUTS for name in item.names))
    refused = [channel for item, channel in _OPT_OUTS if _refuses(draft, item)]
    # A bounce puts an address on hold too; only "On Hold Opt Out" (2) is the person's own wish.
    if draft.choice(_ON_HOLD, "on hold") == "bulk-email" and "bulk-email" not in refused:
        refused.append("bulk-email")
    if refused:
        draft.fields["opt_outs"] = tuple(refused)


def _refuses(draft: Draft, item: Column) -> bool:
    """Whether a box is ticked. A word that is neither yes nor no counts as a refusal: consent is never guessed."""
    answer = draft.flag(*item.names)
    if answer is None and (written := draft.peek(*item.names)):
        draft.notices.append(Notice(draft.line, draft.record_id, item.header, written, _NEITHER))
        return True
    return bool(answer)


def translate_memberships(table: Table, version: int, reading: Reading = DEFAULT) -> Iterator[Outcome[Fact]]:
    """One fact per contact, with all its memberships.

    The contact's own record comes from the contacts export, and must not be overwritten by the little that stands
    here: ids begin with ``membership:``, and ``same_as`` names the contact.
    """
    columns = Columns(table)

    def read(row: Row) -> Term:
        return _membership(Draft(row, columns, reading=reading))

    return merge_terms(table, version, read)


def _membership(draft: Draft) -> Term:
    contact = draft.identity(*_ID.names)
    if contact:
        draft.record_id = draft.fields["record_id"] = f"{MEMBERSHIP_PREFIX}{contact}"
        draft.fields["same_as"] = contact
    if draft.flag("test"):
        draft.fault("status", "", "a test membership", "Test")
    if draft.flag("contact is in trash"):
        draft.fault("record_id", contact, "the contact is in CiviCRM's trash", "Contact is in Trash")
    _who(draft)
    status = draft.status(_STATUS, _STATE.header, *_STATE.names)
    if status is None and draft.notices:
        status = "none"
    draft.covers("subscriptions", *_TERM.names, *_STARTS.names)
    draft.covers("paid_until", *_ENDS.names)
    since = draft.day("member_since", *_SINCE.names)
    starts = draft.day("starts_on", *_STARTS.names) or since
    ends = draft.day("ends_on", *_ENDS.names)
    draft.fields.pop("starts_on", None)
    draft.fields.pop("ends_on", None)
    bought = subscription(
        draft,
        draft.take(*_TERM.names, field="subscription_id"),
        starts,
        ends_on=ends,
        amount=draft.amount("amount", *_PAID.names),
        label=draft.take(*_LABEL.names, field="label") or None,
    )
    return Term(draft, bought, status)


def write_contact(fact: MemberRecorded, added: Iterable[str]) -> Sheet:
    """The row of one contact."""
    return Sheet([_contact_line(fact, added)], fact.extra)


def write_membership(fact: MemberRecorded, added: Iterable[str]) -> Sheet:
    """One row for each membership of a contact, or one without any, which says where the contact stands."""
    newest = max(fact.subscriptions, key=lambda subscription: subscription.starts_on, default=None)

    def line(bought: Subscription | None) -> Line:
        # Each membership has a status of its own: what is said of the member is said of the newest.
        status = fact.status if bought == newest else fact.status and "ended"
        return [
            (_STATE, "" if status is None else _STATE_OF[status]),
            (_SINCE, iso(fact.member_since)),
            (_TERM, "" if bought is None else bought.subscription_id),
            (_LABEL, "" if bought is None else bought.label or ""),
            (_STARTS, "" if bought is None else iso(bought.starts_on)),
            (_ENDS, "" if bought is None else iso(bought.ends_on)),
            (_PAID, "" if bought is None or bought.amount is None else f"{bought.amount:.2f}"),
        ]

    return term_lines(fact, _contact_line(fact, added), line)


def _contact_line(fact: MemberRecorded, added: Iterable[str]) -> Line:
    category = fact.category or ""
    is_type = category.casefold() in ("individual", "organization", "household")
    # A subtype's own type was kept as it was written.
    contact_type = category if is_type else fact.extra.get(_TYPE.header, "")
    kind = contact_type.casefold()
    street = [*(fact.street or "").split("\n", len(_STREET) - 1), *[""] * len(_STREET)]
    line = [
        (_ID, fact.record_id.removeprefix(MEMBERSHIP_PREFIX)),
        (_TYPE, contact_type),
        (_SUBTYPE, "" if is_type else category),
        (_DISPLAY, fact.name),
        (_ORGANIZATION, "" if kind in ("individual", "household") else fact.name),
        (_HOUSEHOLD, fact.name if kind == "household" else ""),
        (_FIRST, fact.contact_first_name or ""),
        (_LAST, fact.contact_last_name or ""),
        *texts(fact, _TEXTS),
        *zip(_STREET, street, strict=False),
        (_EMPLOYER, fact.works_for or ""),
        *((item, "1" if channel in fact.opt_outs else "") for item, channel in _OPT_OUTS),
        *added_to(fact, added, _TEXTS),
    ]
    normals = {normal(item.header) for item, written in line if written}
    return [*line, (_IDENTIFIER, _one_identifier(fact, normals))]


def _one_identifier(fact: MemberRecorded, stored: AbstractSet[str]) -> str:
    """The first of the legal identifiers that no column of the cluster's own holds: there is one column for all."""
    left = (name for name in ("siren", "siret", "rna") if stored.isdisjoint(ADDED[name]))
    return next((value for name in left if (value := getattr(fact, name))), "")
