"""What each product's own import takes: its columns, what it requires, the values it accepts, how files are written.

Exports and imports of one product are not the same: an export has columns that no import takes. Sources: the import
definitions of Dolibarr's modules ``societe`` and ``adherent`` (fields, required ones marked ``*``, regular
expressions), Galette's ``CsvIn`` (its default model, which counts columns and only creates), Paheko's import of
members, and CiviCRM's imports of contacts and memberships.
"""

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.importing.table import normal

_DAY = r"\d{4}-\d{2}-\d{2}( \d{2}:\d{2}:\d{2})?"
_FRENCH_DAY = r"\d{2}/\d{2}/\d{4}"
_BOOLEAN = "[01]"
_COUNTRY = "[A-Z]{2}"


@dataclass(frozen=True, slots=True)
class ImportRules:
    """``columns``: what is taken, each with the form of its values, "" for any text. ``required`` may not be empty.

    ``ordered``: the import knows columns by their place, and takes neither more nor fewer. ``only_creates``: it cannot
    change a member that is there. ``longest``: bytes of a line.
    """

    separator: str
    columns: Mapping[str, str]
    required: tuple[str, ...]
    ordered: bool = False
    only_creates: bool = False
    longest: int | None = None
    taken: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "taken", {normal(name): form for name, form in self.columns.items()})

    def accepts(self, header: str, value: str) -> bool:
        """Whether the import takes this value in this column; an empty cell unless it is required."""
        form = self.taken.get(normal(header))
        if form is None:
            return False
        if not value:
            return header not in self.required
        return not form or re.fullmatch(form, value) is not None


