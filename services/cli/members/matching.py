"""``traboule matching``: fit the weights where the truth is known, and measure how well companies are recognised."""

import asyncio
import csv
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as Grid

from services.cli.importing.reading import FormerSystem, open_files
from services.cli.members import matching_crosscheck as crosscheck
from services.cli.members.matching_crosscheck import CannotCrosscheckError
from services.membership.matching.candidates import Candidates, Pair
from services.membership.matching.evaluation import Figures, Truth, measure, truth_of
from services.membership.matching.features import Features, features
from services.membership.matching.levels import compare
from services.membership.matching.score import judge
from services.membership.matching.term_frequency import Classes
from services.membership.matching.training import fit
from services.membership.matching.validation import held_out
from services.membership.matching.weights import CURRENT, WeightsError, load, shipped, write
from services.membership.normalisation.normalised_record import meaning
from services.membership.records.record import RecordKey, SourceRecord
from shared.importing.outcomes import Accepted, Rejection, UnreadableError

app = typer.Typer(help="Recognising the same company: fit and measure.", no_args_is_help=True)

UNUSABLE = 2
"""Exit code when the folder or the weights cannot be used."""
AIM = 0.998
"""Precision that automatic merges must have."""
HIGHEST = 60
"""Bits. No odds that splink gives are as high."""
FILES = {"a": "cluster_a.csv", "b": "cluster_b.csv"}

Folder = Annotated[
    Path, typer.Argument(metavar="DIR", help="cluster_a.csv, cluster_b.csv, truth_pairs.csv and truth_records.csv")
]
WeightsFile = Annotated[
    Path | None, typer.Option("--weights", help=f"Weights to use; else version {CURRENT}, which came with Traboule.")
]


@dataclass(frozen=True, slots=True)
class Sample:
    """Records of two clusters, and what is true of them."""

    records: list[Features]
    truth: Truth
    companies: dict[RecordKey, str]


@app.command()
def evaluate(
    folder: Folder,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    weights: WeightsFile = None,
    database: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Find candidates in this PostgreSQL, in temporary tables, not in memory."),
    ] = None,
    cross_validate: Annotated[
        bool,
        typer.Option(help="Judge each pair by weights fitted to other companies: what to expect of other members."),
    ] = False,
    false_pairs: Annotated[bool, typer.Option(help="List what was merged and is not one company.")] = False,
    splink: Annotated[
        bool, typer.Option("--splink", help="Ask splink about the same records too (the extra [bold]crosscheck[/]).")
    ] = False,
) -> None:
    """Recognise companies in a folder whose truth is known, by the code that runs in production, and measure.

    Pairs of a company and its successor are ambiguous and left out. A perfect reviewer then answers every question.
    """
    try:
        used = shipped() if weights is None else load(weights)
        began = time.perf_counter()
        sample = read_sample(folder)
        if database is None:
            index = Candidates(sample.records)
            pairs, classes = list(index.pairs()), index.classes
        else:
            pairs, classes = asyncio.run(_in_database(database, sample.records))
    except (UnreadableError, WeightsError) as error:
        raise _stop(str(error)) from None
    if cross_validate:
        judgements = held_out(
            pairs, classes, sample.truth, sample.companies, replace(shipped(0), auto=used.auto, review=used.review)
        )
    else:
        judgements = [judge(a, b, classes, used) for a, b in pairs]
    figures = measure(sample.records, judgements, sample.truth)
    ours = Method("Traboule", figures, time.perf_counter() - began)
    try:
        others = {"siren": siren_alone(sample), **(crosschecked(sample) if splink else {})}
    except CannotCrosscheckError as error:
        raise _stop(str(error)) from None
    if as_json:
        compared = {"compared": {name: other.as_json() for name, other in others.items()}} if splink else {}
        typer.echo(json.dumps(ours.as_json() | compared))
    else:
        _print(ours, others, len(sample.records), len(pairs))
    if false_pairs:
        for a, b in figures.false_pairs:
            typer.echo(f"{a} {b}", err=as_json)


@app.command()
def train(
    folder: Folder,
    out: Annotated[Path, typer.Option(help="Where the new weights are written.")],
    start: Annotated[
        Path | None, typer.Option(help="Weights to start from and to be pulled towards; else the ones set by hand.")
    ] = None,
    version: Annotated[int, typer.Option(min=1, help="Of the new weights.")] = CURRENT + 1,
) -> None:
    """Fit the weights to a folder whose truth is known, and write them as a new version.

    The thresholds stay those of the weights that it starts from. See what the new weights are worth with
    [bold]matching evaluate --cross-validate[/], and on a folder that they have not seen.
    """
    try:
        before = shipped(0) if start is None else load(start)
        sample = read_sample(folder)
    except (UnreadableError, WeightsError) as error:
        raise _stop(str(error)) from None
    if out.exists():
        raise _stop(f"{out}: there is a file already; weights that judged anything are never overwritten")
    index = Candidates(sample.records)
    rows = [
        (compare(a, b, index.classes), (a.key, b.key) in sample.truth.same)
        for a, b in index.pairs()
        if (a.key, b.key) not in sample.truth.ambiguous
    ]
    known = sum(same for _, same in rows)
    note = f"fitted to {known} true and {len(rows) - known} false candidate pairs, from version {before.version}"
    out.write_text(write(replace(fit(rows, before), version=version, note=note)), "utf-8")
    typer.echo(f"{out}: version {version}, {note}")


