"""What a product's own database says of a member, in the words of a fact: to hold against what an importer read.

Each product's truth is a CSV file that was dumped by SQL, with the names of the product's own columns.
"""

import csv
import difflib
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

Row = Mapping[str, str]
Stated = dict[str, Any]
"""Field by field what is true of one record; a field that is not there is not compared."""

_DOLIBARR_STATUS = {"1": "active", "0": "ended", "-1": "pending", "-2": "ended"}
_CIVICRM_STATUS = {"Current": "active", "New": "active", "Grace": "active", "Pending": "pending"}
_PAHEKO_LETTER = "lettre_infos"
_GALETTE_NON_MEMBER = "9"
_CIVICRM_REFUSALS = (
    ("do_not_email", "email"),
    ("is_opt_out", "bulk-email"),
    ("do_not_phone", "phone"),
    ("do_not_mail", "post"),
    ("do_not_sms", "sms"),
)


@dataclass(frozen=True, slots=True)
class Truth:
    """The truth of one folder: by the importer's name for a kind of file, every record by the id of its fact."""

    kinds: Mapping[str, Mapping[str, Stated]]


def read_truth(folder: Path, product: str) -> Truth | None:
    """The truth about ``product`` (a folder's name such as ``galette-1.1.5.2``); None if nothing is known of it."""

    def rows(table: str) -> list[dict[str, str]]:
        path = folder / f"{product}-{table}.csv"
        if not path.exists():
            return []
        with path.open(encoding="utf-8-sig", newline="") as lines:
            return list(csv.DictReader(lines))

    makers: dict[str, Callable[[Callable[[str], list[dict[str, str]]]], Truth]] = {
        "dolibarr": _dolibarr,
        "galette": _galette,
        "paheko": _paheko,
        "civicrm": _civicrm,
    }
    maker = makers.get(product.partition("-")[0])
    return maker(rows) if maker else None


def _dolibarr(rows: Callable[[str], list[dict[str, str]]]) -> Truth:
    terms = _grouped(rows("subscription"), "fk_adherent")
    members = {f"adherent:{row['rowid']}": _adherent(row, terms[row["rowid"]]) for row in rows("adherent")}
    parties = {row["rowid"]: _party(row) for row in rows("societe")}
    people = {f"contact:{row['rowid']}": _person(row) for row in rows("socpeople")}
    return Truth({"Dolibarr members": members, "Dolibarr third parties": parties, "Dolibarr contacts": people})


def _adherent(row: Row, terms: Sequence[Row]) -> Stated:
    natural = row["morphy"] == "phy"
    person = f"{row['firstname']} {row['lastname']}".strip()
    return {
        "name": person if natural else row["societe"] or person,
        "status": _DOLIBARR_STATUS[row["statut"]],
        "contact_first_name": row["firstname"],
        "contact_last_name": row["lastname"],
        "category": row["type_libelle"],
        "street": row["address"],
        "postcode": row["zip"],
        "city": row["town"],
        "email": row["email"],
        "phone": row["phone"] or row["phone_perso"],
        "mobile": row["phone_mobile"],
        "paid_until": _day(row["datefin"]),
        "created_on": _day(row["datec"]),
        "member_since": _day(row["datevalid"]) or _day(row["datec"]),
        "subscriptions": sorted(
            (term["rowid"], _day(term["dateadh"]), _day(term["datef"]), _cents(term["subscription"])) for term in terms
        ),
        "opt_outs": (),
    }


def _party(row: Row) -> Stated:
    return {
        "name": row["nom"],
        "status": "",
        "brand": row["name_alias"],
        "siren": row["siren"],
        "siret": row["siret"],
        "naf": row["ape"],
        "rna": row["idprof6"],
        "vat": row["tva_intra"],
        "street": row["address"],
        "postcode": row["zip"],
        "city": row["town"],
        "email": row["email"],
        "phone": row["phone"],
        "mobile": row["phone_mobile"],
        "website": row["url"],
        "headcount": row["effectif_code"],
        "created_on": _day(row["datec"]),
        "opt_outs": (),
    }


def _person(row: Row) -> Stated:
    return {
        "name": f"{row['firstname']} {row['lastname']}".strip(),
        "works_for": row["fk_soc"],
        "contact_role": row["poste"],
        "email": row["email"],
        "phone": row["phone"],
        "mobile": row["phone_mobile"],
        "street": row["address"],
        "opt_outs": (),
    }


def _galette(rows: Callable[[str], list[dict[str, str]]]) -> Truth:
    added: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for row in rows("dynamic"):
        added[row["item_id"]][row["field_name"]] = row["field_val"]
    return Truth({"Galette members": {row["id_adh"]: _adh(row, added[row["id_adh"]]) for row in rows("adherents")}})


