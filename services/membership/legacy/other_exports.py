"""Exports that are no members' list, or lack what one needs: what they are, and what to export instead.

Staff read it, so it is said in French first and in English below.

Decision: a file in another session's language is refused and not read by a translation of its headers. A column whose
name was not foreseen would be kept aside without a word, and an objection with it. Dolibarr, Galette and CiviCRM write
their own default language at a click. Revisit when a product's whole translation can be had and tested.
"""

from collections.abc import Collection
from typing import Final, NamedTuple, TypeAlias

from shared.importing.languages import in_both

Words: TypeAlias = tuple[str, str]
"""In French and in English."""


class Other(NamedTuple):
    """A file that has all columns of ``has`` and none of ``lacks`` is ``what``; ``do`` says what to do instead."""

    has: frozenset[str]
    what: Words
    do: Words
    lacks: frozenset[str] = frozenset()

    @property
    def message(self) -> str:
        """For staff."""
        return in_both(
            f"le fichier contient {self.what[0]} ; {self.do[0]}", f"it contains {self.what[1]}; {self.do[1]}"
        )


def _other(has: str, what: Words, do: Words, lacks: str = "") -> Other:
    return Other(frozenset(has.split("; ")), what, do, frozenset(lacks.split("; ")) if lacks else frozenset())


def _tick(column: str) -> Words:
    return f"cochez « {column} » et exportez de nouveau", f'tick "{column}" and export again'


_DOLIBARR_IN_FRENCH = (
    "mettez votre langue en français dans Dolibarr et exportez de nouveau",
    "set your own language to French in Dolibarr and export again",
)
_GALETTE_IN_FRENCH = (
    "choisissez le français au bas de la page de Galette et exportez de nouveau",
    "choose French at the bottom of Galette's page and export again",
)
_CIVICRM_IN_ENGLISH = (
    "mettez votre langue en anglais dans CiviCRM et exportez de nouveau : ses en-têtes français ne sont pas tous "
    "connus, et une opposition pourrait se perdre",
    "set your own language to English in CiviCRM and export again: not all its French headers are known, and an "
    "objection might be lost",
)
_BILLING = (
    "il ne dit pas qui est adhérent : il concerne la facturation",
    "it says nothing of who a member is: it is for billing",
)
_MEMBERS_OF_DOLIBARR = (
    "exportez les adhérents (Outils > Export > Adhérents)",
    "export members (Outils > Export > Adhérents)",
)
_PARTIES_AND_MEMBERS = ("exportez les tiers et les adhérents", "export third parties and members")
_LIST_OF_MEMBERS = ("exportez la liste des membres", "export the list of members")
_TABLE_OF_MEMBERS = ("exportez la table galette_adherents", "export the table galette_adherents")
_MEMBERS_OF_PAHEKO = (
    "exportez la liste des membres (Membres > Exporter)",
    "export the list of members (Membres > Exporter)",
)

_DOLIBARR_MEMBERS_EN = ("les adhérents de Dolibarr, en anglais", "Dolibarr's members in an English session")
_DOLIBARR_PARTIES_EN = ("les tiers de Dolibarr, en anglais", "Dolibarr's third parties in an English session")
_DOLIBARR_CONTACTS_EN = ("les contacts de Dolibarr, en anglais", "Dolibarr's contacts in an English session")
_DOLIBARR_MEMBERS = ("les adhérents de Dolibarr, sans leur identifiant", "Dolibarr's members without their ids")
_DOLIBARR_PARTIES = ("les tiers de Dolibarr, sans leur identifiant", "Dolibarr's third parties without their ids")
_DOLIBARR_CONTACTS = ("les contacts de Dolibarr, sans leur identifiant", "Dolibarr's contacts without their ids")
_GALETTE_CONTRIBUTIONS = ("les contributions de Galette", "Galette's contributions")
_GALETTE_MEMBERS = ("les membres de Galette, sans leur identifiant", "Galette's members without their ids")
_PAHEKO_MEMBERS = ("les membres de Paheko, sans leur numéro", "Paheko's members without their numbers")
_PAHEKO_ACCOUNTS = ("des écritures comptables de Paheko", "Paheko's accounts")
_CIVICRM_FR = ("des fiches de CiviCRM, en français", "an export of CiviCRM in a French session")
_CIVICRM_CONTRIBUTIONS = ("les contributions de CiviCRM", "CiviCRM's contributions")
_CIVICRM_CONTACTS = ("les contacts de CiviCRM, sans leur identifiant", "CiviCRM's contacts without their ids")
_CIVICRM_MEMBERSHIPS = ("les adhésions de CiviCRM, sans le contact", "CiviCRM's memberships without their contacts")
_HELLOASSO = ("des commandes de HelloAsso", "orders of HelloAsso")
_PARTY_IDS = "id; id facture; id du(de la) tag/catégorie; identifiant tiers; identifiant contact"

