"""The first sheet of a spreadsheet, of whichever kind."""

import datetime as dt
from pathlib import Path
from typing import Any

import python_calamine

from shared.importing.opendocument import workbook_of
from shared.importing.outcomes import UnreadableError
from shared.importing.table import Row, Table, damage, fitted, without_empty_end


def read_spreadsheet(path: Path) -> Table:
    """The rows of the first sheet; of others a warning tells. Raises UnreadableError."""
    try:
        workbook = workbook_of(path)
        names = workbook.sheet_names
        if not names:
            raise UnreadableError("the workbook has no sheet")
        values = workbook.get_sheet_by_name(names[0]).to_python(skip_empty_area=False)
    except python_calamine.CalamineError as error:
        raise UnreadableError(f"not a spreadsheet that can be read: {error}") from None
    warnings = (f'only the first sheet, "{names[0]}", is read; there are {len(names)}',) if len(names) > 1 else ()
    filled = (
        Row(line, cells, damage(cells))
        for line, cells in enumerate((tuple(_cell(value) for value in row) for row in values), start=1)
        if any(cell and not cell.isspace() for cell in cells)
    )
    header = next(filled, None)
    if header is None:
        raise UnreadableError("the first sheet is empty")
    headers = without_empty_end(header.cells)
    return Table(path, headers, fitted(filled, len(headers)), "spreadsheet", len(values), warnings=warnings)


def _cell(value: Any) -> str:
    """A spreadsheet's value as text: every number arrives as a float, and ``12.0`` was written ``12``."""
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
        case dt.datetime():
            return value.date().isoformat() if value.time() == dt.time() else value.isoformat()
        case dt.date() | dt.time():
            return value.isoformat()
        case _:
            return str(value)
