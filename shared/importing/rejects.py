"""The file in which rejected rows wait to be corrected. It exists only if there is something in it."""

import csv
from collections.abc import Iterable
from pathlib import Path

from shared.importing.outcomes import Rejection

COLUMNS = ("file", "line", "record_id", "field", "value", "reason")


def write(path: Path, rejections: Iterable[tuple[Path, Rejection]]) -> bool:
    """Write all faults to ``path``, one a line; False, and no file, when there is none.

    Its owner alone may read it: it holds members' data. UTF-8 with its mark and ``;``, which French spreadsheets open
    as they are. A cell that a spreadsheet would run as a formula is quoted with an apostrophe.
    """
    faults = list(rejections)
    if not faults:
        return False
    path.touch(mode=0o600)
    path.chmod(0o600)
    with path.open("w", encoding="utf-8-sig", errors="backslashreplace", newline="") as out:
        writer = csv.writer(out, delimiter=";")
        writer.writerow(COLUMNS)
        for file, fault in faults:
            cells = (file.name, fault.line, fault.record_id or "", fault.field, fault.value, fault.reason)
            writer.writerow([_harmless(cell) for cell in cells])
    return True


def _harmless(cell: object) -> object:
    # A member called =HYPERLINK(…) must not run on the desk of whoever opens the rejects (CWE-1236).
    if isinstance(cell, str) and cell.startswith(("=", "@", "\t", "\r")):
        return "'" + cell
    return cell
