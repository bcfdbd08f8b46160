"""Commands on one record of a cluster that was moved over, and what is shown of it."""

from typing import Any

from services.cutover.stages import Move, StageState, move
from tests.integration.gateway.gateways import NUMELINK, GatewayUnderTest, own_id

RECORD = f"/records/{NUMELINK}/B-1"


async def moved(gateway: GatewayUnderTest, *moves: Move, cluster: str = NUMELINK) -> StageState | None:
    """Move a cluster's former membership system as an operator does."""
    state = None
    for item in moves:
        async with gateway.engine.begin() as connection:
            state = await move(connection, cluster, item, by="Ops", reason="a test")
    return state


async def seen(gateway: GatewayUnderTest, path: str = RECORD) -> str:
    return (await gateway.get(path)).headers["etag"]


async def change(gateway: GatewayUnderTest, fields: dict[str, Any], etag: str | None = None, **body: Any) -> Any:
    headers = {"if-match": await seen(gateway) if etag is None else etag}
    return await gateway.ask("PATCH", RECORD, json={"fields": fields} | body, headers=headers, role="staff")


async def create(gateway: GatewayUnderTest, fields: dict[str, Any], cluster: str = NUMELINK, **body: Any) -> Any:
    return await gateway.ask("POST", f"/records/{cluster}", json={"fields": fields} | body, role="staff")


async def view(gateway: GatewayUnderTest, record_id: str = "B-1") -> dict[str, Any]:
    return (await gateway.get(f"/members/{own_id(NUMELINK, record_id)}")).json()


async def audit(gateway: GatewayUnderTest, path: str = RECORD) -> list[dict[str, Any]]:
    return (await gateway.get(f"{path}/changes", role="staff")).json()["items"]


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("urn:traboule:problem:")