def _stop(message: str) -> typer.Exit:
    typer.echo(f"traboule matching: {message}", err=True)
    return typer.Exit(UNUSABLE)


# --- a folder with its truth ---------------------------------------------------------------------------------------


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


async def _in_database(url: str, records: Sequence[Features]) -> tuple[list[Pair], Classes]:
    from services.membership.matching import repository as matching_repository
    from shared.persistence.database import create_engine

    engine = create_engine(url, application="matching evaluate", pool_size=1)
    try:
        async with engine.begin() as connection:
            await matching_repository.make_private_tables(connection)
            candidates = await matching_repository.candidates(
                connection, await matching_repository.change_of(connection, records, [], shipped())
            )
            return candidates.pairs, candidates.classes
    finally:
        await engine.dispose()


# --- others' ways, on the same records -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Method:
    """A way to recognise companies, and what came of it."""

    name: str
    figures: Figures
    seconds: float
    asks: bool = True
    """Whether it leaves anything to a person."""

    def as_json(self) -> dict[str, Any]:
        """As the command prints it."""
        return self.figures.as_json(self.seconds)


def siren_alone(sample: Sample) -> Method:
    """Merge whatever has one SIREN."""
    began = time.perf_counter()
    sirens = {record.key: record.siren for record in sample.records if record.siren}
    judgements = [crosscheck.judgement(a, b, 1.0, auto=1.0) for a, b in sorted(truth_of(sirens))]
    figures = measure(sample.records, judgements, sample.truth)
    return Method("equal SIREN alone", figures, time.perf_counter() - began, asks=False)


def crosschecked(sample: Sample) -> dict[str, Method]:
    """splink at the usual threshold, and at the one that only those can choose who know the truth.

    Its groups are whatever its links connect, as its own clustering makes them: SIRENs that differ part none of them.
    """
    began = time.perf_counter()
    judgements = crosscheck.judgements(sample.records)
    seconds = time.perf_counter() - began
    records = [replace(record, siren=None) for record in sample.records]

    def at(auto: float) -> Figures:
        judged = [crosscheck.judgement(judgement.a, judgement.b, judgement.score, auto) for judgement in judgements]
        return measure(records, judged, sample.truth)

    methods = {"splink": Method("splink", at(crosscheck.AUTO), seconds)}
    for bits in range(ceil(crosscheck.AUTO), HIGHEST):
        if (figures := at(bits)).precision >= AIM:
            methods["splink_hindsight"] = Method("splink, hindsight", figures, seconds)
            break
    return methods


# --- the report ----------------------------------------------------------------------------------------------------


def _print(ours: Method, others: Mapping[str, Method], records: int, pairs: int) -> None:
    figures = ours.figures
    out = Console()
    # Narrow enough for eighty columns: a figure that is cut short is none.
    title = f"{records} records, {pairs} pairs compared"
    grid = Grid("", title=title, box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for column in (
        "preci-\nsion",
        "\nrecall",
        "wrong\npairs",
        "best\nF1",
        "after\nreview",
        "asked of\n1,000",
        "\nseconds",
    ):
        grid.add_column(column, justify="right", no_wrap=True)
    for method in (ours, *others.values()):
        grid.add_row(*_cells(method))
    out.print(grid)
    lines = [
        "precision, recall, wrong pairs: of what is merged without a person",
        "after review: recall, once a perfect reviewer has answered what is asked, so many questions for 1,000 records",
        f"asked: {figures.review_true:.0%} of Traboule's questions are about one company",
        f"groups that contradict themselves: {figures.contested}",
        f"best F1: that of one threshold on the score, ours at {figures.best_threshold:.1f}",
    ]
    if "splink" in others:
        lines.append("splink: merges from probability 0.99 on, asks from 0.1 on")
    if "splink_hindsight" in others:
        lines.append(f"hindsight: merges from the threshold on that gives precision {AIM} here")
    for line in lines:
        out.print(line, highlight=False)


def _cells(method: Method) -> list[str]:
    figures = method.figures
    return [
        method.name,
        f"{figures.precision:.4f}",
        f"{figures.recall:.3f}",
        str(len(figures.false_pairs)),
        f"{figures.best_f1:.4f}",
        f"{figures.recall_after_review:.4f}" if method.asks else "–",
        f"{figures.review_per_1000:.1f}" if method.asks else "–",
        f"{method.seconds:.1f}",
    ]
