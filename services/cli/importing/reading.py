"""An import, from the files to messages: what is in them, what is set aside, and what is doubtful in the rest.

Any service's former system may be imported here: members from the products' own exports, everything else from the
plain format.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from schemas.base import Fact
from schemas.envelope import encode_all, routing_key, source_of
from schemas.membership import MemberRecorded
from services.cli.importing.choice import Choice, FormerSystem
from services.cli.importing.configured import cluster_of
from services.cli.importing.file_report import FileReport, count_accepted
from services.cli.importing.versions import Versions, note
from services.membership import legacy
from services.membership.legacy.galette_fields import PRODUCT, beside, is_dynamic, takes_dynamic
from services.membership.legacy.meanings import DEFAULT, Reading
from shared.importing import plain
from shared.importing.correcting import without_reasons
from shared.importing.languages import in_both
from shared.importing.outcomes import Accepted, NoFact, Outcome, Rejection, Repeated, UnreadableError
from shared.importing.outgoing import Outgoing
from shared.importing.reading import read
from shared.importing.table import Table
from shared.runtime.clock import PARIS
from shared.runtime.clusters import ClustersFileError

if TYPE_CHECKING:
    from services.cli.importing.participants import Participants
    from services.communications.legacy import Product

BILLING: Final = "billing"
COMMUNICATIONS: Final = "communications"
EVENTS: Final = "events"


@dataclass(slots=True)
class OpenFile:
    """A file whose kind is known, ready to be gone through once."""

    table: Table
    report: FileReport
    outcomes: Iterator[Any]
    versions: Versions = field(default_factory=dict[type[Fact], dict[str, int]])
    """Of the facts that were gone through."""


def open_files(
    system: FormerSystem,
    paths: Sequence[Path],
    encoding: str | None = None,
    exported_at: datetime | None = None,
    reading: Reading | None = None,
    choice: Choice | None = None,
) -> list[OpenFile]:
    """Open and recognise all files before anything of any is published.

    Words for a member's status mean what ``reading`` says, else what the clusters file does.

    The version of every fact is when its file was exported: ``exported_at``, else the file's time of change.

    Raises:
        UnreadableError: for the first file that cannot be imported.
    """
    known = _configured(system) if reading is None else reading
    chosen = choice or Choice()
    tables = [chosen.mapped(without_reasons(read_table(system, path, encoding)), system) for path in paths]
    counts: dict[Path, int] = {}
    product = PRODUCT
    if system.service == MemberRecorded.service:
        tables, counts = _with_dynamic_fields(tables)
    names: Mapping[str, list[str]] = {}
    if system.service == BILLING:
        # Here and below: an import of members does not load billing's facts.
        from services.billing.legacy import MEMBERS, payers

        names, counts = payers(tables)
        product = MEMBERS
    return [
        _accompanying(table, counts[table.path], product)
        if table.path in counts
        else _open(system, table, exported_at, known, chosen, names, tables)
        for table in tables
    ]


def read_table(system: FormerSystem, path: Path, encoding: str | None) -> Table:
    """Open a file. Lists of addresses are no tables with a header in every product. Raises UnreadableError."""
    if system.service != COMMUNICATIONS:
        return read(path, encoding)
    from services.communications.legacy import read_list

    return read_list(path, encoding)


def _with_dynamic_fields(tables: Sequence[Table]) -> tuple[list[Table], dict[Path, int]]:
    """Galette's members with the fields that stand in a table of their own, and how many values each such table has."""
    dynamic = [table for table in tables if is_dynamic(table)]
    if not dynamic:
        return list(tables), {}
    members = [table for table in tables if takes_dynamic(table)]
    if len(members) != 1:
        raise UnreadableError(
            in_both(
                f"{dynamic[0].path}: ce sont les champs dynamiques de Galette (SIRET, N° TVA…) ; importez-les avec la "
                "liste des membres, dans la même commande",
                "these are the values of Galette's dynamic fields (SIRET, N° TVA…): import them together with one list "
                "of members",
            )
        )
    wider, counts = beside(members[0], dynamic)
    joined = [wider if table is members[0] else table for table in tables]
    return joined, {table.path: count for table, count in zip(dynamic, counts, strict=True)}


def _accompanying(table: Table, count: int, product: str) -> OpenFile:
    """A file that was read beside another: its rows are all accepted, and make no facts of their own."""
    report = FileReport(table.path, product, table.encoding, table.assumed, table.separator, list(table.warnings))
    report.rows = report.accepted = count
    return OpenFile(table, report, iter(()))


def _configured(system: FormerSystem) -> Reading:
    """What the clusters file says of this former system's own words; nothing where there is no such file."""
    if system.service != MemberRecorded.service:
        return DEFAULT
    try:
        return legacy.reading_of(cluster_of(system))
    except ClustersFileError as error:
        raise UnreadableError(str(error)) from None


