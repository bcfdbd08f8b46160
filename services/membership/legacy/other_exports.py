"""Exports that are no members' list, or lack what one needs: what they are, and what to export instead."""

from collections.abc import Collection
from typing import Final, NamedTuple

_DOLIBARR_MEMBERS = "export members (Outils > Export > Adhérents)"
_BILLING = "it says nothing of who a member is: it is for billing"


class Other(NamedTuple):
    """A file that has all columns of ``has`` and none of ``lacks`` is ``what``; ``do`` says what to do instead."""

    has: frozenset[str]
    what: str
    do: str
    lacks: frozenset[str] = frozenset()


def _other(has: str, what: str, do: str, lacks: str = "") -> Other:
    return Other(frozenset(has.split("; ")), what, do, frozenset(lacks.split("; ")) if lacks else frozenset())


OTHERS: Final = (
    _other("member id; last name", "Dolibarr's members in an English session",
           "set your own language to French in Dolibarr and export again"),
    _other("id; name; customer code", "Dolibarr's third parties in an English session",
           "set your own language to French in Dolibarr and export again"),
    _other("id; name; professional id 1", "Dolibarr's third parties in an English session",
           "set your own language to French in Dolibarr and export again"),
    _other("contact id; last name; third party id", "Dolibarr's contacts in an English session",
           "set your own language to French in Dolibarr and export again"),
    _other("member id; name", "Galette's members in an English session",
           "choose French at the bottom of Galette's page and export again"),
    _other("réf adhérent; nom", "Dolibarr's members without their ids", 'tick "ID adhérent" and export again',
           "id adhérent"),
    _other("nom; société; date fin adhésion", "Dolibarr's members without their ids",
           'tick "ID adhérent" and export again', "id adhérent"),
    _other("nom; code client", "Dolibarr's third parties without their ids", 'tick "Id" and export again',
           "id; id facture; id du(de la) tag/catégorie; identifiant tiers; identifiant contact"),
    _other("nom; identifiant professionnel 1", "Dolibarr's third parties without their ids",
           'tick "Id" and export again', "id; identifiant tiers"),
    _other("id facture", "Dolibarr's invoices or payments", _BILLING),
    _other("id écriture", "Dolibarr's bank entries", _BILLING),
    _other("id du(de la) tag/catégorie", "Dolibarr's tags of companies", "export third parties and members"),
    _other("réf.; libellé; en vente", "Dolibarr's products or services", _DOLIBARR_MEMBERS),
    _other("contribution id; contributeur", "Galette's contributions", _BILLING),
    _other("id_cotis", "Galette's contributions", _BILLING),
    _other("trans_id; trans_amount", "Galette's transactions", _BILLING),
    _other("name; surname; begin date; end date", "Galette's contributions", _BILLING),
    _other("id_statut; libelle_statut", "Galette's table of statuses", "export the list of members"),
    _other("type_id; type_name", "Galette's table of payment types", "export the list of members"),
    _other("id_type_cotis; libelle_type_cotis", "Galette's table of contribution types", "export the list of members"),
    _other("nom_adh; prenom_adh", "Galette's members without their ids", "export the table galette_adherents",
           "id_adh"),
    _other("activité; numéro de membre; membre", "Paheko's list of those enrolled in an activity",
           "export the list of members (Membres > Exporter)"),
    _other("numéro d'écriture; numéro compte", "Paheko's accounts", _BILLING),
    _other("numéro d'écriture; montant", "Paheko's accounts", _BILLING),
    _other("journalcode; ecriturenum", "an accounting file (FEC)", _BILLING),
    _other("contact id; contribution date", "CiviCRM's contributions", _BILLING, "membership id"),
    _other("contact id; financial type label", "CiviCRM's contributions", _BILLING, "membership id"),
    _other("display name; contact type", "CiviCRM's contacts without their ids",
           'add "Contact ID" to the columns and export again', "contact id"),
)  # fmt: skip


def recognise_other(names: Collection[str]) -> Other | None:
    """What a file with these normalised headers is, if it is one that is known not to do."""
    present = set(names)
    return next((item for item in OTHERS if item.has <= present and not item.lacks & present), None)
