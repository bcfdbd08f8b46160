"""What a decision would do: the members are those that it leads to, and nothing is written before it is taken."""

from hashlib import blake2b
from typing import Any

import pytest

from tests.integration.gateway.duplicates.decisions import DECISIONS, FIRST, OTHER, a_company, decide, post
from tests.integration.gateway.gateways import CLUSTR, NUMELINK, GatewayUnderTest, own_id

OURS, THEIRS = own_id(CLUSTR, "12"), own_id(NUMELINK, "B-1")
TRY = f"{DECISIONS}/preview"
TABLES = "select table_name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'"
SEQUENCES = "select schemaname, sequencename, last_value from pg_sequences order by 1, 2"


async def digest(gateway: GatewayUnderTest) -> dict[str, str]:
    """Of every table and sequence."""
    async with gateway.engine.begin() as connection:
        rows: dict[str, Any] = {"sequences": (await connection.exec_driver_sql(SEQUENCES)).all()}
        for (name,) in (await connection.exec_driver_sql(TABLES)).all():
            rows[name] = sorted(map(str, (await connection.exec_driver_sql(f'select t::text from "{name}" t')).all()))
    return {name: blake2b(repr(content).encode()).hexdigest() for name, content in rows.items()}


async def tried(gateway: GatewayUnderTest, body: Any, path: str = TRY) -> Any:
    """What a preview answers; nothing is another than before."""
    await gateway.get("/members", role="staff")  # makes the key
    before = await digest(gateway)
    answer = await post(gateway, path, body)
    assert await digest(gateway) == before
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_merge_is_shown_as_it_is_afterwards(gateway: GatewayUnderTest, two: None) -> None:
    result = await tried(gateway, {"verdict": "same", "records": [FIRST, OTHER]})

    await decide(gateway, "same")
    view = (await gateway.get(f"/members/{OURS}")).json()
    assert result == {
        "changes": True,
        "members": [{"id": OURS, "records": [FIRST, OTHER], "changed": True, "view": view}],
        "gone_ids": [THEIRS],
    }
    assert (view["phone"]["value"], view["siren"]["value"]) == ("+33477000001", "732829320")


async def test_a_separation_is_shown_as_it_is_afterwards(gateway: GatewayUnderTest, two: None) -> None:
    await decide(gateway, "same")
    path = f"/members/{THEIRS}/separations"

    result = await tried(gateway, {"records": [OTHER]}, f"{path}/preview")

    assert (await post(gateway, path, {"records": [OTHER], "reason": "another"})).status_code == 201
    views = [(await gateway.get(f"/members/{member}")).json() for member in (OURS, THEIRS)]
    assert [member["view"] for member in result["members"]] == views
    assert [member["records"] for member in result["members"]] == [[FIRST], [OTHER]]
    assert (result["changes"], result["gone_ids"]) == (True, [])


async def test_what_holds_already_changes_nothing(gateway: GatewayUnderTest, two: None) -> None:
    result = await tried(gateway, {"verdict": "different", "records": [FIRST, OTHER]})

    assert result["changes"] is False
    assert [(member["id"], member["changed"]) for member in result["members"]] == [(OURS, False), (THEIRS, False)]


async def test_parts_are_sorted_out(gateway: GatewayUnderTest, two: None) -> None:
    await gateway.feed(NUMELINK, a_company(record_id="B-2"))

    result = await tried(gateway, {"parts": [[FIRST, f"{NUMELINK}/B-2"], [OTHER]]})

    assert [member["records"] for member in result["members"]] == [[FIRST, f"{NUMELINK}/B-2"], [OTHER]]
    assert [member["changed"] for member in result["members"]] == [True, False]


async def test_a_decision_beats_those_before_it(gateway: GatewayUnderTest, two: None) -> None:
    await decide(gateway, "different")

    result = await tried(gateway, {"verdict": "same", "records": [FIRST, OTHER]})

    assert [member["records"] for member in result["members"]] == [[FIRST, OTHER]]


@pytest.mark.parametrize(
    ("path", "body", "status", "kind"),
    [
        (TRY, {"verdict": "same", "records": [FIRST, "nobody/1"]}, 422, "record-unknown"),
        (TRY, {"verdict": "same", "records": [FIRST, FIRST]}, 422, "decision-refused"),
        (TRY, {"verdict": "same", "records": [FIRST, OTHER], "reason": "so"}, 422, "invalid-parameters"),
        (TRY, {"decisions": []}, 422, "invalid-parameters"),
        (f"/members/{OURS}/separations/preview", {"records": [OTHER]}, 422, "decision-refused"),
        (f"/members/{OURS}/separations/preview", {"records": [FIRST]}, 422, "decision-refused"),
        ("/members/x/separations/preview", {"records": [FIRST]}, 404, "member-unknown"),
    ],
)
async def test_what_cannot_be_decided_cannot_be_tried(
    gateway: GatewayUnderTest, two: None, path: str, body: Any, status: int, kind: str
) -> None:
    answer = await post(gateway, path, body)

    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:traboule:problem:{kind}")


async def test_readers_may_not_try(gateway: GatewayUnderTest, two: None) -> None:
    body = {"verdict": "same", "records": [FIRST, OTHER]}

    assert (await post(gateway, TRY, body, role="reader")).status_code == 403
