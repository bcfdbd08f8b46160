"""The invoices and payments of an export, row by row."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from schemas.base import Fact
from schemas.billing import InvoiceRecorded, PaymentRecorded
from shared.importing.named_cells import CellError, Cells, rows_of
from shared.importing.outcomes import Accepted, NoFact, Outcome, Rejection
from shared.importing.table import Table

_ABSENT = {"lines", "vat_rates", "written_off", "allocations"}
"""No row of an export that has no lines says anything of these."""


def translated(
    table: Table, id_column: str, facts_of: Callable[[Cells, str], Sequence[Fact] | NoFact]
) -> Iterator[Outcome[Any]]:
    """The invoices and payments of each row, by its id. A row of which ``facts_of`` raises CellError is set aside."""
    table.covered.update({*InvoiceRecorded.model_fields, *PaymentRecorded.model_fields} - _ABSENT)
    for cells in rows_of(table):
        if isinstance(cells, Rejection):
            yield cells
            continue
        item = cells.text(id_column)
        try:
            facts = facts_of(cells, item)
        except CellError as error:
            yield error.rejection(cells.line, item)
            continue
        if isinstance(facts, NoFact):
            yield facts
            continue
        for place, fact in enumerate(facts):
            yield Accepted(() if place else (cells.line,), fact)
