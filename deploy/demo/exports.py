"""The members' files, as Dolibarr and Galette write them, with some rows that no importer should accept."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random

from deploy.demo import words
from deploy.demo.companies import CLUSTR, Record

THIRD_PARTY_HEADER = (
    "Id", "Nom", "Nom alternatif", "Maison mère", "État", "Client", "Fournisseur", "Date création", "Code client",
    "Adresse", "Code postal", "Ville", "Département / Canton", "Région", "Pays", "Code pays", "Téléphone", "Fax",
    "Email", "Identifiant professionnel 1", "Identifiant professionnel 2", "Identifiant professionnel 3",
    "Identifiant professionnel 4", "Identifiant professionnel 5", "Identifiant professionnel 6", "Numéro TVA",
    "Capital", "Type du tiers", "Type d'entité légale", "Url",
)  # fmt: skip
# "Date fin adhésion" is there twice: first the member's, then the subscription's.
MEMBER_HEADER = (
    "ID adhérent", "Réf adhérent", "Titre civilité", "Nom", "Prénom", "Identifiant", "Genre", "Nature de l'adhérent",
    "Société", "Adresse", "Code postal", "Ville", "Code État / Province", "Département / Canton", "Code pays", "Pays",
    "Tél pro.", "Tél perso.", "Tél portable", "Email", "Anniversaire", "État", "Photo", "Note (publique)",
    "Note (privée)", "Date création", "Date validation", "Date de dernière modification", "Date fin adhésion",
    "Id type adhérent", "Libellé du type adhérent", "Id adhésion", "Date adhésion", "Date fin adhésion", "Montant",
)  # fmt: skip
# The spaces at the end are Galette's own. What the association added is in no list of members: see DYNAMIC_HEADER.
GALETTE_HEADER = (
    "ID de l'adhérent ", "Statut ", "Nom ", "Prénom ", "Personne morale ", "Pseudo ", "Titre ", "Date de naissance ",
    "Genre ", "Adresse ", "Code Postal ", "Ville ", "Région\u202f", "Pays ", "Téléphone ", "GSM ", "Courriel ",
    "Autres informations (admin) ", "Autres informations ", "Profession ", "Identifiant ", "Date de création ",
    "Date de modification ", "Compte ", "Administrateur Galette ", "Exempt de cotisation ",
    "Apparaître dans la liste des membres ", "Date d’échéance ", "Langue ", "Lieu de naissance ", "Id GNUpg (GPG) ",
    "Parent ", "Numéro adhérent ",
)  # fmt: skip
DYNAMIC_HEADER = ("item_id", "field_id", "field_form", "val_index", "field_val")
DYNAMIC_FIELDS = {"SIRET": 5, "N° TVA": 6, "APE": 7, "Site web": 8}
"""The fields that the association added, by the number under which Galette's table of them keeps each."""

DEPARTMENTS = {
    "69": "Rhône", "38": "Isère", "74": "Haute-Savoie", "42": "Loire", "26": "Drôme", "07": "Ardèche",
    "63": "Puy-de-Dôme", "03": "Allier", "15": "Cantal", "43": "Haute-Loire",
}  # fmt: skip
MEMBER_TYPES = ("TPE 1-9 salariés", "PME 10-25 salariés", "PME 26-50 salariés", "ETI / groupe")
NET_DUES = {CLUSTR: (300, 600, 900, 1200), "numelink": (180, 350, 600, 950)}
"""Euros a year, net, by fee band."""

