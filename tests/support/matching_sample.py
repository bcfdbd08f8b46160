"""How ``tests/data/matching-sample`` was made: the demo's companies, and traps that cost others their precision.

The files are kept, not made anew, so that figures stay comparable when the demo changes; since then, near names have
lost the brand in common, by which nobody could have told them apart. ``--only matching`` of the benchmarks draws more.
To make others:
``python -m tests.support.matching_sample FOLDER``, and then the bounds of ``test_quality.py``.
"""

import csv
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from random import Random

from deploy.demo import companies, words
from deploy.demo.companies import CLUSTR, NUMELINK, Record
from deploy.demo.generate import ANCHOR
from services.membership.normalisation.identifiers import is_siren

SEED, MEMBERS, OVERLAP, EACH = 20, 170, 0.35, 4
"""``EACH``: how many of every trap."""

FIELDS = (
    "record_id", "name", "brand", "siren", "siret", "vat", "website", "email", "phone", "street", "postcode", "city",
    "naf", "contact_first", "contact_last",
)  # fmt: skip
Row = dict[str, str]
Trap = Callable[[Random, Row, list[Row]], Row]


def write(folder: Path, seed: int = SEED, members: int = MEMBERS, each: int = EACH) -> None:
    """The four files of a folder with its truth."""
    rng = Random(seed)
    world = companies.build(rng, members, OVERLAP, ANCHOR)
    files: dict[str, list[Row]] = {"A": [], "B": []}
    truth: list[Row] = []
    for cluster, file in ((CLUSTR, "A"), (NUMELINK, "B")):
        for record in world.records[cluster]:
            row = _row(rng, file, record)
            files[file].append(row)
            truth.append(_true(row, record.company.siren, "demo", "1" if record.shared else "0"))
    strangers = [_row(rng, "", item) for item in companies.build(rng, 2 * each, 0, ANCHOR).records[CLUSTR]]
    for kind, trap, same in TRAPS:
        # One without a number could not be told from its sister by anyone.
        known = {row["record_id"] for row in files["A"] + files["B"] if is_siren(row["siren"] or row["siret"][:9])}
        alone = [
            item
            for item in truth
            if item["in_both"] == "0" and item["origin"] == "demo" and not item["dirt"] and item["record_id"] in known
        ]
        for item in rng.sample(alone, each):
            mother = next(row for row in files[item["source"]] if row["record_id"] == item["record_id"])
            file = item["source"] if kind == "within" else rng.choice("AB")
            row = trap(rng, mother, strangers) | {"record_id": f"{file}-{9000 + len(truth)}"}
            files[file].append(row)
            truth.append(_true(row, item["entity_id"] if same else row["record_id"], "trap", "0", kind))
            item["dirt"] = f"{kind} beside it"
    _write(folder / "truth_records.csv", list(truth[0]), truth)
    for file, rows in files.items():
        rng.shuffle(rows)
        _write(folder / f"cluster_{file.lower()}.csv", FIELDS, rows)
    _write(folder / "truth_pairs.csv", ("record_id_1", "record_id_2", "kind"), _pairs(truth))


def _row(rng: Random, file: str, record: Record) -> Row:
    company = record.company
    first, last = (company.first_name, company.last_name) if rng.random() < 0.6 else ("", "")
    values = (
        f"{file}-{record.record_id}", record.name, record.brand, record.siren, record.siret, record.vat, record.website,
        record.email, record.phone, record.street, record.postcode, record.city, record.naf, first, last,
    )  # fmt: skip
    return dict(zip(FIELDS, values, strict=True))


def _true(row: Row, company: str, origin: str, in_both: str, dirt: str = "") -> Row:
    record = row["record_id"]
    values = {"source": record[0], "record_id": record, "entity_id": company, "origin": origin, "in_both": in_both}
    return {**values, "kin": f"successor:{company}" if dirt == "successor" else "", "dirt": dirt}


def _pairs(truth: Sequence[Row]) -> Iterable[Row]:
    for at, item in enumerate(truth):
        for other in truth[at + 1 :]:
            if item["entity_id"] == other["entity_id"]:
                kind = "within" if item["source"] == other["source"] else "cross"
                yield {"record_id_1": item["record_id"], "record_id_2": other["record_id"], "kind": kind}


