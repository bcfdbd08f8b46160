"""A row of an export by the names of its columns, with the faults that are found in it."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from shared.importing import values
from shared.importing.outcomes import Rejection, broken
from shared.importing.table import Row, Table, normal

_normal = lru_cache(maxsize=256)(normal)
"""Of the names of columns that translators ask for, row by row."""

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


class Cells:
    """One row. Names are headers as they are written; of one that stands twice the first counts."""

    def __init__(self, row: Row, places: Mapping[str, int]) -> None:
        self.row = row
        self.line = row.line
        self._places = places

    def text(self, *names: str) -> str:
        """The cell of the first of these columns that the file has; empty if it has none."""
        place = next((self._places[name] for name in map(_normal, names) if name in self._places), None)
        return "" if place is None else self.row.cells[place].strip()

    def day(self, *names: str) -> date | None:
        """Raises CellError."""
        return self._read(values.day, *names)

    def amount(self, *names: str) -> Decimal:
        """Nothing is 0.00. Raises CellError."""
        return self._read(values.amount, *names) or Decimal("0.00")

    def number(self, *names: str) -> Decimal | None:
        """A quantity, a price of one or a rate. Raises CellError."""
        return self._read(values.number, *names)

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


def rows_of(table: Table) -> Iterator[Cells | Rejection]:
    """Each row by its columns; one whose shape is wrong is set aside."""
    places: dict[str, int] = {}
    for place, name in enumerate(table.names):
        places.setdefault(name, place)
    for row in table.rows:
        yield Cells(row, places) if row.fault is None else broken(row)


def made(model: type[M], **fields: object) -> M:
    """The fact. Raises CellError for the first field that it refuses."""
    try:
        return model.model_validate({name: value for name, value in fields.items() if value not in (None, "")})
    except ValidationError as error:
        fault = error.errors()[0]
        field = ".".join(str(part) for part in fault["loc"])
        raise CellError(field, str(fault.get("input", "")), fault["msg"].removeprefix("Value error, ")) from None
