"""A folder of records whose truth is known, as matching is fitted to it and measured with it."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import typer

from services.cli.importing.reading import FormerSystem, open_files
from services.membership.matching.evaluation import Truth, truth_of
from services.membership.matching.features import Features, features
from services.membership.normalisation.normalised_record import meaning
from services.membership.records.record import RecordKey, SourceRecord
from shared.importing.outcomes import Accepted, Rejection, UnreadableError

FILES = {"a": "cluster_a.csv", "b": "cluster_b.csv"}


@dataclass(frozen=True, slots=True)
class Sample:
    """Records of two clusters, and what is true of them."""

    records: list[Features]
    truth: Truth
    companies: dict[RecordKey, str]


def read_sample(folder: Path) -> Sample:
    """Records as the import reads them, and their truth. Raises UnreadableError."""
    records = [record for cluster, name in FILES.items() for record in _records(cluster, folder / name)]
    by_id = {key.record_id: key for key in (features.key for features in records)}
    if len(by_id) < len(records):
        raise UnreadableError(f"{folder}: a record id is in both clusters, so the truth cannot name it")
    companies: dict[RecordKey, str] = {}
    related: list[tuple[RecordKey, str]] = []
    for row in _rows(folder / "truth_records.csv", "record_id", "entity_id"):
        if key := by_id.get(row["record_id"]):
            companies[key] = row["entity_id"]
            kind, _, other = (row.get("kin") or "").partition(":")
            if kind == "successor":
                related.append((key, other))
    same = set(truth_of(companies))
    for row in _rows(folder / "truth_pairs.csv", "record_id_1", "record_id_2"):
        a, b = by_id.get(row["record_id_1"]), by_id.get(row["record_id_2"])
        if a and b:
            same.add((min(a, b), max(a, b)))
    ambiguous = {
        (min(key, other), max(key, other))
        for key, company in related
        for other in companies
        if companies[other] == company
    }
    for record in records:
        companies.setdefault(record.key, str(record.key))
    return Sample(records, Truth(frozenset(same - ambiguous), frozenset(ambiguous)), companies)


def _records(cluster: str, path: Path) -> Iterator[Features]:
    if not path.is_file():
        raise UnreadableError(f"{path}: there is no such file")
    rejected = 0
    for file in open_files(FormerSystem(cluster, "membership"), [path]):
        for outcome in file.outcomes:
            if isinstance(outcome, Accepted):
                fact = outcome.fact
                understood = meaning(fact, None)
                yield features(
                    SourceRecord(
                        RecordKey(cluster, fact.record_id),
                        fact.model_dump(mode="json", exclude_none=True),
                        understood.document,
                        understood.siren,
                        understood.same_as,
                        understood.name_key,
                        None,
                    )
                )
            elif isinstance(outcome, Rejection):
                rejected += 1
    if rejected:
        typer.echo(f"{path}: {rejected} faults in rows that were left out", err=True)


def _rows(path: Path, *needed: str) -> Iterator[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in needed if name not in (reader.fieldnames or ())]
            if missing:
                raise UnreadableError(f"{path}: there is no column {', '.join(missing)}")
            yield from reader
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableError(f"{path}: {error}") from None