def _write(path: Path, header: Sequence[str], rows: Iterable[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


# --- traps: a record beside ``mother``; all but the first are other companies ------------------------------------

_UNKNOWN: Row = {"siren": "", "siret": "", "vat": ""}


def _elsewhere(rng: Random) -> Row:
    street = f"{rng.randrange(1, 90)} {rng.choice(words.STREETS)}"
    return {"street": street, "postcode": "29200", "city": "Brest"}


def _number(rng: Random) -> str:
    return companies.with_check_digit(str(rng.randrange(16_000_000, 17_000_000)))


def _person(rng: Random) -> Row:
    return {"contact_first": rng.choice(words.FIRST_NAMES), "contact_last": rng.choice(words.LAST_NAMES)}


def _phone(rng: Random) -> str:
    return f"04657{rng.randrange(10_000, 20_000)}"


def _within(rng: Random, mother: Row, _: list[Row]) -> Row:
    """Entered twice in one system, the second time in a hurry."""
    return mother | _UNKNOWN | {"name": mother["name"].upper(), "naf": "", "website": "", "street": ""}


def _homonym(rng: Random, mother: Row, _: list[Row]) -> Row:
    """The same name far away, under a domain that both use."""
    return mother | _UNKNOWN | _elsewhere(rng) | _person(rng) | {"email": "", "phone": _phone(rng)}


def _association(rng: Random, mother: Row, _: list[Row]) -> Row:
    """A company's association, under its roof."""
    words_of_it = [word for word in mother["name"].split() if word.upper() not in words.LEGAL_FORMS]
    name = f"Association {' '.join(words_of_it)}"
    return mother | _UNKNOWN | _person(rng) | {"name": name, "website": "", "email": "", "phone": _phone(rng)}


def _holding(rng: Random, mother: Row, _: list[Row]) -> Row:
    """A holding shares everything with the company that it holds, but for a word."""
    return mother | _UNKNOWN | _person(rng) | {"name": f"{mother['name']} Participations"}


def _sister(rng: Random, mother: Row, _: list[Row]) -> Row:
    """A company of the same name with a number of its own."""
    return mother | _UNKNOWN | {"siren": _number(rng)}


def _near_name(rng: Random, mother: Row, _: list[Row]) -> Row:
    """A short name one letter away, in the same building."""
    root = mother["name"].split()[-1][:4].title()
    mother["name"], name = f"{root}va", f"{root}ta"
    own = {"name": name, "brand": "", "website": "", "email": "", "phone": _phone(rng)}
    return mother | _UNKNOWN | _person(rng) | own


def _agency(rng: Random, mother: Row, strangers: list[Row]) -> Row:
    """Another company in town, whose site and mail one agency keeps."""
    return strangers.pop() | _UNKNOWN | {key: mother[key] for key in ("website", "email", "postcode", "city", "naf")}


def _wrong_number(rng: Random, mother: Row, strangers: list[Row]) -> Row:
    """The SIREN of a company in the same town and trade, typed from the line above."""
    return strangers.pop() | {key: mother[key] for key in ("siren", "siret", "vat", "postcode", "city", "naf")}


def _same_street(rng: Random, mother: Row, _: list[Row]) -> Row:
    """The same name in the same town, with nothing else to go by."""
    unknown = {"website": "", "email": "", "phone": "", "street": "", "naf": ""}
    return mother | _UNKNOWN | _person(rng) | unknown


TRAPS: tuple[tuple[str, Trap, bool], ...] = (
    ("within", _within, True),
    ("homonym", _homonym, False),
    ("association", _association, False),
    ("paused", _holding, False),
    ("sister", _sister, False),
    ("near name", _near_name, False),
    ("agency", _agency, False),
    ("wrong number", _wrong_number, False),
    ("name and town", _same_street, False),
    ("successor", _sister, False),
)

if __name__ == "__main__":
    write(Path(sys.argv[1]))
