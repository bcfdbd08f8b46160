"""Paheko: the members list, read and written back.

Labels are set by each site; these are the defaults, and others are kept as written. ``,``, dates d/m/Y. Source: the
default member fields of Paheko.
"""

from collections.abc import Iterable, Iterator

from schemas.base import Fact
from schemas.membership import MemberRecorded
from services.membership.legacy.columns import column
from services.membership.legacy.draft import Draft
from services.membership.legacy.identifiers import take_added
from services.membership.legacy.lines import Dialect, Sheet, added_to, french, made_here, texts
from services.membership.legacy.rows import one_fact_per_row
from shared.importing.outcomes import Outcome
from shared.importing.reading import Table

PRODUCT = "Paheko members"
SIGNATURES = (
    frozenset({"numéro de membre", "nom & prénom"}),
    frozenset({"numéro de membre", "nom et prénom"}),
    frozenset({"numéro de membre", "nom"}),
)
DIALECT = Dialect(",")

_ID = column("Numéro de membre")
_NAME = column("Nom & prénom", "nom et prénom", "nom")
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
_LETTER = column("Inscription à la lettre d'information")


def translate(table: Table, version: int) -> Iterator[Outcome[Fact]]:
    """One fact per row."""
    return one_fact_per_row(table, version, _member)


def _member(draft: Draft, version: int) -> Fact | None:
    draft.identity(*_ID.names)
    draft.name(draft.take(*_NAME.names, field="name"), _NAME.header)
    for field, one in _TEXTS.items():
        draft.text(field, *one.names)
    draft.day("member_since", *_SINCE.names)
    # No "yes" to the newsletter is a no: the most restrictive reading is the one that may be undone later.
    if draft.flag(*_LETTER.names) is False:
        draft.fields["opt_outs"] = ("bulk-email",)
    take_added(draft)
    return draft.fact(version)


def write(fact: MemberRecorded, added: Iterable[str]) -> Sheet:
    """The row of one member."""
    # Who was in Paheko and refuses nothing had said yes there; who was not never said so, and must not be held to it.
    letter = "Non" if "bulk-email" in fact.opt_outs else "" if made_here(fact.record_id) else "Oui"
    line = [
        (_ID, fact.record_id),
        (_NAME, fact.name),
        *texts(fact, _TEXTS),
        (_SINCE, french(fact.member_since)),
        (_LETTER, letter),
    ]
    return Sheet([line + added_to(fact, added, _TEXTS)], fact.extra)
