"""``traboule import``: what a former system exported goes onto the broker, as that former system."""

import asyncio
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from services.cli.importing.choice import fields_of
from services.cli.importing.closing import (
    close,
    compare_all,
    database_of,
    show_when_readable,
    write_rows,
)
from services.cli.importing.control import Expected, differences, expected
from services.cli.importing.reading import Choice, FormerSystem, OpenFile, messages, open_files
from services.cli.importing.report import print_json, print_report
from services.cli.importing.sentences import emptying
from services.membership.legacy.mapping import parse
from shared.cli.terminal import terminal
from shared.importing import rejects as rejects_file
from shared.importing.outcomes import UnreadableError
from shared.importing.outgoing import NotPublishedError
from shared.runtime.clock import PARIS
from shared.runtime.tls import address

ALL_ACCEPTED, NOT_PUBLISHED, UNUSABLE, SOME_REJECTED = 0, 1, 2, 3
"""Exit codes."""


def _publisher(url: str) -> Any:
    """The broker's library is loaded when there is something to publish: it takes a third of a second."""
    from shared.importing.publish import Publisher
    from shared.messaging.topology import EXCHANGE

    return Publisher(url, EXCHANGE)


Publisher: Callable[[str], Any] = _publisher


def import_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Export files: CSV, XLSX, XLS, ODS or JSONL.")],
    system: Annotated[
        str,
        typer.Option(
            "--as", metavar="CLUSTER/SERVICE", help="The former system that wrote them, such as numelink/membership."
        ),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Publish nothing; show what would happen.")] = False,
    rejects: Annotated[
        Path | None,
        typer.Option(
            help="Where rejected rows are written, if there are any.",
            show_default="traboule-rejects-CLUSTER-SERVICE.csv",
        ),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(help="The files' encoding, when neither UTF-8 nor Windows-1252 is right, such as cp1250."),
    ] = None,
    exported_at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="When the files were exported (2026-11-23T09:30); their time of change if not given. Newer wins.",
        ),
    ] = None,
    product: Annotated[
        str | None,
        typer.Option(help="The kind of the files, such as dolibarr-members, when it is not told by their columns."),
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="COLUMN=FIELD",
            help='Which column is which field, in files of no known product: "Raison sociale=name". Kept for later.',
        ),
    ] = None,
    event: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="The gathering of files that name none (HelloAsso, Eventbrite, Weezevent): its event_id."
        ),
    ] = None,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Empty fields in many records, if the file leaves them out."),
    ] = False,
    no_compare: Annotated[
        bool, typer.Option("--no-compare", help="Do not compare with what the service keeps already.")
    ] = False,
    expect_total: Annotated[
        list[str] | None,
        typer.Option(
            metavar="AMOUNT",
            help="The total that the former system shows: 12345.60, or payment=12345.60. Another one stops the import.",
        ),
    ] = None,
    expect_count: Annotated[
        list[str] | None,
        typer.Option(metavar="NUMBER", help="How many it shows: 312, or invoice=312. Another number stops the import."),
    ] = None,
    accept_difference: Annotated[
        bool, typer.Option("--accept-difference", help="Import although a total or a count is another one.")
    ] = False,
    batch: Annotated[int, typer.Option(min=1, max=500, help="Facts in one message.")] = 500,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Import what a former system exported, and publish it as that former system.

    Recognised by their columns: Dolibarr third parties and members, Galette members, CiviCRM contacts and memberships,
    Paheko members, and plain tables whose header is the field names of a fact. For communications: lists and opt-outs
    of Brevo, Mailchimp, Sympa, Mailman, Dolibarr, CiviCRM and Odoo. For events: participants of HelloAsso, CiviCRM,
    Dolibarr, Galette, Odoo, Eventbrite and Weezevent.

    An import is compared with the records that its service keeps: how many are new, changed and unchanged, and which
    fields become empty. A field that would become empty in more than five records, or of which the file has no column,
    stops the import: tick the column, or say --replace. --dry-run compares too.

    --expect-total and --expect-count say what the former system shows: where the files come to something else, nothing
    is imported, and what may explain it is named.

    A row that cannot be read is set aside in the rejects file, and the rest goes on. Importing a file twice changes
    nothing. Exit code: 0 all rows accepted, 3 some rejected, 2 nothing imported (a file cannot be read, or the command
    is wrong), 1 the broker did not take everything.

    The former system's broker user comes from TRABOULE_BROKER_URL_<CLUSTER>_<SERVICE>, such as
    TRABOULE_BROKER_URL_NUMELINK_MEMBERSHIP=amqp://user:password@host/vhost: on the command line it would be visible to
    everybody on the machine.
    """
    try:
        former = FormerSystem.named(system)
        moment = _moment(exported_at)
        choice = Choice(product, parse(columns or (), fields_of(former.service)), event=event)
        wanted = expected(expect_total or (), expect_count or ())

        def again() -> list[OpenFile]:
            return open_files(former, files, encoding, moment, choice=choice)

        opened = again()
        url = address(former.variable)
        if url is None and not dry_run:
            raise UnreadableError(f"no broker to publish to: set {former.variable} (or say --dry-run)")
        database = None if no_compare else database_of(former)
        changes = compare_all(database, former, again()) if database else None
        uneven = _uneven(former, again, wanted, batch) if wanted else []
    except UnreadableError as error:
        raise _stop(str(error), UNUSABLE) from None
    stopped = [(file.report, change) for file, change in zip(opened, changes or (), strict=False) if change.too_many]
    if stopped and not replace and not dry_run:
        for report, change in stopped:
            typer.echo(f"traboule import: {emptying(report, change)}", err=True)
        raise _stop("nothing was imported", UNUSABLE)
    for sentence in uneven:
        typer.echo(f"traboule import: {sentence}", err=True)
    if uneven and not accept_difference:
        raise _stop("nothing was imported; --accept-difference imports all the same", UNUSABLE)
    try:
        published = _run(former, opened, batch, None if dry_run else url, silent=as_json)
        failure = None
    except NotPublishedError as error:
        published, failure = 0, str(error)
    reports = [file.report for file in opened]
    if failure is None:
        path = rejects or Path(f"traboule-rejects-{former.cluster}-{former.service}.csv")
        written = rejects_file.write(path, ((r.path, fault) for r in reports for fault in r.rejections))
        shown = path if written else None
        correcting = write_rows(path, reports, encoding, former) if written else []
        kept = choice.keep(former)
        if as_json:
            print_json(reports, published, dry_run, shown, changes)
        else:
            print_report(reports, published, dry_run, shown, former)
            for rows_file in correcting:
                terminal().print(
                    f"The rows themselves are in {escape(str(rows_file))}: correct them there and import it."
                )
            if kept is not None:
                terminal().print(f"Which column is which field is kept in {escape(str(kept))} for next time.")
            close(terminal(), reports, changes, former, dry_run=dry_run, replace=replace)
            if database and not dry_run:
                show_when_readable(terminal(), database, former, opened)
    else:
        raise _stop(f"{failure}. Run the same command again: what was published already is not doubled.", NOT_PUBLISHED)
    raise typer.Exit(SOME_REJECTED if any(report.rejections for report in reports) else ALL_ACCEPTED)


def _uneven(
    former: FormerSystem, again: Callable[[], list[OpenFile]], wanted: Sequence[Expected], batch: int
) -> list[str]:
    """What the files do not come to: all rows are gone through once before anything is published."""
    files = again()
    _run(former, files, batch, None, silent=True)
    return differences(wanted, [file.report for file in files])


def _moment(written: str | None) -> datetime | None:
    if written is None:
        return None
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise UnreadableError(f'--exported-at "{written}" is no time: write 2026-11-23T09:30') from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=PARIS)


def _stop(message: str, code: int) -> typer.Exit:
    typer.echo(f"traboule import: {message}", err=True)
    return typer.Exit(code)


def _run(former: FormerSystem, opened: Sequence[OpenFile], batch: int, url: str | None, *, silent: bool) -> int:
    """Let all rows pass, to the broker if there is one; the number of facts that it confirmed."""
    with _progress(opened, silent=silent) as on_row:
        outgoing = messages(former, opened, batch, on_row)
        if url is None:
            for _ in outgoing:
                pass
            return 0
        return asyncio.run(Publisher(url).run(outgoing))


@contextmanager
def _progress(opened: Sequence[OpenFile], *, silent: bool) -> Generator[Callable[[OpenFile], None]]:
    """What to call after each row: it moves a bar for each file where somebody looks at one."""
    if silent or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        tasks = {file.report.path: progress.add_task(file.report.path.name, total=file.table.lines) for file in opened}
        yield lambda file: progress.update(tasks[file.report.path], completed=file.report.rows)
