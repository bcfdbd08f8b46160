"""Dolibarr: third parties (labels of version 15 on, and older ones), contacts, and members (one row per subscription).

Read, and written back.

A separator ends every line, line breaks inside a cell are written ``\\\\n``, and SIREN, SIRET, NAF, RCS, EORI and RNA
hide behind "Identifiant professionnel 1" to "6". Source: labels of Dolibarr's export modules
``societe`` and ``adherent``.
"""

from collections.abc import Iterable, Iterator

from schemas.base import Fact
from schemas.membership import MemberRecorded, MemberStatus, Subscription
from services.membership.legacy.columns import column
from services.membership.legacy.draft import Columns, Draft, person
from services.membership.legacy.identifiers import take_added
from services.membership.legacy.lines import Dialect, Line, Sheet, added_to, iso, texts
from services.membership.legacy.meanings import DEFAULT, Meaning, Reading
from services.membership.legacy.rows import one_fact_per_row
from services.membership.legacy.terms import Term, merge_terms, subscription, term_lines
from shared.importing.languages import in_both
from shared.importing.outcomes import Notice, Outcome, UnreadableError
from shared.importing.table import Row, Table

THIRD_PARTIES = "Dolibarr third parties"
CONTACTS = "Dolibarr contacts"
MEMBERS = "Dolibarr members"
THIRD_PARTY_SIGNATURES = (
    frozenset({"id", "nom", "identifiant professionnel 1"}),
    frozenset({"id", "nom", "id professionnel 1"}),
    # The user picks the columns, so any that only this export has will do.
    frozenset({"id", "nom", "code client"}),
    frozenset({"id", "nom", "nom alternatif"}),
    frozenset({"id", "nom", "type du tiers"}),
    frozenset({"id", "nom", "maison mère"}),
    frozenset({"id", "nom", "id. prof. 1"}),
    frozenset({"id", "nom"}),
)
MEMBER_SIGNATURES = (frozenset({"id adhérent", "nom"}), frozenset({"id adhérent", "société"}))
CONTACT_SIGNATURES = (frozenset({"identifiant contact", "nom"}),)
MEMBER_PREFIX, CONTACT_PREFIX = "adherent:", "contact:"
"""What our ids of members and of contacts begin with; Dolibarr's own begin behind it."""

_LINE_BREAK = "\\n"
DIALECT = Dialect(",", encoding="cp1252", ending=",\n", line_break=_LINE_BREAK)

_ID, _NAME = column("Id"), column("Nom")
_PLACE = {
    "email": column("Email", "e-mail", "adresse email"),
    "street": column("Adresse"),
    "postcode": column("Code postal"),
    "city": column("Ville"),
    # The name is for people, the code for when the name is missing; when both are there, both are kept.
    "country": column("Pays", "code pays"),
}
_TEXTS = {
    "brand": column("Nom alternatif"),
    # Renamed from "ID professionnel" to "Identifiant professionnel"; the header never says SIREN.
    **{
        field: column(f"Identifiant professionnel {n}", f"ID professionnel {n}", f"id. prof. {n}")
        for field, n in (("siren", 1), ("siret", 2), ("naf", 3), ("rna", 6))
    },
    "vat": column("Numéro TVA", "num tva", "numéro de tva"),
    "legal_form": column("Type d'entité légale", "forme juridique"),
    "category": column("Type du tiers", "nature"),
    "headcount": column("Effectifs", "effectif", "salariés"),
    "phone": column("Téléphone", "tél.", "tél"),
    "mobile": column("Tél portable", "téléphone portable", "mobile"),
    **_PLACE,
}
_URL = "Url"
"""Dolibarr's own column for what others add under many names: read with those."""
_NUMBERS = (column("Capital"), column("Montant encours autorisé"))
_SALES_PEOPLE = (column("Login du commercial"), column("Prénom du commercial"), column("Nom du commercial"))
"""Two of them make two rows of one company."""
_CREATED = column("Date création", "date de création")
_MODIFIED = column("Date de dernière modification", "date modification")

