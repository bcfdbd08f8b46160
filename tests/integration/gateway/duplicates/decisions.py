"""Questions about the review queue, and decisions."""

from typing import Any

from tests.integration.gateway.gateways import CLUSTR, NUMELINK, GatewayUnderTest
from tests.support.builders import a_member

PAPER = "Papeteries du Pilat"
FIRST, OTHER = f"{CLUSTR}/12", f"{NUMELINK}/B-1"
DECISIONS = "/duplicates/decisions"


def a_company(name: str = "Forges du Gier", **different: Any) -> Any:
    """Somebody in Saint-Étienne who may be somebody else of that name."""
    return a_member(**{"name": name, "email": None, "postcode": "42000", "city": "Saint-Étienne"} | different)


async def post(gateway: GatewayUnderTest, path: str, body: Any, role: str = "staff", **request: Any) -> Any:
    return await gateway.ask("POST", path, role=role, json=body, **request)


async def decide(gateway: GatewayUnderTest, verdict: str, *records: str, reason: str = "they said so") -> Any:
    return await post(gateway, DECISIONS, {"verdict": verdict, "records": records or (FIRST, OTHER), "reason": reason})


async def queue(gateway: GatewayUnderTest, **parameters: Any) -> Any:
    answer = await gateway.get("/duplicates", role="staff", **parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()
