"""Galette: the members list, with the labels of its export or the raw column names; read, and written back.

``;``, every field quoted, dates d/m/Y, Oui/Non. Which columns there are depends on the exporter's rights, and clusters
add their own (SIRET, N° TVA…). Source: Galette's own export code, columns in ``Galette\\\\Entity\\\\Adherent``.
"""

from collections.abc import Iterable, Iterator

from schemas.base import Fact
from schemas.membership import MemberRecorded
from services.membership.legacy.columns import column
from services.membership.legacy.draft import Draft, person
from services.membership.legacy.identifiers import take_added
from services.membership.legacy.lines import Dialect, Sheet, added_to, french, oui, texts
from services.membership.legacy.rows import one_fact_per_row
from shared.importing.outcomes import Outcome
from shared.importing.reading import Table

PRODUCT = "Galette members"
SIGNATURES = (
    frozenset({"id de l'adhérent", "nom"}),
    frozenset({"id_adh", "nom_adh"}),
)
DIALECT = Dialect(";", quoted=True)

_ID = column("ID de l'adhérent", "id_adh")
_FIRST, _LAST = column("Prénom", "prenom_adh"), column("Nom", "nom_adh")
_COMPANY = column("Personne morale", "societe_adh")
_TEXTS = {
    "contact_role": column("Profession", "prof_adh"),
    "category": column("Statut", "id_statut"),
    "street": column("Adresse", "adresse_adh"),
    "postcode": column("Code Postal", "cp_adh"),
    "city": column("Ville", "ville_adh"),
    "country": column("Pays", "pays_adh"),
    "phone": column("Téléphone", "tel_adh"),
    "mobile": column("GSM", "gsm_adh"),
    "email": column("Courriel", "email_adh"),
}
_ACTIVE = column("Compte", "activite_adh")
_EXEMPT = column("Exempt de cotisation", "bool_exempt_adh")
_CREATED = column("Date de création", "date_crea_adh")
_MODIFIED = column("Date de modification", "date_modif_adh")
_DUE = column("Date d’échéance", "date_echeance")


def translate(table: Table, version: int) -> Iterator[Outcome[Fact]]:
    """One fact per row. A row with a company name is that company, and its person the contact."""
    return one_fact_per_row(table, version, _member)


def _member(draft: Draft, version: int) -> Fact | None:
    draft.identity(*_ID.names)
    first, last = draft.take(*_FIRST.names), draft.take(*_LAST.names)
    company = draft.take(*_COMPANY.names)
    draft.name(company or person(first, last), "Personne morale")
    if first:
        draft.fields["contact_first_name"] = first
    if last:
        draft.fields["contact_last_name"] = last
    for field, one in _TEXTS.items():
        draft.text(field, *one.names)
    active = draft.flag(*_ACTIVE.names)
    if active is not None:
        draft.fields["status"] = "active" if active else "ended"
    exempt = draft.flag(*_EXEMPT.names)
    if exempt is not None:
        draft.fields["exempt"] = exempt
    created = draft.day("created_on", *_CREATED.names)
    if created is not None:
        draft.fields["member_since"] = created
    draft.day("modified_on", *_MODIFIED.names)
    draft.day("paid_until", *_DUE.names)
    take_added(draft)
    return draft.fact(version)


def write(fact: MemberRecorded, added: Iterable[str]) -> Sheet:
    """The row of one member: a company with its contact, or a person who is called as the contact is."""
    first, last = fact.contact_first_name or "", fact.contact_last_name or ""
    line = [
        (_ID, fact.record_id),
        (_LAST, last),
        (_FIRST, first),
        (_COMPANY, "" if fact.name == person(first, last) else fact.name),
        *texts(fact, _TEXTS),
        # Someone who is not a member yet has no account that works.
        (_ACTIVE, "" if fact.status is None else oui(fact.status == "active")),
        (_EXEMPT, oui(fact.exempt)),
        # One column for both; the first day of membership is the one that was told.
        (_CREATED, french(fact.member_since or fact.created_on)),
        (_MODIFIED, french(fact.modified_on)),
        (_DUE, french(fact.paid_until)),
    ]
    return Sheet([line + added_to(fact, added, _TEXTS)], fact.extra)