Row = list[str]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A planted row that no importer should accept."""

    line: int
    """In the file, the header being line 1."""
    reason: str


@dataclass(frozen=True, slots=True)
class Written:
    """What went into one file."""

    rows: int
    """Below the header, bad ones included."""
    bad: tuple[BadRow, ...]


def dolibarr_third_parties(path: Path, records: Sequence[Record], rng: Random) -> Written:
    """One row per member."""
    rows = [_third_party(record, rng) for record in records]
    planted = _plant(rng, rows, rng.choice(rows), names=(1, 2), date_at=7, bad_date="2023-02-31", renamed=1, filled=9)
    return _write_dolibarr(path, THIRD_PARTY_HEADER, rows, planted)


def dolibarr_members(path: Path, records: Sequence[Record], rng: Random) -> Written:
    """One row per subscription, and one for a member without any.

    Dolibarr numbers its members by themselves, as they came: the number of a third party is another company's here.
    """
    rows: list[Row] = []
    subscription = 0
    for number, record in enumerate(sorted(records, key=lambda record: (record.joined_on, record.name)), start=1_001):
        member, category = _member(number, record, rng)
        paid = [term for term in record.terms if term.outcome == "paid"]
        for term in paid:
            subscription += 1
            dates = [term.starts_on.isoformat(), term.ends_on.isoformat()]
            amount = f"{NET_DUES[CLUSTR][record.company.band]},00"
            rows.append([*member, *category, str(subscription), *dates, amount])
        if not paid:
            rows.append([*member, *category, "", "", "", ""])
    sample = next((row for row in rows if row[32]), rows[0])
    planted = _plant(rng, rows, sample, names=(3, 4, 8), date_at=32, bad_date="2023-02-31", renamed=8, filled=9)
    return _write_dolibarr(path, MEMBER_HEADER, rows, planted)


def galette_members(path: Path, records: Sequence[Record], rng: Random) -> Written:
    """One row per member."""
    rows = [_adherent(record, rng) for record in records]
    planted = _plant(
        rng, rows, rng.choice(rows), names=(2, 3, 4), date_at=27, bad_date="31/02/2023", renamed=4, filled=9
    )
    lines, bad = _merge(rows, planted)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        writer.writerow(GALETTE_HEADER)
        writer.writerows(lines)
    return Written(len(lines), bad)


def galette_dynamic_fields(path: Path, records: Sequence[Record]) -> Written:
    """One row per value that is not empty, as Galette's page of exports writes the whole table."""
    lines = [
        [record.record_id, str(number), "adh", "1", value]
        for record in records
        for number, value in zip(
            DYNAMIC_FIELDS.values(), (record.siret, record.vat, record.naf, record.website), strict=True
        )
        if value
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        writer.writerow(DYNAMIC_HEADER)
        writer.writerows(lines)
    return Written(len(lines), ())


# Rows


def _third_party(record: Record, rng: Random) -> Row:
    company = record.company
    kind = "TE_PRIVATE" if record.natural_person else ("TE_SMALL", "TE_MEDIUM", "TE_MEDIUM", "TE_GROUP")[company.band]
    return [
        record.record_id, record.name, record.brand, "", "0" if record.status == "ended" else "1", "1", "0",
        record.joined_on.isoformat(), f"CU{int(record.record_id):05d}", _two_lines(record, rng), record.postcode,
        record.city, DEPARTMENTS.get(record.department, ""), "", record.country, _country_code(record), record.phone,
        "", record.email, record.siren, record.siret, record.naf.replace(".", ""), "", "", "", record.vat, "",
        kind if rng.random() < 0.8 else "", "" if record.natural_person else company.form, record.website,
    ]  # fmt: skip


def _member(number: int, record: Record, rng: Random) -> tuple[Row, Row]:
    company, person = record.company, record.natural_person
    named = person or rng.random() < 0.8
    state = {"active": "1", "pending": "-1", "ended": "0"}[record.status]
    joined = record.joined_on.isoformat()
    paid_until = record.paid_until
    member = [
        str(number), f"MEM{number:05d}", "", company.last_name if named else "",
        company.first_name if named else "", "", "", "phy" if person else "mor", "" if person else record.name,
        record.street, record.postcode, record.city, record.department, DEPARTMENTS.get(record.department, ""),
        _country_code(record), record.country, record.phone, "", _grouped(record.mobile), record.email, "", state, "",
        "", r"Relancé par téléphone\nRappeler en janvier" if rng.random() < 0.03 else "", joined,
        "" if record.status == "pending" else joined, record.modified_on.isoformat(),
        paid_until.isoformat() if paid_until else "",
    ]  # fmt: skip
    category = (
        ["5", "Membre d'honneur (exonéré)"] if record.exempt else [str(company.band + 1), MEMBER_TYPES[company.band]]
    )
    return member, category


def _adherent(record: Record, rng: Random) -> Row:
    company, person = record.company, record.natural_person
    named = person or rng.random() < 0.8
    status = "Membre fondateur" if record.exempt else "Membre bienfaiteur" if rng.random() < 0.04 else "Membre actif"
    number = int(record.record_id)
    paid_until = record.paid_until
    return [
        record.record_id, status, company.last_name if named else "", company.first_name if named else "",
        "" if person else record.name, record.brand, "", "", "", record.street, record.postcode, record.city, "",
        record.country, record.phone, _grouped(record.mobile), record.email, "",
        "Rencontré au salon, à rappeler" if rng.random() < 0.03 else "", "Gérant" if rng.random() < 0.1 else "",
        f"nl{number:05d}", _french(record.joined_on), _french(record.modified_on),
        "Non" if record.status == "ended" else "Oui", "Non", "Oui" if record.exempt else "Non",
        "Non" if record.opted_out or rng.random() < 0.1 else "Oui", _french(paid_until) if paid_until else "",
        "fr_FR", "", "", "", f"NL{number:05d}",
    ]  # fmt: skip


def _two_lines(record: Record, rng: Random) -> str:
    """Dolibarr writes a line break inside a cell as the two characters ``\\n``."""
    return rf"{record.street}\n{rng.choice(words.EXTRAS)}" if rng.random() < 0.12 else record.street


def _country_code(record: Record) -> str:
    return "FR" if record.country == "France" else ""


def _grouped(digits: str) -> str:
    return " ".join(digits[at : at + 2] for at in range(0, len(digits), 2))


def _french(day: date) -> str:
    return f"{day.day:02d}/{day.month:02d}/{day.year}"


# Bad rows

Planted = list[tuple[int, Row, str]]


def _plant(
    rng: Random,
    rows: list[Row],
    sample: Row,
    *,
    names: Iterable[int],
    date_at: int,
    bad_date: str,
    renamed: int,
    filled: int,
) -> Planted:
    """Rows to set aside. All but the last have ids of their own, so that no good member is lost along with them."""
    nameless, undated, short, long = ([f"9{900_000 + number}", *sample[1:]] for number in range(4))
    for place in names:
        nameless[place] = ""
    undated[date_at] = bad_date
    short[filled + 3 :] = []
    long[renamed : renamed + 1] = ["Lumière", " Fils et Cie"]  # a comma that nobody quoted
    other = [*rows[0]]
    other[renamed], other[filled] = "Tout Autre Société", "1 rue d’Ailleurs"
    reasons = (
        (nameless, "name missing"),
        (undated, f"impossible date {bad_date}"),
        (short, "too few cells"),
        (long, "too many cells"),
        (other, "duplicate id with other content"),
    )
    # Each stands before the good row of that number; never before row 0, which the last one repeats.
    places = sorted(rng.randrange(1, len(rows) + 1) for _ in reasons)
    return [(place, row, reason) for place, (row, reason) in zip(places, reasons, strict=True)]


def _merge(rows: list[Row], planted: Planted) -> tuple[list[Row], tuple[BadRow, ...]]:
    merged = list(rows)
    bad: list[BadRow] = []
    for already, (place, row, reason) in enumerate(planted):
        merged.insert(place + already, row)
        bad.append(BadRow(place + already + 2, reason))
    return merged, tuple(bad)


def _write_dolibarr(path: Path, header: Sequence[str], rows: list[Row], planted: Planted) -> Written:
    lines, bad = _merge(rows, planted)
    # A typographic apostrophe exists in Windows-1252 and not in ISO-8859-1: a reader that mixes them up will show it.
    with path.open("w", encoding="cp1252", newline="") as file:
        writer = csv.writer(file, lineterminator=",\n")  # the trailing separator
        writer.writerow(header)
        writer.writerows(lines)
    return Written(len(lines), bad)