def _adh(row: Row, added: Row) -> Stated:
    status = "active" if row["activite_adh"] == "1" else "ended"
    return {
        "name": row["societe_adh"] or f"{row['prenom_adh']} {row['nom_adh']}".strip(),
        "status": "" if row["id_statut"] == _GALETTE_NON_MEMBER else status,
        "contact_first_name": row["prenom_adh"],
        "contact_last_name": row["nom_adh"],
        "contact_role": row["prof_adh"],
        "street": row["adresse_adh"],
        "postcode": row["cp_adh"],
        "city": row["ville_adh"],
        "country": row["pays_adh"],
        "phone": row["tel_adh"],
        "mobile": row["gsm_adh"],
        "email": row["email_adh"],
        "paid_until": _day(row["date_echeance"]),
        "created_on": _day(row["date_crea_adh"]),
        "modified_on": _day(row["date_modif_adh"]),
        "exempt": row["bool_exempt_adh"] == "1",
        "works_for": row["parent_id"],
        "siret": added.get("SIRET", ""),
        "vat": added.get("N° TVA", ""),
        "naf": added.get("APE", ""),
        "website": added.get("Site web", ""),
        "opt_outs": (),
    }


def _paheko(rows: Callable[[str], list[dict[str, str]]]) -> Truth:
    return Truth({"Paheko members": {row["numero"]: _user(row) for row in rows("users")}})


def _user(row: Row) -> Stated:
    return {
        "name": row["nom"],
        "status": "ended" if row["categorie"] == "Anciens membres" else "active",
        "category": row["categorie"],
        "email": row["email"],
        "street": row["adresse"],
        "postcode": row["code_postal"],
        "city": row["ville"],
        "phone": row["telephone"],
        "siret": row["siret"],
        "vat": row["tva"],
        "member_since": _day(row["date_inscription"]),
        "opt_outs": () if row[_PAHEKO_LETTER] == "1" else ("bulk-email",),
    }


def _civicrm(rows: Callable[[str], list[dict[str, str]]]) -> Truth:
    terms = _grouped(rows("membership"), "contact_id")
    contacts = {row["id"]: row for row in rows("contact")}
    members = {f"membership:{key}": {**_contact(contacts[key]), **_terms(own)} for key, own in terms.items()}
    return Truth(
        {
            "CiviCRM contacts": {key: _contact(row) for key, row in contacts.items()},
            "CiviCRM memberships": members,
        }
    )


def _contact(row: Row) -> Stated:
    refused = [channel for column, channel in _CIVICRM_REFUSALS if row[column] == "1"]
    if row["on_hold"] == "2" and "bulk-email" not in refused:
        refused.append("bulk-email")
    person = row["contact_type"] == "Individual"
    name = f"{row['first_name']} {row['last_name']}".strip() if person else row["organization_name"]
    return {
        "name": name or row["display_name"],
        "status": "",
        "brand": row["nick_name"],
        "contact_role": row["job_title"],
        "contact_first_name": row["first_name"],
        "contact_last_name": row["last_name"],
        "works_for": row["employer_id"],
        "email": row["email"],
        "phone": row["phone"],
        "street": "\n".join(part for part in (row["street_address"], row["supplemental_address_1"]) if part),
        "postcode": row["postal_code"],
        "city": row["city"],
        "country": row["country"],
        "website": row["url"],
        "opt_outs": tuple(refused),
    }


def _terms(terms: Sequence[Row]) -> Stated:
    statuses = {_CIVICRM_STATUS.get(term["status_name"], "ended") for term in terms}
    return {
        "status": next(status for status in ("active", "pending", "ended") if status in statuses),
        "member_since": min(_day(term["join_date"]) for term in terms),
        "paid_until": max(_day(term["end_date"]) for term in terms),
        "subscriptions": sorted((term["id"], _day(term["start_date"]), _day(term["end_date"])) for term in terms),
    }


def _grouped(rows: Sequence[dict[str, str]], key: str) -> defaultdict[str, list[Row]]:
    result: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        result[row[key]].append(row)
    return result


def _day(written: str) -> str:
    return written[:10]


def _cents(written: str) -> str:
    return f"{Decimal(written):.2f}" if written else ""


def differences(fact: Any, truth: Stated, fields: set[str]) -> Iterator[str]:
    """The fields of a fact that say otherwise. ``fields`` are those that its file says anything of."""
    for name in sorted(fields & truth.keys()):
        read, true = getattr(fact, name), truth[name]
        if name == "subscriptions":
            same = _of_terms(read, len(true[0]) if true else 4) == true
        elif name == "opt_outs":
            same = sorted(read) == sorted(true)
        elif name == "exempt":
            same = read is true
        else:
            same = _text(read) == _text(true)
        if not same:
            yield name


def _of_terms(terms: Any, width: int) -> list[tuple[str, ...]]:
    lines = (
        (
            term.subscription_id,
            str(term.starts_on),
            str(term.ends_on or ""),
            "" if term.amount is None else f"{term.amount:.2f}",
        )
        for term in terms
    )
    return sorted(line[:width] for line in lines)


def _text(value: Any) -> str:
    written = "" if value is None else str(value)
    return "\n".join(line.strip() for line in written.replace("\r", "").strip().split("\n"))


_MARKUP = re.compile(r"<[^>]*>|[^A-Za-z0-9]")


def lost_by_product(read: Any, true: Any) -> bool:
    """Whether two texts differ only by what products lose on the way out: line breaks, markup, letters and signs that
    an encoding does not have, spaces in numbers.
    """
    if not (isinstance(read, str) and isinstance(true, str) and read and true):
        return False
    item, other = (_MARKUP.sub("", text) for text in (read, true))
    return item == other or difflib.SequenceMatcher(None, item, other).ratio() > _NEARLY


_NEARLY = 0.95
