"""What an import says of what it did to the records that were there: new, changed, unchanged, emptied; and when the
views show it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from schemas.membership import MemberRecorded
from services.cli.importing.comparison import HANDFUL, Changes, compare_files, versions_of, wait_until_kept
from services.cli.importing.reading import FileReport, FormerSystem, OpenFile
from services.membership.legacy.galette_fields import PRODUCT as DYNAMIC_FIELDS
from shared.importing import correcting
from shared.importing.outcomes import Accepted, UnreadableError
from shared.importing.reading import read
from shared.runtime.tls import TlsError, ca_file, over_tls
from shared.runtime.variables import SecretFileError, variable


def database_variable(former: FormerSystem) -> str:
    """The environment variable that names the service's own database."""
    return f"TRABOULE_{former.service.upper()}_DATABASE_URL"


def database_of(former: FormerSystem) -> str | None:
    """Where the records are kept that an import is compared with; None where nobody says.

    Raises:
        UnreadableError: the variable cannot be used.
    """
    try:
        url = variable(database_variable(former))
        return None if url is None else over_tls(url.replace("postgresql+asyncpg", "postgresql"), ca_file())
    except (SecretFileError, TlsError) as error:
        raise UnreadableError(str(error)) from None


def compare_all(url: str, former: FormerSystem, files: Sequence[OpenFile]) -> list[Changes]:
    """See :func:`comparison.compare_files`."""
    return asyncio.run(compare_files(url, former, files))


def emptying(report: FileReport, changes: Changes) -> str:
    """Why a file may not be imported without ``--replace``."""
    fields: list[str] = []
    for name, count in changes.too_many.items():
        why = "the file has no column for it: tick it" if name in changes.columns_missing else "its cells are empty"
        fields.append(f"{name.removeprefix('extra:')} in {count} records ({why})")
    return f"{report.path.name} would empty {', '.join(fields)}. Export again with these columns, or say --replace"


def close(
    out: Console,
    reports: Sequence[FileReport],
    changes: Sequence[Changes] | None,
    former: FormerSystem,
    *,
    dry_run: bool,
    replace: bool,
) -> None:
    """One sentence for each file."""
    if changes is None:
        name = database_variable(former)
        out.print(
            f"Not compared with what {former.service} keeps already: {name} is not set, or --no-compare was said."
        )
        return
    for report, change in zip(reports, changes, strict=True):
        if report.product == DYNAMIC_FIELDS:
            out.print(escape(f"{report.path.name}: read beside the members, whose fields it fills."), highlight=False)
            continue
        counts = f"{change.new} new, {change.changed} changed, {change.unchanged} unchanged"
        if change.removed:
            counts += f", {change.removed} removed"
        if change.older:
            counts += f", {change.older} older than what is there and so without effect"
        emptied = ", ".join(f"{name.removeprefix('extra:')} {count}" for name, count in change.emptied.most_common())
        fields = f"fields emptied: {emptied}" if emptied else "no field emptied"
        out.print(escape(f"{report.path.name}: {counts}; {fields}."), highlight=False)
        if dry_run and change.too_many and not replace:
            out.print(f"[yellow]{escape(emptying(report, change))}", highlight=False)


def changes_as_json(changes: Changes) -> dict[str, Any]:
    """For programs."""
    return {
        "new": changes.new,
        "changed": changes.changed,
        "unchanged": changes.unchanged,
        "older": changes.older,
        "removed": changes.removed,
        "emptied": dict(changes.emptied),
        "needs_replace": sorted(changes.too_many),
        "handful": HANDFUL,
    }


def show_when_readable(out: Console, url: str, former: FormerSystem, files: Sequence[OpenFile]) -> None:
    """Wait for the records, and say when they can be read."""
    facts = [outcome.fact for file in files for outcome in file.outcomes if isinstance(outcome, Accepted)]
    versions = versions_of(facts)
    count = sum(map(len, versions.values()))
    try:
        left = asyncio.run(wait_until_kept(url, former, versions))
    except (UnreadableError, OSError):
        out.print("Whether they can be read is not known: the database went away.")
        return
    if left:
        out.print(f"[yellow]{left} of {count} records cannot be read yet: traboule status says what waits.")
    elif former.service == MemberRecorded.service:
        out.print(f"The views show all {count} records now.", highlight=False)
    else:
        out.print(f"{former.service} keeps all {count} records now; the views follow.", highlight=False)


def write_rows(rejects: Path, reports: Sequence[FileReport], encoding: str | None) -> list[Path]:
    """The rows that were set aside, file by file, so that they can be corrected and imported; where they are."""
    written: list[Path] = []
    for report in reports:
        reasons = correcting.reasons_by_line(report.rejections)
        if reasons:
            path = rejects.with_name(f"{rejects.stem}-rows-of-{report.path.stem}.csv")
            correcting.write(path, correcting.without_reasons(read(report.path, encoding)), reasons)
            written.append(path)
    return written
