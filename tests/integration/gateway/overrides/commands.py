"""Requests about values that staff set, and what is shown of them."""

from typing import Any

from services.membership.records.record import RecordKey
from tests.integration.gateway.gateways import CLUSTR, NUMELINK, GatewayUnderTest

OURS, THEIRS = RecordKey(CLUSTR, "A"), RecordKey(NUMELINK, "B")


async def put(gateway: GatewayUnderTest, member: str, field: str, value: str, **body: Any) -> Any:
    sent = {"value": value, "reason": "by phone", "author": "m.durand"} | body
    return await gateway.ask("PUT", f"/members/{member}/fields/{field}", json=sent, role="staff")


async def take_back(gateway: GatewayUnderTest, member: str, field: str, **body: Any) -> Any:
    sent = {"reason": "was wrong"} | body
    return await gateway.ask("POST", f"/members/{member}/fields/{field}/take-back", json=sent, role="staff")


async def view(gateway: GatewayUnderTest, member: str) -> dict[str, Any]:
    return (await gateway.get(f"/members/{member}")).json()


async def history(gateway: GatewayUnderTest, member: str) -> list[dict[str, Any]]:
    return (await gateway.get(f"/members/{member}/overrides", role="staff")).json()["items"]
