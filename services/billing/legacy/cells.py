"""A row of an export by the names of its columns, with the faults that are found in it."""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from shared.importing import values
from shared.importing.outcomes import Rejection
from shared.importing.table import Row, Table, normal

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


class Cells:
    """One row. Names are headers as they are written; of one that stands twice the first counts."""

    def __init__(self, table: Table, row: Row) -> None:
        self.row = row
        self.line = row.line
        self._at: Mapping[str, int] = places(table)

    def text(self, *names: str) -> str:
        """The cell of the first of these columns that the file has; empty if it has none."""
        place = next((self._at[normal(name)] for name in names if normal(name) in self._at), None)
        return "" if place is None else self.row.cells[place].strip()

    def day(self, *names: str) -> date | None:
        """Raises CellError."""
        return self._read(values.day, *names)

    def amount(self, *names: str) -> Decimal:
        """Nothing is 0.00. Raises CellError."""
        return self._read(values.amount, *names) or Decimal("0.00")

    def _read(self, read: Callable[[str], T], *names: str) -> T:
        written = self.text(*names)
        try:
            return read(written)
        except ValueError as error:
            raise CellError(names[0], written, str(error)) from None


class CellError(ValueError):
    """A cell that cannot be read: its column, what is written there, and why."""

    def __init__(self, field: str, value: str, reason: str) -> None:
        super().__init__(reason)
        self.field, self.value, self.reason = field, value, reason

    def rejection(self, line: int, item: str | None) -> Rejection:
        """The fault of a row."""
        return Rejection(line, item, self.field, self.value, self.reason)


def places(table: Table) -> Mapping[str, int]:
    """Where each column stands, by its normal name."""
    result: dict[str, int] = {}
    for place, name in enumerate(table.names):
        result.setdefault(name, place)
    return result


def made(model: type[M], **fields: object) -> M:
    """The fact. Raises CellError for the first field that it refuses."""
    try:
        return model.model_validate({name: value for name, value in fields.items() if value not in (None, "")})
    except ValidationError as error:
        fault = error.errors()[0]
        field = ".".join(str(part) for part in fault["loc"])
        raise CellError(field, str(fault.get("input", "")), fault["msg"].removeprefix("Value error, ")) from None


def broken(row: Row) -> Rejection:
    """A row whose shape is wrong: its whole text is the value."""
    return Rejection(row.line, None, "row", " | ".join(row.cells), row.fault or "")
