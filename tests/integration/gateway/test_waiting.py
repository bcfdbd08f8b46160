"""What waits for a person, in numbers: the newest announcement of each service, and what is open here."""

from datetime import UTC, datetime
from typing import Any

from schemas.billing import BillingConflictAnswered
from schemas.waiting import BillingWaitingChanged, EventsWaitingChanged, WaitingInCluster
from tests.integration.gateway.gateways import CLUSTR, NUMELINK, GatewayUnderTest
from tests.support.builders import a_member

SINCE = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


async def waiting(gateway: GatewayUnderTest) -> Any:
    answer = await gateway.get("/waiting", role="staff")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_nothing_waits_in_an_empty_house(gateway: GatewayUnderTest) -> None:
    assert await waiting(gateway) == {
        "duplicates": {"open": 0},
        "conflicts": {"open": 0, "billing": 0, "events": 0},
        "services": [],
    }


async def test_the_newest_announcement_of_each_service_is_shown(gateway: GatewayUnderTest) -> None:
    clusters = (
        WaitingInCluster(cluster=CLUSTR, late=2, differences=0),
        WaitingInCluster(cluster=NUMELINK, late=1, differences=40),
    )
    await gateway.feed(NUMELINK, BillingWaitingChanged(version=7, parked=3, parked_since=SINCE, clusters=clusters))
    await gateway.feed(NUMELINK, BillingWaitingChanged(version=6, parked=9))
    await gateway.feed(NUMELINK, EventsWaitingChanged(version=1))

    billing, events = (await waiting(gateway))["services"]

    assert billing == {
        "service": "billing",
        "parked": 3,
        "parked_since": "2026-11-20T08:00:00+00:00",
        "late": 3,
        "differences": 40,
        "clusters": [item.model_dump() for item in clusters],
    }
    assert (events["service"], events["parked"], events["parked_since"], events["clusters"]) == ("events", 0, None, [])


async def test_counts_are_those_of_the_lists_that_they_lead_to(gateway: GatewayUnderTest) -> None:
    for number, siren in enumerate(("732829320", "552100554")):
        for cluster in (CLUSTR, NUMELINK):
            name = f"Forges {siren}"
            member = a_member(record_id=str(number), name=name, siren=siren, paid_until="2026-12-31")
            await gateway.feed(cluster, member)
    for cluster in (CLUSTR, NUMELINK):
        await gateway.feed(cluster, a_member(name="Tissages du Rhône", record_id="T", email=None))
    first, _ = (await gateway.get("/conflicts", role="staff")).json()["items"]
    answered = BillingConflictAnswered(
        conflict_id=first["conflict_id"], version=1, owner="tresorerie", state="settled", changed_at=SINCE
    )

    before = await waiting(gateway)
    await gateway.feed(CLUSTR, answered)
    after = await waiting(gateway)

    assert before["conflicts"] == {"open": 2, "billing": 2, "events": 0}
    assert after["conflicts"] == {"open": 1, "billing": 1, "events": 0}
    open_conflicts = (await gateway.get("/conflicts", role="staff", state="open")).json()
    assert open_conflicts["total"] == after["conflicts"]["open"]
    assert after["duplicates"]["open"] == (await gateway.get("/duplicates", role="staff")).json()["total"] == 1


async def test_only_staff_may_read_it(gateway: GatewayUnderTest) -> None:
    assert (await gateway.client.get("/waiting")).status_code == 401
    assert (await gateway.get("/waiting", role="reader")).status_code == 403
