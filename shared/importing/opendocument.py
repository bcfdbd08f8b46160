"""Spreadsheets, OpenDocument files with white space between their cells included, as Paheko writes them.

That is legal XML, and python-calamine refuses it.
"""

import io
import re
import zipfile
from pathlib import Path

import python_calamine

_CONTENT = "content.xml"
_LARGEST_CONTENT = 500_000_000
"""Bytes, unpacked: a small archive may hold any amount."""
_BETWEEN_CELLS = re.compile(rb"(</?(?:table|office):[^>]*>|</text:p>)\s+(?=<)")


def workbook_of(path: Path) -> python_calamine.CalamineWorkbook:
    """A workbook of any kind that can be read. Raises CalamineError."""
    try:
        return python_calamine.load_workbook(str(path))
    except python_calamine.CalamineError:
        tidied = _without_white_space(path)
        if tidied is None:
            raise
        return python_calamine.load_workbook(tidied)


def _without_white_space(path: Path) -> io.BytesIO | None:
    """The same OpenDocument file without white space between its cells; None for any other file."""
    if not zipfile.is_zipfile(path):
        return None
    tidied = io.BytesIO()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(tidied, "w", zipfile.ZIP_STORED) as target:
        if _CONTENT not in source.namelist() or source.getinfo(_CONTENT).file_size > _LARGEST_CONTENT:
            return None
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, _BETWEEN_CELLS.sub(rb"\1", content) if name == _CONTENT else content)
    tidied.seek(0)
    return tidied
