"""What services state of source records: heard in any order, and kept as membership keeps it."""

from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from services.membership.records.record import RecordKey, Related

CLUSTER = "numelink"


async def newest_stated(connection: AsyncConnection, routing_key: str) -> list[dict[str, Any]]:
    """Of every statement in the outbox the newest of each record, as somebody who heard them in any order has it."""
    sql = "select body from outbox where routing_key = $1"
    trees = [orjson.loads(body) for body in (await connection.exec_driver_sql(sql, (routing_key,))).scalars()]
    newest: dict[str, dict[str, Any]] = {}
    for data in (event["data"] for tree in trees for event in (tree if isinstance(tree, list) else [tree])):
        known = newest.setdefault(data["record_id"], data)
        assert known is data or known["version"] != data["version"], "two statements of one version"
        if known["version"] < data["version"]:
            newest[data["record_id"]] = data
    return [newest[record_id] for record_id in sorted(newest)]


async def kept(connection: AsyncConnection, kind: str, routing_key: str) -> list[Related]:
    """The newest statement of each record as membership keeps it, without its version.

    Whether an empty one was ever announced depends on the order, and shows nowhere: these are left out.
    """
    contents = [
        {name: value for name, value in data.items() if name != "version"}
        for data in await newest_stated(connection, routing_key)
    ]
    return [
        Related(kind, RecordKey(content["cluster"], content["record_id"]), content["record_id"], content)
        for content in contents
        if len(content) > 2
    ]
