"""Paheko: the members list, read and written back.

Labels are set by each site; these are the defaults, and others are kept as written. ``,``, dates d/m/Y. Source: the
default member fields of Paheko.
"""

from collections.abc import Iterable, Iterator

from schemas.base import Fact
from schemas.membership import MemberRecorded
from services.membership.legacy.columns import column
from services.membership.legacy.draft import Draft, person
from services.membership.legacy.identifiers import take_added
from services.membership.legacy.lines import Dialect, Sheet, added_to, french, texts
from services.membership.legacy.meanings import DEFAULT, Meaning, Reading
from services.membership.legacy.rows import one_fact_per_row
from shared.importing.outcomes import Outcome
from shared.importing.table import Table

PRODUCT = "Paheko members"
SIGNATURES = (
    frozenset({"numéro de membre", "nom & prénom"}),
    frozenset({"numéro de membre", "nom et prénom"}),
    frozenset({"numéro de membre", "nom"}),
)
DIALECT = Dialect(",")

_ID = column("Numéro de membre")
_NAME = column("Nom & prénom", "nom et prénom")
_FIRST, _LAST = column("Prénom"), column("Nom")
"""A site may keep the two apart; a site that has but "Nom" keeps the whole name in it."""
_TEXTS = {
    "email": column("Adresse E-Mail", "e-mail"),
    "street": column("Adresse postale", "adresse"),
    "postcode": column("Code postal"),
    "city": column("Ville"),
    "country": column("Pays"),
    "phone": column("Numéro de téléphone", "téléphone"),
    "category": column("Catégorie"),
}
_SINCE = column("Date d'inscription")
_CATEGORY = _TEXTS["category"]
_STATUSES: dict[str, Meaning] = {"membres actifs": "active", "anciens membres": "ended", "administrateurs": "active"}
"""The categories that Paheko begins with; others are the site's own, and go by their words."""
_LETTER = column("Inscription à la lettre d'information")


def translate(table: Table, version: int, reading: Reading = DEFAULT) -> Iterator[Outcome[Fact]]:
    """One fact per row."""
    return one_fact_per_row(table, version, _member, reading=reading)


def _member(draft: Draft, version: int) -> Fact | None:
    draft.identity(*_ID.names)
    _name(draft)
    for field, item in _TEXTS.items():
        draft.text(field, *item.names)
    draft.day("member_since", *_SINCE.names)
    draft.stands(draft.status(_STATUSES, _CATEGORY.header, *_CATEGORY.names, by_words=True, take=False))
    _letter(draft)
    take_added(draft)
    return draft.fact(version)


def _name(draft: Draft) -> None:
    whole = draft.take(*_NAME.names, field="name")
    if not draft.has(*_FIRST.names):
        draft.name(whole or draft.take(*_LAST.names, field="name"), _NAME.header)
        return
    first = draft.text("contact_first_name", *_FIRST.names)
    last = draft.text("contact_last_name", *_LAST.names)
    draft.name(whole or person(first, last), _NAME.header)


def _letter(draft: Draft) -> None:
    """A box that is not ticked comes as an empty cell, and is a no: where the column is there, only "Oui" is a yes.

    A yes goes along as it is written, so that the way back never makes one up.
    """
    draft.covers("opt_outs", *_LETTER.names)
    if draft.has(*_LETTER.names) and not draft.flag(*_LETTER.names, take=False):
        draft.flag(*_LETTER.names)
        draft.fields["opt_outs"] = ("bulk-email",)


def write(fact: MemberRecorded, added: Iterable[str]) -> Sheet:
    """The row of one member."""
    # A yes is only ever one that was said there, and kept as it was written.
    letter = "Non" if "bulk-email" in fact.opt_outs else ""
    first, last = fact.contact_first_name or "", fact.contact_last_name or ""
    line = [
        (_ID, fact.record_id),
        (_NAME, fact.name),
        *([(_FIRST, first), (_LAST, last)] if first or last else []),
        *texts(fact, _TEXTS),
        (_SINCE, french(fact.member_since)),
        (_LETTER, letter),
    ]
    return Sheet([line + added_to(fact, added, _TEXTS)], fact.extra)
