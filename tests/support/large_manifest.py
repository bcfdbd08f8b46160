"""A manifest of many records, compared; and how much memory that takes."""

import tracemalloc
from dataclasses import dataclass

import orjson

from schemas.cutover import PART_RECORDS
from services.billing.definition import DEFINITION
from services.cutover.parity.by_manifest import MORE
from services.cutover.parity.comparison import compare_with_manifest, one_snapshot
from services.cutover.parity.runs import newest
from tests.support.builders import an_invoice
from tests.support.parity import Mirrored

STORED = 1_000
MOST = 500
MOST_BYTES = 12 * 1024 * 1024


@dataclass(frozen=True)
class Taken:
    """Bytes of Python objects at the most, and what the comparison found."""

    peak: int
    differences: int
    more: int
    here: int
    there: int


async def compared(mirrored: Mirrored, parts: int) -> Taken:
    """Compare some invoices with a manifest that lists them, each with another digest, and very many others."""
    await mirrored.imports(*(an_invoice(invoice_id=f"F-1-{number:05d}") for number in range(STORED)))
    async with mirrored.database.engine() as engine:
        async with engine.begin() as connection:
            for part in range(1, parts + 1):
                records = [("invoice", f"F-{part}-{number:05d}", None, "0" * 64) for number in range(PART_RECORDS)]
                await connection.exec_driver_sql(
                    "insert into manifests (cluster, version, part, parts, counts, records) "
                    "values ('numelink', 1, $1, $2, '{}', $3::json)",
                    (part, parts, orjson.dumps(records).decode()),
                )
        tracemalloc.start()
        try:
            async with engine.begin() as connection:
                await one_snapshot(connection)
                found = await compare_with_manifest(connection, "numelink", DEFINITION.mirrored, most=MOST)
            assert found is not None
            async with engine.begin() as connection:
                await found.keep(connection, "numelink", by="a test")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        async with engine.begin() as connection:
            run = await newest(connection, "numelink")
    assert run is not None
    more = [item.difference.there or {} for item in run.differences if item.difference.fields == (MORE,)]
    sides = run.counts["invoice"]
    return Taken(peak, len(run.differences), more[0][MORE] if more else 0, sides.here, sides.there)
