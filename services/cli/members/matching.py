"""``traboule matching``: fit the weights where the truth is known, and measure how well companies are recognised."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as Grid

from services.cli.members.matching_crosscheck import CannotCrosscheckError
from services.cli.members.matching_methods import AIM, Method, crosschecked, siren_alone
from services.cli.members.matching_sample import read_sample
from services.membership.matching import repository as matching_repository
from services.membership.matching.candidates import Candidates, Pair
from services.membership.matching.evaluation import measure
from services.membership.matching.features import Features
from services.membership.matching.levels import compare
from services.membership.matching.score import judge
from services.membership.matching.term_frequency import Classes
from services.membership.matching.training import fit
from services.membership.matching.validation import held_out
from services.membership.matching.weights import CURRENT, WeightsError, load, shipped, write
from shared.importing.outcomes import UnreadableError
from shared.persistence.database import create_engine

app = typer.Typer(help="Recognising the same company: fit and measure.", no_args_is_help=True)

UNUSABLE = 2
"""Exit code when the folder or the weights cannot be used."""

Folder = Annotated[
    Path, typer.Argument(metavar="DIR", help="cluster_a.csv, cluster_b.csv, truth_pairs.csv and truth_records.csv")
]
WeightsFile = Annotated[
    Path | None, typer.Option("--weights", help=f"Weights to use; else version {CURRENT}, which came with Traboule.")
]


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


async def _in_database(url: str, records: Sequence[Features]) -> tuple[list[Pair], Classes]:
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