def _open(
    system: FormerSystem,
    table: Table,
    exported_at: datetime | None,
    reading: Reading,
    choice: Choice,
    names: Mapping[str, list[str]],
    tables: Sequence[Table],
) -> OpenFile:
    path, version, lacks = table.path, version_of(table, exported_at), ""
    if system.service == MemberRecorded.service and not _is_plain_removal(table):
        product = legacy.product_named(choice.product) if choice.product else legacy.recognise(table)
        name, outcomes = product.name, product.translate(table, version, reading)
    elif (known := _billing_export(system, table, names)) is not None:
        name, outcomes = known[0], known[1](version)
    elif (of_list := _list_export(system, table, choice)) is not None:
        name, outcomes, lacks = of_list.name, of_list.translate(table, version), of_list.warning
    elif (of_event := _events_export(system, table, version, choice, tables)) is not None:
        name, outcomes, lacks = of_event
    else:
        name, outcomes = _plain(system, table, version)
    report = FileReport(path, name, table.encoding, table.assumed, table.separator, list(table.warnings), lacks=lacks)
    return OpenFile(table, report, outcomes)


def _list_export(system: FormerSystem, table: Table, choice: Choice) -> "Product | None":
    if system.service != COMMUNICATIONS:
        return None
    from services.communications.legacy import product_of

    return product_of(table, choice.product)


def _events_export(
    system: FormerSystem, table: Table, version: int, choice: Choice, tables: Sequence[Table]
) -> "Participants | None":
    if system.service != EVENTS:
        return None
    from services.cli.importing.participants import participants

    return participants(system, table, version, choice, tables)


def _billing_export(
    system: FormerSystem, table: Table, names: Mapping[str, list[str]]
) -> tuple[str, Callable[[int], Iterator[Outcome[Any]]]] | None:
    if system.service != BILLING:
        return None
    from services.billing.legacy import translator

    return translator(table, names)


def version_of(table: Table, exported_at: datetime | None) -> int:
    """The version of a file's facts: when it was exported, else its time of change, in µs since 1970."""
    if exported_at is not None:
        return int(exported_at.timestamp() * 1_000_000)
    return table.path.stat().st_mtime_ns // 1_000


def _is_plain_removal(table: Table) -> bool:
    return "record_id" in table.names and "name" not in table.names


def _plain(system: FormerSystem, table: Table, version: int) -> tuple[str, Iterator[Any]]:
    # The facts of all services take a while to load, and members' files need but one of them.
    from schemas.catalogue import RECORDED

    models = [fact for fact in RECORDED if fact.service == system.service]
    model = plain.recognise(table.headers, models)
    if model is None and system.service == EVENTS:
        from services.cli.importing.participants import unknown

        raise unknown(table)
    if model is None:
        wanted = "; ".join(f"{m.__name__} needs {', '.join(plain.required(m))}" for m in models)
        raise UnreadableError(f"{table.path}: no fact of {system.service} has these columns ({wanted})")
    return f"plain table of {model.__name__}", plain.translate(table, model, version, PARIS)


def messages(
    system: FormerSystem,
    files: Iterable[OpenFile],
    batch: int = 500,
    on_row: Callable[[OpenFile], None] = lambda _: None,
) -> Iterator[Outgoing]:
    """The messages of all files, and their reports filled in on the way: a dry run is to let them pass."""
    source = source_of(system.cluster, system.service)
    waiting: dict[type[Fact], list[Fact]] = {}
    for file in files:
        for fact in _accepted(file, on_row):
            together = waiting.setdefault(type(fact), [])
            together.append(fact)
            if len(together) >= batch:
                yield from _pack(system, source, together)
                together.clear()
    for together in waiting.values():
        yield from _pack(system, source, together)


def _pack(system: FormerSystem, source: str, facts: Sequence[Fact]) -> Iterator[Outgoing]:
    if not facts:
        return
    key = routing_key(system.cluster, type(facts[0]))
    for message in encode_all(source, ((fact, None) for fact in facts)):
        yield Outgoing(key, message.body, message.content_type, message.message_id, message.events)


def _accepted(file: OpenFile, on_row: Callable[[OpenFile], None]) -> Iterator[Fact]:
    """The facts of one file, while every outcome goes into its report."""
    report = file.report
    rejected: set[int] = set()
    for outcome in file.outcomes:
        match outcome:
            case Accepted(fact=fact):
                count_accepted(report, outcome)
                note(file.versions, fact)
                yield fact
            case Repeated():
                report.rows += 1
                report.accepted += 1
                report.repeated += 1
            case NoFact(why=why):
                report.without_fact += 1
                report.reasons[why] += 1
                report.rows += 1
                report.accepted += 1
            case Rejection(line=line):
                report.rejections.append(outcome)
                if line not in rejected:
                    rejected.add(line)
                    report.rows += 1
            case _:
                raise TypeError(f"a translator yielded {outcome!r}")
        on_row(file)
