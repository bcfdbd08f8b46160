"""The file in which rejected rows wait to be corrected. It exists only if there is something in it."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from shared.importing.cells import former, harmless
from shared.importing.outcomes import Rejection

COLUMNS = ("file", "line", "record_id", "field", "value", "reason")


def write(path: Path, rejections: Iterable[tuple[Path, Rejection]]) -> bool:
    """Write all faults to ``path``, one a line; False, and no file, when there is none.

    Its owner alone may read it: it holds members' data. UTF-8 with its mark and ``;``, which French spreadsheets open
    as they are. What a spreadsheet would run as a formula follows an apostrophe; :func:`read` takes it away again.
    """
    faults = list(rejections)
    if not faults:
        return False
    path.touch(mode=0o600)
    path.chmod(0o600)
    with path.open("w", encoding="utf-8-sig", errors="backslashreplace", newline="") as out:
        writer = csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL)
        writer.writerow(COLUMNS)
        for file, fault in faults:
            cells = (file.name, fault.line, fault.record_id or "", fault.field, fault.value, fault.reason)
            writer.writerow([harmless(str(cell)) for cell in cells])
    return True


def read(path: Path) -> Iterator[dict[str, str]]:
    """The faults of such a file, by :data:`COLUMNS`, each value as it was before it was written."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        for row in csv.DictReader(lines, delimiter=";"):
            yield {name: former(row[name]) for name in COLUMNS}
