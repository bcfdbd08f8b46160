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

from services.cli.importing import sentences
from services.cli.importing.comparison import HANDFUL, Changes, compare_files, wait_until_kept
from services.cli.importing.file_report import FileReport
from services.cli.importing.reading import FormerSystem, OpenFile, read_table
from services.cli.importing.versions import Versions
from services.membership.legacy.galette_fields import PRODUCT as DYNAMIC_FIELDS
from shared.importing import correcting
from shared.importing.outcomes import UnreadableError
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
        _say(out, sentences.not_compared(former.service, database_variable(former)))
        return
    for report, change in zip(reports, changes, strict=True):
        name = report.path.name
        beside = report.product == DYNAMIC_FIELDS
        _say(out, sentences.read_beside(name) if beside else sentences.changed(report, change))
        if dry_run and change.too_many and not replace:
            _say(out, sentences.emptying(report, change), "yellow")


def _say(out: Console, text: str, style: str | None = None) -> None:
    out.print(escape(text), style=style, highlight=False)


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
    """Wait for the records of files that were gone through, and say when they can be read."""
    versions: Versions = {}
    for file in files:
        for model, ids in file.versions.items():
            versions.setdefault(model, {}).update(ids)
    count = sum(map(len, versions.values()))
    try:
        left = asyncio.run(wait_until_kept(url, former, versions))
    except (UnreadableError, OSError):
        _say(out, sentences.DATABASE_LOST)
        return
    _say(out, sentences.readable(former.service, count, left), "yellow" if left else None)


def write_rows(rejects: Path, reports: Sequence[FileReport], encoding: str | None, former: FormerSystem) -> list[Path]:
    """The rows that were set aside, file by file, so that they can be corrected and imported; where they are."""
    written: list[Path] = []
    for report in reports:
        reasons = correcting.reasons_by_line(report.rejections)
        if reasons:
            path = rejects.with_name(f"{rejects.stem}-rows-of-{report.path.stem}.csv")
            correcting.write(path, correcting.without_reasons(read_table(former, report.path, encoding)), reasons)
            written.append(path)
    return written