_ADDRESS = dict.fromkeys(("Adresse", "Code postal", "Ville"), "")
_DOLIBARR_PARTIES = ImportRules(
    ",",
    {
        **dict.fromkeys(("Nom", "Nom alternatif", "Code client", "Code fournisseur", "Fax", "Téléphone", "Url"), ""),
        **dict.fromkeys(("Email", "Numéro TVA", "Note (privée)", "Note (publique)"), ""),
        **{f"Identifiant professionnel {number}": "" for number in range(1, 7)},
        **_ADDRESS,
        "Code pays": _COUNTRY,
        "État": _BOOLEAN,
        "Client": "[0-3]",
        "Fournisseur": _BOOLEAN,
        "Type du tiers": r"TE_[A-Z]+|\d+",
        "Capital": r"-?\d+(\.\d+)?",
        "Date création": _DAY,
    },
    ("Nom", "État", "Client", "Fournisseur"),
)
_DOLIBARR_MEMBERS = ImportRules(
    ",",
    {
        **dict.fromkeys(("Réf adhérent", "Nom", "Prénom", "Identifiant", "Société", "Email"), ""),
        **dict.fromkeys(("Tél pro.", "Tél perso.", "Tél portable", "Note (publique)", "Note (privée)"), ""),
        **_ADDRESS,
        "Code pays": _COUNTRY,
        "Nature de l'adhérent": "phy|mor",
        "Id type adhérent": r"\d+",
        "État": _BOOLEAN,
        "Date création": _DAY,
        "Date fin adhésion": _DAY,
    },
    ("Réf adhérent", "Nom", "Identifiant", "Nature de l'adhérent", "Id type adhérent", "État"),
)
_DOLIBARR_CONTACTS = ImportRules(
    ",",
    {
        **dict.fromkeys(("Raison sociale", "Nom", "Prénom", "Poste/fonction", "Téléphone", "Mobile", "Fax"), ""),
        **dict.fromkeys(("Email", "Note (privée)", "Note (publique)"), ""),
        **_ADDRESS,
        "Identifiant contact": r"\d+",
        "Code pays": _COUNTRY,
        "Date création": _DAY,
    },
    ("Identifiant contact", "Nom"),
)
_GALETTE = ImportRules(
    ";",
    {
        "nom_adh": "",
        "prenom_adh": "",
        "ddn_adh": _FRENCH_DAY,
        **dict.fromkeys(("adresse_adh", "cp_adh", "ville_adh", "pays_adh", "tel_adh", "gsm_adh", "email_adh"), ""),
        **dict.fromkeys(("prof_adh", "pseudo_adh", "societe_adh", "login_adh"), ""),
        "date_crea_adh": _FRENCH_DAY,
        "id_statut": r"\d+",
        "info_public_adh": "",
        "info_adh": "",
    },
    ("nom_adh",),
    ordered=True,
    only_creates=True,
    longest=1_000,
)
_PAHEKO = ImportRules(
    ",",
    {
        "Numéro de membre": r"\d+",
        **dict.fromkeys(("Nom & prénom", "Nom", "Prénom", "Adresse E-Mail", "Adresse postale", "Code postal"), ""),
        **dict.fromkeys(("Ville", "Pays", "Numéro de téléphone", "SIRET", "N° TVA"), ""),
        "Inscription à la lettre d'information": "Oui|Non",
        "Date d'inscription": _FRENCH_DAY,
    },
    ("Nom & prénom",),
)
_CIVICRM_CONTACTS = ImportRules(
    ",",
    {
        "Contact ID": r"\d+",
        **dict.fromkeys(("Do Not Email", "Do Not Phone", "Do Not Mail", "Do Not Sms"), _BOOLEAN),
        "No Bulk Emails (User Opt Out)": _BOOLEAN,
        **dict.fromkeys(("Contact Type", "Contact Subtype", "External Identifier", "Organization Name"), ""),
        **dict.fromkeys(("Household Name", "First Name", "Last Name", "Job Title", "Nickname", "Legal Name"), ""),
        **dict.fromkeys(("Legal Identifier", "Sic Code", "Street Address", "City", "Postal Code", "Country"), ""),
        **dict.fromkeys((f"Supplemental Address {number}" for number in (1, 2, 3)), ""),
        **dict.fromkeys(("Phone", "Email", "Website", "Current Employer ID"), ""),
    },
    (),
)
_CIVICRM_MEMBERSHIPS = ImportRules(
    ",",
    {
        "Contact ID": r"\d+",
        "Membership ID": r"\d+",
        **dict.fromkeys(("Membership Type", "Membership Source"), ""),
        **dict.fromkeys(("Member Since", "Membership Start Date", "Membership Expiration Date"), _DAY),
        "Membership Status": "",
    },
    ("Contact ID", "Membership Type"),
)
RULES: Mapping[str, ImportRules] = {
    "Dolibarr third parties": _DOLIBARR_PARTIES,
    "Dolibarr members": _DOLIBARR_MEMBERS,
    "Dolibarr contacts": _DOLIBARR_CONTACTS,
    "Galette members": _GALETTE,
    "Paheko members": _PAHEKO,
    "CiviCRM contacts": _CIVICRM_CONTACTS,
    "CiviCRM memberships": _CIVICRM_MEMBERSHIPS,
}
"""By the name of the kind of file."""
_WRITTEN_BREAK = re.compile(r"\\n")


def faults(kind: str, content: bytes) -> list[str]:
    """What the product's import would refuse, or read as something else; nothing if it takes the file as it is."""
    rules = RULES[kind]
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return ["the file is not UTF-8"]
    header, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=rules.separator)
    details = [f'"{name}" is no column of the import' for name in header if normal(name) not in rules.taken]
    details += [f'"{name}" is required' for name in rules.required if normal(name) not in map(normal, header)]
    details += [f'"{name}" stands twice' for name in set(header) if header.count(name) > 1]
    if rules.ordered and header != [*rules.columns]:
        details.append(f"{len(header)} columns, and not the {len(rules.columns)} of the import in their order")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            details.append(f"line {number}: {len(row)} cells under {len(header)} headers")
        for name, value in zip(header, row, strict=False):
            if normal(name) in rules.taken and not rules.accepts(name, value):
                details.append(f'line {number}: "{name}" does not take {value!r}')
            if _WRITTEN_BREAK.search(value):
                details.append(f'line {number}: "{name}" has a written line break, which is kept as it is')
    if rules.longest is not None:
        lines = (line for line in content.split(b"\n") if len(line) > (rules.longest or 0))
        details += [f"a line of {len(line)} bytes, of which {rules.longest} are read" for line in lines]
    return details