_CONTACT_ID = column("Identifiant contact")
_CONTACT_TEXTS = {
    "works_for": column("Identifiant société"),
    "contact_role": column("Poste/fonction"),
    "phone": column("Téléphone"),
    "mobile": column("Mobile"),
    **_PLACE,
}
_MEMBER_ID = column("ID adhérent")
_FIRST, _LAST, _COMPANY = column("Prénom"), column("Nom"), column("Société")
_NATURE = column("Nature de l'adhérent")
_MEMBER_TEXTS = {
    "category": column("Libellé du type adhérent"),
    "phone": column("Tél pro.", "tél perso."),
    "mobile": column("Tél portable"),
    **_PLACE,
}
_NO_COMPANY = "empty for a legal person: shown by its contact's name until Dolibarr says its own"
_STATE = column("État", "statut")
_MADE, _VALIDATED = column("Date création"), column("Date validation")
_CHANGED = column("Date de dernière modification")
_UNTIL = column("Date fin adhésion")
"""Stands twice: first the member's, then the subscription's."""
_TERM, _STARTS, _PAID = column("Id adhésion"), column("Date adhésion"), column("Montant")
_TERMS = (*_TERM.names, *_STARTS.names)

_STATUS: dict[str, Meaning] = {"1": "active", "0": "ended", "-1": "pending", "-2": "ended"}
"""Adherent::STATUS_VALIDATED, RESILIATED, DRAFT, EXCLUDED."""
_CODE: dict[MemberStatus, str] = {"active": "1", "ended": "0", "pending": "-1"}


def translate_third_parties(table: Table, version: int, reading: Reading = DEFAULT) -> Iterator[Outcome[Fact]]:
    """One fact per third party, under its own id.

    Customers, prospects and suppliers alike are no members by this: who is one is told by the members' export.
    """
    return one_fact_per_row(table, version, _third_party, _LINE_BREAK, reading, _SALES_PEOPLE)


def _third_party(draft: Draft, version: int) -> Fact | None:
    draft.identity(*_ID.names)
    draft.name(draft.take(*_NAME.names, field="name"), _NAME.header)
    for field, item in _TEXTS.items():
        draft.text(field, *item.names)
    draft.day("created_on", *_CREATED.names)
    draft.day("modified_on", *_MODIFIED.names)
    draft.tidy_number(*(name for item in _NUMBERS for name in item.names))
    draft.stands("none")
    take_added(draft)
    return draft.fact(version)


def write_third_party(fact: MemberRecorded, added: Iterable[str]) -> Sheet:
    """The row of one third party."""
    line = [
        (_ID, fact.record_id),
        (_NAME, fact.name),
        *texts(fact, _TEXTS),
        (_CREATED, iso(fact.created_on)),
        (_MODIFIED, iso(fact.modified_on)),
    ]
    return Sheet([line + added_to(fact, (*added, _URL), _TEXTS)], fact.extra)


def translate_contacts(table: Table, version: int, reading: Reading = DEFAULT) -> Iterator[Outcome[Fact]]:
    """One fact per contact, a person of the third party that the row names. What stands twice is the person's first."""
    return one_fact_per_row(table, version, _contact, _LINE_BREAK, reading)


def _contact(draft: Draft, version: int) -> Fact | None:
    record_id = draft.identity(*_CONTACT_ID.names)
    if record_id:
        draft.record_id = draft.fields["record_id"] = f"{CONTACT_PREFIX}{record_id}"
    first = draft.text("contact_first_name", *_FIRST.names)
    last = draft.text("contact_last_name", *_LAST.names)
    draft.name(person(first, last), _LAST.header)
    for field, item in _CONTACT_TEXTS.items():
        draft.text(field, *item.names)
    draft.day("created_on", *_CREATED.names)
    draft.day("modified_on", *_MODIFIED.names)
    draft.stands("none")
    return draft.fact(version)


def write_contact(fact: MemberRecorded, _: Iterable[str]) -> Sheet:
    """The row of one contact."""
    line = [
        (_CONTACT_ID, fact.record_id.removeprefix(CONTACT_PREFIX)),
        (_LAST, fact.contact_last_name or ""),
        (_FIRST, fact.contact_first_name or ""),
        *texts(fact, _CONTACT_TEXTS),
        (_CREATED, iso(fact.created_on)),
        (_MODIFIED, iso(fact.modified_on)),
    ]
    return Sheet([line], fact.extra)


