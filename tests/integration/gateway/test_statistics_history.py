"""The statistics of each day: kept once a day by the database's clock, and never changed afterwards."""

import asyncio
from typing import Any

import pytest

from services.membership.views import daily_statistics
from tests.integration.gateway.gateways import CLUSTR, NUMELINK, GatewayUnderTest
from tests.support.builders import a_member

YESTERDAY = "update daily_statistics set day = day - 1"
TODAY = "select (now() at time zone 'Europe/Paris')::date"


async def first(gateway: GatewayUnderTest, sql: str) -> Any:
    async with gateway.engine.connect() as connection:
        return (await connection.exec_driver_sql(sql)).scalar_one()


async def history(gateway: GatewayUnderTest, **parameters: Any) -> Any:
    answer = await gateway.get("/statistics/history", role="reader", **parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_day_is_kept_as_it_was_when_it_was_first_looked_at(gateway: GatewayUnderTest) -> None:
    today = await first(gateway, TODAY)
    gateway.clock.instant = gateway.clock.instant.replace(year=today.year, month=today.month, day=today.day)
    await gateway.feed(CLUSTR, a_member(siren="732829320", name="Forges", exempt=True))
    await gateway.feed(NUMELINK, a_member(siren="732829320", name="Forges"), a_member(status="ended", postcode=None))
    live = (await gateway.get("/statistics", role="reader")).json()

    await daily_statistics.keep_today(gateway.engine)
    await gateway.feed(NUMELINK, a_member())
    await daily_statistics.keep_today(gateway.engine)

    (total,) = (await history(gateway))["items"]
    assert total == {"on": today.isoformat(), "code": None, "name": None, **live["total"]}
    assert (total["members"], total["active"], total["paid_up"]) == (2, 1, 1)
    for by, name in (("cluster", "clusters"), ("lineage", "lineages"), ("departement", "departements")):
        items = [
            {key: value for key, value in item.items() if key != "on"}
            for item in (await history(gateway, by=by))["items"]
        ]
        counted = [item for item in live[name] if item["members"]]
        assert sorted(items, key=repr) == sorted(counted, key=repr)


async def test_days_come_one_after_the_other(gateway: GatewayUnderTest) -> None:
    for name in ("Forges du Gier", "Néon Conseil", "Tissages du Rhône"):
        await gateway.sql(YESTERDAY)
        await gateway.feed(NUMELINK, a_member(name=name, email=None))
        await daily_statistics.keep_today(gateway.engine)
    today = await first(gateway, TODAY)

    whole = await history(gateway, **{"from": "2020-06-01", "to": today.isoformat()})
    last = await history(gateway, **{"from": today.isoformat(), "to": today.isoformat()})

    assert (whole["from"], whole["to"], whole["by"]) == ("2020-06-01", today.isoformat(), "total")
    assert [item["members"] for item in whole["items"]] == [1, 2, 3]
    assert last["items"] == whole["items"][-1:]


async def test_replicas_that_look_at_once_keep_a_day_once(gateway: GatewayUnderTest) -> None:
    await gateway.feed(NUMELINK, a_member(), a_member(postcode="38000"))

    await asyncio.gather(*(daily_statistics.keep_today(gateway.engine) for _ in range(4)))

    assert await first(gateway, "select count(*) from daily_statistics where kind = 'total'") == 1
    assert await first(gateway, "select sum(members)::int from daily_statistics where kind = 'departement'") == 2


async def test_a_day_without_members_is_left_out(gateway: GatewayUnderTest) -> None:
    await daily_statistics.keep_today(gateway.engine)

    answer = await history(gateway)

    assert (answer["to"], answer["from"], answer["items"]) == ("2026-11-23", "2025-11-23", [])


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"from": "2026-02-02", "to": "2026-02-01"}, "to"),
        ({"from": "2000-01-01", "to": "2026-01-01"}, "to"),
        ({"from": "x"}, "from"),
        ({"by": "siren"}, "by"),
    ],
)
async def test_what_is_no_stretch_of_days_is_refused(
    gateway: GatewayUnderTest, wrong: dict[str, Any], field: str
) -> None:
    answer = await gateway.get("/statistics/history", role="reader", **wrong)

    assert (answer.status_code, [item["field"] for item in answer.json()["errors"]]) == (422, [field])
