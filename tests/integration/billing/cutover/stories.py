"""What former systems bill, and what they are written back."""

from datetime import date
from typing import Any

import orjson

from schemas.base import RecordRef
from services.cutover.preconditions import Condition
from tests.support.billing import Billing

LAST = date(2027, 12, 31)
CLUSTERS = ("clustr-numerique", "numelink")
BOTH = RecordRef(cluster="clustr-numerique", record_id="1"), RecordRef(cluster="numelink", record_id="2")


async def held(office: Billing, which: Any, cluster: str) -> dict[str, Condition]:
    async with office.engine.begin() as connection:
        return {condition.name: condition for condition in await which(office.begin(connection), cluster)}


async def way_back(office: Billing, cluster: str) -> list[dict[str, Any]]:
    """What the former system finds in its queue."""
    sql = "select body from outbox where routing_key = $1 order by id"
    bodies = [row[0] for row in await office.rows(sql, f"traboule.billing.document-written.{cluster}")]
    trees = [orjson.loads(body) for body in bodies]
    return [event["data"] for tree in trees for event in (tree if isinstance(tree, list) else [tree])]