def translate_members(table: Table, version: int, reading: Reading = DEFAULT) -> Iterator[Outcome[Fact]]:
    """One fact per member, with all its subscriptions, made from one row per subscription.

    Members have ids of their own that may well equal a third party's and mean another company; so theirs begin with
    ``adherent:``. No export says which third party a member is: recognition finds out.
    """
    columns = Columns(table)
    if not any(name in columns for item in (_COMPANY, _NATURE) for name in item.names):
        raise UnreadableError(
            in_both(
                f"{table.path}: ce sont des adhérents sans le nom de leur société : cochez « {_COMPANY.header} » et "
                f"« {_NATURE.header} » dans l'export des adhérents de Dolibarr",
                "these are members without the names of their companies: "
                f'tick "{_COMPANY.header}" and "{_NATURE.header}" in Dolibarr\'s export of members',
            )
        )

    def read(row: Row) -> Term:
        return _member_row(Draft(row, columns, _LINE_BREAK, reading))

    # The member's own last day may be another than that of its last subscription: without its column it is not known.
    own_day = columns.count(*_UNTIL.names) > 1 or not any(name in columns for name in _TERMS)
    return merge_terms(table, version, read, until_from_terms=own_day)


def _member_row(draft: Draft) -> Term:
    record_id = draft.identity(*_MEMBER_ID.names)
    if record_id:
        draft.record_id = draft.fields["record_id"] = f"{MEMBER_PREFIX}{record_id}"
    _who(draft)
    for field, item in _MEMBER_TEXTS.items():
        draft.text(field, *item.names)
    draft.stands(draft.status(_STATUS, _STATE.header, *_STATE.names))
    draft.day("created_on", *_MADE.names)
    draft.covers("member_since", *_MADE.names)
    since = draft.day("member_since", *_VALIDATED.names)
    if since is None and "created_on" in draft.fields:
        draft.fields["member_since"] = draft.fields["created_on"]
    draft.day("modified_on", *_CHANGED.names)
    if not _only_the_terms(draft):
        draft.day("paid_until", *_UNTIL.names)
    take_added(draft)
    return Term(draft, _subscription(draft))


def _who(draft: Draft) -> None:
    first = draft.text("contact_first_name", *_FIRST.names)
    last = draft.text("contact_last_name", *_LAST.names)
    company = draft.take(*_COMPANY.names)
    draft.covers("brand", *_COMPANY.names)
    natural = draft.choice({"phy": True, "mor": False}, *_NATURE.names)
    if natural:
        draft.name(person(first, last), "Nom")
    else:
        draft.name(company or person(first, last), "Société")
        if not company and "name" in draft.fields:
            draft.notices.append(Notice(draft.line, draft.record_id, "Société", "", _NO_COMPANY))
    if natural and company:
        draft.fields["brand"] = company


def _only_the_terms(draft: Draft) -> bool:
    """Whether the one "Date fin adhésion" of a file is the subscription's: the member's own was not ticked."""
    return draft.count(*_UNTIL.names) == 1 and draft.has(*_TERMS)


def _subscription(draft: Draft) -> Subscription | None:
    draft.covers("subscriptions", *_TERMS)
    number = draft.take(*_TERM.names, field="subscription_id")
    starts = draft.day("starts_on", *_STARTS.names)
    ends = draft.day("ends_on", *_UNTIL.names, nth=0 if _only_the_terms(draft) else 1)
    paid = draft.amount("amount", *_PAID.names)
    draft.fields.pop("starts_on", None)
    draft.fields.pop("ends_on", None)
    return subscription(draft, number, starts, ends_on=ends, amount=paid)


def write_member(fact: MemberRecorded, added: Iterable[str]) -> Sheet:
    """One row for each subscription of a member, or one row without any."""
    first, last = fact.contact_first_name or "", fact.contact_last_name or ""
    natural = fact.name == person(first, last)
    member = [
        (_MEMBER_ID, fact.record_id.removeprefix(MEMBER_PREFIX)),
        (_LAST, last),
        (_FIRST, first),
        (_NATURE, "phy" if natural else "mor"),
        (_COMPANY, (fact.brand or "") if natural else fact.name),
        *texts(fact, _MEMBER_TEXTS),
        (_STATE, "" if fact.status is None else _CODE[fact.status]),
        (_MADE, iso(fact.created_on)),
        (_VALIDATED, iso(fact.member_since)),
        (_CHANGED, iso(fact.modified_on)),
        (_UNTIL, iso(fact.paid_until)),
        *added_to(fact, added, _MEMBER_TEXTS),
    ]
    return term_lines(fact, member, _term)


def _term(bought: Subscription | None) -> Line:
    if bought is None:
        return [(_TERM, ""), (_STARTS, ""), (_UNTIL, ""), (_PAID, "")]
    paid = "" if bought.amount is None else f"{bought.amount:.2f}".replace(".", ",")
    return [
        (_TERM, bought.subscription_id),
        (_STARTS, iso(bought.starts_on)),
        (_UNTIL, iso(bought.ends_on)),
        (_PAID, paid),
    ]
