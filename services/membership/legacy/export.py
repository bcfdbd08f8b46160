"""A record in its former system's own columns, and what cannot be said there.

What is left out is not worked out from a list: the rows are read by the product's own reader, as they will be when the
former system says them again, and compared as parity compares.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.membership import MemberRecorded
from services.cutover.parity.compare import compare
from services.membership.legacy import Product, kind_for
from services.membership.legacy.lines import Dialect, with_extra
from services.membership.legacy.meanings import DEFAULT, Reading
from services.membership.records.editing import KEPT
from shared.importing.decoding import decode
from shared.importing.outcomes import Accepted
from shared.importing.table import Row, Table

_KEPT_THERE = {*KEPT} - {"record_id"}
"""What every system keeps by itself of each record."""


@dataclass(frozen=True, slots=True)
class Written:
    """One record as rows of a file of its former system; ``file`` says which kind.

    ``columns`` may name one twice, as Dolibarr does. ``left_out`` are the fields that the former system would say
    otherwise once it has read the rows; what every system keeps by itself (when a record was made and changed) aside.
    """

    file: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: tuple[str, ...]
    name: str = ""


def write(fact: MemberRecorded, software: str, added: Iterable[str] = (), reading: Reading = DEFAULT) -> Written:
    """Turn a record round; ``added`` are the columns that the cluster added to its product."""
    kind = kind_for(software, fact.record_id)
    lines = with_extra(kind.write(fact, tuple(added)))
    columns = tuple(item.header for item, _ in lines[0])
    rows = tuple(tuple(_one_line_break(cell) for _, cell in line) for line in lines)
    return Written(kind.name, columns, rows, _left_out(fact, kind, columns, rows, reading), fact.name)


def _one_line_break(cell: str) -> str:
    """Python quotes a cell that holds ``\\n``, not one with ``\\r`` alone: readers would end the row there."""
    return cell.replace("\r\n", "\n").replace("\r", "\n")


def _left_out(
    fact: MemberRecorded,
    kind: Product,
    columns: tuple[str, ...],
    rows: tuple[tuple[str, ...], ...],
    reading: Reading,
) -> tuple[str, ...]:
    read_again = read_back(kind, columns, rows, fact.version, reading)
    if read_again is None:
        # No row at all would be accepted: nothing of the record can be said there.
        return tuple(name for name in fact.model_dump(exclude_defaults=True) if name not in _KEPT_THERE)
    differences = compare({("member", ""): read_again}, {("member", ""): fact}).differences
    return tuple(name for difference in differences for name in difference.fields if name not in _KEPT_THERE)


def read_back(
    kind: Product,
    columns: tuple[str, ...],
    rows: Iterable[tuple[str, ...]],
    version: int,
    reading: Reading = DEFAULT,
) -> MemberRecorded | None:
    """What the product's own reader makes of the rows of one record; None if it would set them aside."""
    numbered = [Row(line, cells) for line, cells in enumerate(rows, start=2)]
    table = Table(Path(kind.name), columns, iter(numbered), "csv", len(numbered))
    facts = [item.fact for item in kind.translate(table, version, reading) if isinstance(item, Accepted)]
    return next((fact for fact in facts if isinstance(fact, MemberRecorded)), None)


def file_of(kind: Product, records: Sequence[Written]) -> bytes:
    """Records of one kind as the file that their product writes and reads; a column is empty where one lacks it."""
    columns: dict[tuple[str, int], None] = {}
    cells: list[dict[tuple[str, int], str]] = []
    for record in records:
        names = [(name, record.columns[:at].count(name)) for at, name in enumerate(record.columns)]
        columns.update(dict.fromkeys(names))
        cells += [dict(zip(names, row, strict=True)) for row in record.rows]
    dialect = kind.dialect
    out = io.StringIO(newline="")
    writer = csv.writer(
        out,
        delimiter=dialect.separator,
        quoting=csv.QUOTE_ALL if dialect.quoted else csv.QUOTE_MINIMAL,
        lineterminator=dialect.ending,
    )
    writer.writerow([name for name, _ in columns])
    for row in cells:
        written = (row.get(name, "") for name in columns)
        writer.writerow([item.replace("\n", dialect.line_break) if dialect.line_break else item for item in written])
    return _encoded(out.getvalue(), dialect)


def _encoded(text: str, dialect: Dialect) -> bytes:
    try:
        content = text.encode(dialect.encoding)
        if decode(content).text == text:
            return content
    except UnicodeEncodeError:
        pass
    return text.encode("utf-8-sig")
