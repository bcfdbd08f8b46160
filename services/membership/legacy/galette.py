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
from services.membership.legacy.meanings import DEFAULT, Meaning, Reading
from services.membership.legacy.rows import one_fact_per_row
from shared.importing.outcomes import Outcome
from shared.importing.table import Table

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
_STATUS = _TEXTS["category"]
_STATUSES: dict[str, Meaning] = {
    **dict.fromkeys(("1", "2", "3", "4", "5", "6", "8", "10"), "active"),
    "9": "none",
    "societe": "active",
}
"""Galette's own statuses as numbers, which its table export has; names go by their words. 7, "Ancien", is asked: some
mean a member for long by it, some one who left."""
_PARENT = column("Parent", "parent_id")
_ACTIVE = column("Compte", "activite_adh")
_EXEMPT = column("Exempt de cotisation", "bool_exempt_adh")
_CREATED = column("Date de création", "date_crea_adh")
_MODIFIED = column("Date de modification", "date_modif_adh")
_DUE = column("Date d’échéance", "date_echeance")


def translate(table: Table, version: int, reading: Reading = DEFAULT) -> Iterator[Outcome[Fact]]:
    """One fact per row. A row with a company name is that company, and its person the contact."""
    return one_fact_per_row(table, version, _member, reading=reading)


def _member(draft: Draft, version: int) -> Fact | None:
    draft.identity(*_ID.names)
    first = draft.text("contact_first_name", *_FIRST.names)
    last = draft.text("contact_last_name", *_LAST.names)
    company = draft.take(*_COMPANY.names)
    draft.name(company or person(first, last), "Personne morale")
    for field, item in _TEXTS.items():
        draft.text(field, *item.names)
    draft.text("works_for", *_PARENT.names)
    _stands(draft)
    draft.covers("status", *_ACTIVE.names)
    draft.covers("member_since", *_CREATED.names)
    draft.covers("exempt", *_EXEMPT.names)
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


def _stands(draft: Draft) -> None:
    """By the status, of which "Non membre" is one; an account that was switched off ends what the status begins."""
    if not draft.peek(*_STATUS.names) and draft.has(*_ACTIVE.names):
        meaning: Meaning | None = "active"
    else:
        meaning = draft.status(_STATUSES, _STATUS.header, *_STATUS.names, by_words=True, take=False)
    if meaning not in (None, "none"):
        # What agrees with the status is said by it; what does not goes along as it is.
        account = draft.flag(*_ACTIVE.names, take=False)
        if account is False:
            meaning = "ended"
        if account is not None and account == (meaning == "active"):
            draft.flag(*_ACTIVE.names)
        if account is None and not draft.peek(*_STATUS.names):
            meaning = None
    draft.stands(meaning)


def write(fact: MemberRecorded, added: Iterable[str]) -> Sheet:
    """The row of one member: a company with its contact, or a person who is called as the contact is."""
    first, last = fact.contact_first_name or "", fact.contact_last_name or ""
    line = [
        (_ID, fact.record_id),
        (_LAST, last),
        (_FIRST, first),
        (_COMPANY, "" if fact.name == person(first, last) else fact.name),
        *texts(fact, _TEXTS),
        (_PARENT, fact.works_for or ""),
        # Someone who is not a member yet has no account that works. One that is kept as it was goes back as it was.
        (_ACTIVE, "" if fact.status is None or _kept_account(fact) else oui(fact.status == "active")),
        (_EXEMPT, oui(fact.exempt)),
        # One column for both; the first day of membership is the one that was told.
        (_CREATED, french(fact.member_since or fact.created_on)),
        (_MODIFIED, french(fact.modified_on)),
        (_DUE, french(fact.paid_until)),
    ]
    return Sheet([line + added_to(fact, added, _TEXTS)], fact.extra)


def _kept_account(fact: MemberRecorded) -> bool:
    return fact.status != "active" and _ACTIVE.header in {header.strip() for header in fact.extra}
