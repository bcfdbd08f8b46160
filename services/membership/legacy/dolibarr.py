"""Dolibarr: third parties (labels of version 15 on, and older ones) and members (one row per subscription).

A separator ends every line, line breaks inside a cell are written ``\\\\n``, and SIREN, SIRET, NAF, RCS, EORI and RNA
hide behind "Identifiant professionnel 1" to "6". Source: labels of Dolibarr's export modules
``societe`` and ``adherent``.
"""

from collections.abc import Iterator

from schemas.fields import Fact
from schemas.membership import Subscription
from services.membership.legacy.draft import Columns, Draft, person
from services.membership.legacy.identifiers import take_added
from services.membership.legacy.rows import one_fact_per_row
from services.membership.legacy.terms import Term, merge_terms, subscription
from shared.importing.outcomes import Outcome
from shared.importing.reading import Row, Table

THIRD_PARTIES = "Dolibarr third parties"
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
)
MEMBER_SIGNATURES = (frozenset({"id adhérent", "nom"}), frozenset({"id adhérent", "société"}))

_LINE_BREAK = "\\n"
_STATUS = {"1": "active", "0": "ended", "-1": "pending", "-2": "ended"}
"""Adherent::STATUS_VALIDATED, RESILIATED, DRAFT, EXCLUDED."""


def translate_third_parties(table: Table, version: int) -> Iterator[Outcome[Fact]]:
    """One fact per row, under the third party's own id."""
    return one_fact_per_row(table, version, _third_party, _LINE_BREAK)


def _third_party(draft: Draft, version: int) -> Fact | None:
    draft.identity("id")
    draft.name(draft.take("nom", field="name"), "Nom")
    draft.text("brand", "nom alternatif")
    for field, number in (("siren", 1), ("siret", 2), ("naf", 3), ("rna", 6)):
        # Renamed from "ID professionnel" to "Identifiant professionnel"; the header never says SIREN.
        draft.text(field, f"identifiant professionnel {number}", f"id professionnel {number}", f"id. prof. {number}")
    draft.text("vat", "numéro tva", "num tva", "numéro de tva")
    draft.text("legal_form", "type d'entité légale", "forme juridique")
    draft.text("category", "type du tiers", "nature")
    draft.text("headcount", "effectif", "effectifs")
    draft.text("phone", "téléphone", "tél.", "tél")
    draft.text("mobile", "tél portable", "téléphone portable", "mobile")
    _place(draft)
    draft.day("created_on", "date création", "date de création")
    draft.day("modified_on", "date de dernière modification", "date modification")
    take_added(draft)
    return draft.fact(version)


def _place(draft: Draft) -> None:
    draft.text("email", "email", "e-mail", "adresse email")
    draft.text("street", "adresse")
    draft.text("postcode", "code postal")
    draft.text("city", "ville")
    # The name is for people, the code for when the name is missing; when both are there, both are kept.
    draft.text("country", "pays", "code pays")


def translate_members(table: Table, version: int) -> Iterator[Outcome[Fact]]:
    """One fact per member, with all its subscriptions, made from one row per subscription.

    Members have ids of their own that may well equal a third party's. So theirs begin with ``adherent:``, and
    ``same_as`` names the bare id, which consolidation follows only when the names agree.
    """
    columns = Columns(table)

    def read(row: Row) -> Term:
        return _member_row(Draft(row, columns, _LINE_BREAK))

    return merge_terms(table, version, read)


def _member_row(draft: Draft) -> Term:
    record_id = draft.identity("id adhérent")
    if record_id:
        draft.record_id = draft.fields["record_id"] = f"adherent:{record_id}"
        draft.fields["same_as"] = record_id
    _who(draft)
    draft.text("category", "libellé du type adhérent")
    draft.text("phone", "tél pro.", "tél perso.")
    draft.text("mobile", "tél portable")
    _place(draft)
    status = draft.choice(_STATUS, "état", "statut")
    if status is not None:
        draft.fields["status"] = status
    draft.day("created_on", "date création")
    since = draft.day("member_since", "date validation")
    if since is None and "created_on" in draft.fields:
        draft.fields["member_since"] = draft.fields["created_on"]
    draft.day("modified_on", "date de dernière modification")
    draft.day("paid_until", "date fin adhésion")
    take_added(draft)
    return Term(draft, _subscription(draft))


def _who(draft: Draft) -> None:
    first, last = draft.take("prénom"), draft.take("nom")
    company = draft.take("société")
    natural = draft.choice({"phy": True, "mor": False}, "nature de l'adhérent")
    if natural:
        draft.name(person(first, last), "Nom")
    else:
        # A legal person without a name must not become a member called after its contact.
        draft.name(company, "Société")
    if first:
        draft.fields["contact_first_name"] = first
    if last:
        draft.fields["contact_last_name"] = last
    if natural and company:
        draft.fields["brand"] = company


def _subscription(draft: Draft) -> Subscription | None:
    """The subscription of this row; "Date fin adhésion" stands twice, first the member's, then the subscription's."""
    number = draft.take("id adhésion", field="subscription_id")
    starts = draft.day("starts_on", "date adhésion")
    ends = draft.day("ends_on", "date fin adhésion", nth=1)
    paid = draft.amount("amount", "montant")
    draft.fields.pop("starts_on", None)
    draft.fields.pop("ends_on", None)
    return subscription(draft, number, starts, ends_on=ends, amount=paid)