OTHERS: Final = (
    _other("member id; last name", _DOLIBARR_MEMBERS_EN, _DOLIBARR_IN_FRENCH),
    _other("ref.; last name; company", _DOLIBARR_MEMBERS_EN, _DOLIBARR_IN_FRENCH),
    _other("member ref; last name", _DOLIBARR_MEMBERS_EN, _DOLIBARR_IN_FRENCH),
    _other("id; name; customer code", _DOLIBARR_PARTIES_EN, _DOLIBARR_IN_FRENCH),
    _other("id; name; professional id 1", _DOLIBARR_PARTIES_EN, _DOLIBARR_IN_FRENCH),
    _other("contact id; last name; third party id", _DOLIBARR_CONTACTS_EN, _DOLIBARR_IN_FRENCH),
    _other("member id; name", ("les membres de Galette, en anglais", "Galette's members in an English session"),
           _GALETTE_IN_FRENCH),
    _other("réf adhérent; nom", _DOLIBARR_MEMBERS, _tick("ID adhérent"), "id adhérent"),
    _other("nom; société; date fin adhésion", _DOLIBARR_MEMBERS, _tick("ID adhérent"), "id adhérent"),
    _other("nom; code client", _DOLIBARR_PARTIES, _tick("Id"), _PARTY_IDS),
    _other("nom; identifiant professionnel 1", _DOLIBARR_PARTIES, _tick("Id"), "id; identifiant tiers"),
    _other("nom; poste/fonction", _DOLIBARR_CONTACTS, _tick("Identifiant contact"), "identifiant contact"),
    _other("id facture", ("des factures ou des règlements de Dolibarr", "Dolibarr's invoices or payments"), _BILLING),
    _other("id écriture", ("des écritures bancaires de Dolibarr", "Dolibarr's bank entries"), _BILLING),
    _other("id du(de la) tag/catégorie", ("les tags de tiers de Dolibarr", "Dolibarr's tags of companies"),
           _PARTIES_AND_MEMBERS),
    _other("réf.; libellé; en vente", ("les produits ou services de Dolibarr", "Dolibarr's products or services"),
           _MEMBERS_OF_DOLIBARR),
    _other("contribution id; contributeur", _GALETTE_CONTRIBUTIONS, _BILLING),
    _other("id_cotis", _GALETTE_CONTRIBUTIONS, _BILLING),
    _other("name; surname; begin date; end date", _GALETTE_CONTRIBUTIONS, _BILLING),
    _other("trans_id; trans_amount", ("les transactions de Galette", "Galette's transactions"), _BILLING),
    _other("id_statut; libelle_statut", ("la table des statuts de Galette", "Galette's table of statuses"),
           _LIST_OF_MEMBERS),
    _other("type_id; type_name", ("la table des types de paiement de Galette", "Galette's table of payment types"),
           _LIST_OF_MEMBERS),
    _other("id_type_cotis; libelle_type_cotis",
           ("la table des types de contribution de Galette", "Galette's table of contribution types"),
           _LIST_OF_MEMBERS),
    _other("nom_adh; prenom_adh", _GALETTE_MEMBERS, _TABLE_OF_MEMBERS, "id_adh"),
    _other("nom; personne morale; statut", _GALETTE_MEMBERS, _tick("ID de l'adhérent"), "id de l'adhérent"),
    _other("activité; numéro de membre; membre",
           ("les inscrits à une activité de Paheko", "Paheko's list of those enrolled in an activity"),
           _MEMBERS_OF_PAHEKO),
    _other("nom & prénom; catégorie", _PAHEKO_MEMBERS, _tick("Numéro de membre"), "numéro de membre"),
    _other("numéro d'écriture; numéro compte", _PAHEKO_ACCOUNTS, _BILLING),
    _other("numéro d'écriture; montant", _PAHEKO_ACCOUNTS, _BILLING),
    _other("journalcode; ecriturenum", ("un fichier des écritures comptables (FEC)", "an accounting file (FEC)"),
           _BILLING),
    _other("ne pas envoyer de courriel", _CIVICRM_FR, _CIVICRM_IN_ENGLISH),
    _other("sous-type de contact", _CIVICRM_FR, _CIVICRM_IN_ENGLISH),
    _other("id. du contact; type de contact", _CIVICRM_FR, _CIVICRM_IN_ENGLISH),
    _other("identifiant du contact; type de contact", _CIVICRM_FR, _CIVICRM_IN_ENGLISH),
    _other("contact id; contribution date", _CIVICRM_CONTRIBUTIONS, _BILLING, "membership id"),
    _other("contact id; financial type label", _CIVICRM_CONTRIBUTIONS, _BILLING, "membership id"),
    _other("display name; contact type", _CIVICRM_CONTACTS, _tick("Contact ID"), "contact id"),
    _other("display name; membership status", _CIVICRM_MEMBERSHIPS, _tick("Contact ID"), "contact id"),
    _other("nom payeur; email payeur", _HELLOASSO, _BILLING),
)  # fmt: skip


def recognise_other(names: Collection[str]) -> Other | None:
    """What a file with these normalised headers is, if it is one that is known not to do."""
    present = set(names)
    return next((item for item in OTHERS if item.has <= present and not item.lacks & present), None)
