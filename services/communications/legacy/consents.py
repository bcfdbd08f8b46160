"""From a row of a list to a consent of its address. Facts of one address and form have one id, whatever the file.

The source names the form and not the file or its line: those differ with each export, and would make every row of the
next one look changed.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from hashlib import sha256
from typing import Any, Final

from schemas.communications import ConsentRecorded, ConsentStatus
from services.communications.consents.objections import UNDATED
from services.communications.suppressions.address import AddressError, normalise
from shared.importing import values
from shared.importing.named_cells import CellError, Cells, made, rows_of
from shared.importing.outcomes import Accepted, NoFact, Outcome, Rejection, Repeated
from shared.importing.table import Table

EVERY_PURPOSE: Final = "*"
NEWSLETTER: Final = "newsletter"
"""The purpose that who is on a list agreed to, where the list has no name."""


def address_id(form: str, address: str) -> str:
    """The id of what one form says of an address: the same for each of its writings. Raises AddressError."""
    return f"{form}/{sha256(normalise(address).encode()).hexdigest()[:32]}"


def consent(
    form: str, cells: Cells, column: str, version: int, status: ConsentStatus, **fields: Any
) -> ConsentRecorded:
    """What a row says of the address in its ``column``. Raises CellError."""
    address = cells.text(column)
    try:
        consent_id = fields.pop("consent_id", None) or address_id(form, address)
        normalise(address)
    except AddressError as error:
        raise CellError(column, address, str(error)) from None
    usual: dict[str, Any] = {"channel": "bulk-email", "purpose": EVERY_PURPOSE, "decided_at": UNDATED}
    usual |= {"address": address, "source": f"import: {form}"}
    return made(ConsentRecorded, version=version, consent_id=consent_id, status=status, **usual | fields)


def moment(cells: Cells, zone: tzinfo, *columns: str) -> datetime:
    """When the person decided, by the first of these columns that says so; of no known day, :data:`UNDATED`.

    Raises CellError.
    """
    for column in columns:
        written = cells.text(column)
        if written:
            try:
                return values.moment(written, zone) or UNDATED
            except ValueError as error:
                raise CellError(column, written, str(error)) from None
    return UNDATED


def since_1970(cells: Cells, column: str) -> datetime:
    """The same of a column that counts seconds. Raises CellError."""
    written = cells.text(column)
    if not written or written == "0":
        return UNDATED
    if not written.isdigit() or len(written) > 11:
        raise CellError(column, written, "is no number of seconds since 1970")
    return datetime.fromtimestamp(int(written), UTC)


def yes(cells: Cells, *columns: str) -> bool | None:
    """Whether a column says yes; None where it is missing or empty. Raises CellError."""
    written = cells.text(*columns)
    try:
        return values.yes(written)
    except ValueError as error:
        raise CellError(columns[0], written, str(error)) from None


def translated(
    table: Table, consents_of: Callable[[Cells], Sequence[ConsentRecorded] | NoFact]
) -> Iterator[Outcome[ConsentRecorded]]:
    """The consents of each row. A row of which ``consents_of`` raises CellError is set aside, and so is one that says
    otherwise than an earlier row with its id.
    """
    table.covered.update(ConsentRecorded.model_fields)
    seen: dict[str, tuple[int, ConsentRecorded]] = {}
    for cells in rows_of(table):
        if isinstance(cells, Rejection):
            yield cells
            continue
        try:
            consents = consents_of(cells)
        except CellError as error:
            yield error.rejection(cells.line, None)
            continue
        if isinstance(consents, NoFact):
            yield consents
        else:
            yield from _each(cells.line, consents, seen)


def _each(
    line: int, consents: Sequence[ConsentRecorded], seen: dict[str, tuple[int, ConsentRecorded]]
) -> Iterator[Outcome[ConsentRecorded]]:
    lines: tuple[int, ...] = (line,)
    for fact in consents:
        first, before = seen.setdefault(fact.consent_id, (line, fact))
        if first == line:
            yield Accepted(lines, fact)
        elif before == fact:
            yield Repeated(line, first)
        elif fact.status == before.status:
            # The same word on another day: the earlier one stands.
            yield NoFact(line, f"line {first} says the same of this address")
        else:
            yield Rejection(line, None, "address", "", f"line {first} has this address, and says otherwise")
        lines = ()
