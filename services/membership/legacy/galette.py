"""Galette: the members list, with the labels of its export or the raw column names.

``;``, every field quoted, dates d/m/Y, Oui/Non. Which columns there are depends on the exporter's rights, and clusters
add their own (SIRET, N° TVA…). Source: Galette's own export code, columns in ``Galette\\\\Entity\\\\Adherent``.
"""

from collections.abc import Iterator

from schemas.fields import Fact
from services.membership.legacy.draft import Draft, person
from services.membership.legacy.identifiers import take_added
from services.membership.legacy.rows import one_fact_per_row
from shared.importing.outcomes import Outcome
from shared.importing.reading import Table

PRODUCT = "Galette members"
SIGNATURES = (
    frozenset({"id de l'adhérent", "nom"}),
    frozenset({"id_adh", "nom_adh"}),
)


def translate(table: Table, version: int) -> Iterator[Outcome[Fact]]:
    """One fact per row. A row with a company name is that company, and its person the contact."""
    return one_fact_per_row(table, version, _member)


def _member(draft: Draft, version: int) -> Fact | None:
    draft.identity("id de l'adhérent", "id_adh")
    first, last = draft.take("prénom", "prenom_adh"), draft.take("nom", "nom_adh")
    company = draft.take("personne morale", "societe_adh")
    draft.name(company or person(first, last), "Personne morale")
    if first:
        draft.fields["contact_first_name"] = first
    if last:
        draft.fields["contact_last_name"] = last
    draft.text("contact_role", "profession", "prof_adh")
    draft.text("category", "statut", "id_statut")
    draft.text("street", "adresse", "adresse_adh")
    draft.text("postcode", "code postal", "cp_adh")
    draft.text("city", "ville", "ville_adh")
    draft.text("country", "pays", "pays_adh")
    draft.text("phone", "téléphone", "tel_adh")
    draft.text("mobile", "gsm", "gsm_adh")
    draft.text("email", "courriel", "email_adh")
    active = draft.flag("compte", "activite_adh")
    if active is not None:
        draft.fields["status"] = "active" if active else "ended"
    exempt = draft.flag("exempt de cotisation", "bool_exempt_adh")
    if exempt is not None:
        draft.fields["exempt"] = exempt
    created = draft.day("created_on", "date de création", "date_crea_adh")
    if created is not None:
        draft.fields["member_since"] = created
    draft.day("modified_on", "date de modification", "date_modif_adh")
    draft.day("paid_until", "date d'échéance", "date_echeance")
    take_added(draft)
    return draft.fact(version)
