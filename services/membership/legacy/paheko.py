"""Paheko: the members list. Labels are set by each site; these are the defaults, and others are kept as written.

``,``, dates d/m/Y. Source: the default member fields of Paheko.
"""

from collections.abc import Iterator

from schemas.fields import Fact
from services.membership.legacy.draft import Draft
from services.membership.legacy.identifiers import take_added
from services.membership.legacy.rows import one_fact_per_row
from shared.importing.outcomes import Outcome
from shared.importing.reading import Table

PRODUCT = "Paheko members"
SIGNATURES = (
    frozenset({"numéro de membre", "nom & prénom"}),
    frozenset({"numéro de membre", "nom et prénom"}),
    frozenset({"numéro de membre", "nom"}),
)


def translate(table: Table, version: int) -> Iterator[Outcome[Fact]]:
    """One fact per row."""
    return one_fact_per_row(table, version, _member)


def _member(draft: Draft, version: int) -> Fact | None:
    draft.identity("numéro de membre")
    draft.name(draft.take("nom & prénom", "nom et prénom", "nom", field="name"), "Nom & prénom")
    draft.text("email", "adresse e-mail", "e-mail")
    draft.text("street", "adresse postale", "adresse")
    draft.text("postcode", "code postal")
    draft.text("city", "ville")
    draft.text("country", "pays")
    draft.text("phone", "numéro de téléphone", "téléphone")
    draft.text("category", "catégorie")
    draft.day("member_since", "date d'inscription")
    # No "yes" to the newsletter is a no: the most restrictive reading is the one that may be undone later.
    if draft.flag("inscription à la lettre d'information") is False:
        draft.fields["opt_outs"] = ("bulk-email",)
    take_added(draft)
    return draft.fact(version)
