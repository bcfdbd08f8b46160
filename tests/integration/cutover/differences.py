"""Comparisons with a former system of billing's, as a test needs them: written straight into its database."""

from hashlib import blake2b
from typing import Any

import orjson

from tests.support.in_process import OwnService

_RUN = """
    insert into parity_runs (cluster, by, source, counts, sums, open, accepted, subject, at)
    values ('numelink', 'zoé', $1, '{"invoice": {"there": 12, "here": 10}}',
            '{"invoice": {"2026": {"there": "1080.00", "here": "1080.00"}}}', $2, $3, $4,
            now() - make_interval(days => $5))
"""
_DIFFERENCES = """
    insert into parity_differences (run_id, digest, kind, item_id, what, fields, there, here, owner)
    select (select max(id) from parity_runs), n.digest, n.kind, n.item_id, n.what, string_to_array(n.fields, ','),
           n.there, n.here, n.owner
    from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::json[], $7::json[], $8::text[])
        as n (digest, kind, item_id, what, fields, there, here, owner)
"""


def id_of(item_id: str) -> str:
    """What names the difference of this item."""
    return blake2b(item_id.encode(), digest_size=16).hexdigest()[:12]


def a_difference(item_id: str, what: str = "different", **fields: Any) -> dict[str, Any]:
    """One difference; ``there`` and ``here`` are what both sides say."""
    sides = {"there": {"label": "there"}, "here": {"label": "here"}}
    return {"kind": "invoice", "item_id": item_id, "what": what, "fields": ["label"], "owner": None} | sides | fields


async def compared(
    billing: OwnService,
    *differences: dict[str, Any],
    subject: str = "mirror",
    days_ago: int = 0,
    counts: tuple[int, int] | None = None,
) -> None:
    """A comparison that found these; ``counts`` are what it kept as open and accepted."""
    source = ["since 2025-11-01"] if subject == "rehearsal" else ["export.csv"]
    still_open, accepted = counts or (len(differences), 0)
    await billing.query(_RUN, source, still_open, accepted, subject, days_ago)
    if not differences:
        return
    columns: list[list[Any]] = [[blake2b(each["item_id"].encode(), digest_size=16).hexdigest() for each in differences]]
    columns += [[each[name] for each in differences] for name in ("kind", "item_id", "what")]
    columns.append([",".join(each["fields"]) for each in differences])
    columns += [[orjson.dumps(each[name]).decode() for each in differences] for name in ("there", "here")]
    await billing.query(_DIFFERENCES, *columns, [each["owner"] for each in differences])
