"""A script in a loop leaves room for the others."""

from tests.integration.gateway.gateways import NUMELINK, open_gateway, own_id
from tests.support.builders import a_member


def little(limit, burst):
    limit.burst, limit.per_second = burst, 0.1


async def statuses(gateway, path, times, **headers):
    return [(await gateway.get(path, **headers)).status_code for _ in range(times)]


async def test_a_key_that_asks_too_often_waits_and_others_do_not(gateway):
    little(gateway.context.limits.keys, 3)

    assert await statuses(gateway, "/statistics", 4, role="staff") == [200, 200, 200, 429]
    refused = await gateway.get("/members", role="staff")
    assert refused.json()["type"] == "urn:traboule:problem:too-many-requests"
    assert refused.headers["retry-after"] == "1"
    assert (await gateway.get("/statistics", role="reader")).status_code == 200


async def test_single_members_have_a_limit_of_their_own_and_then_that_of_all_else(gateway):
    await gateway.feed(NUMELINK, a_member(record_id="1"))
    little(gateway.context.limits.members, 3)
    little(gateway.context.limits.keys, 2)
    path = f"/members/{own_id(NUMELINK, '1')}"
    await gateway.get("/statistics", role="staff")  # from now on the key is known, and the short way takes it

    assert await statuses(gateway, path, 5, role="staff") == [200, 200, 200, 200, 429]


async def test_a_person_is_counted_by_pages_and_not_by_what_pages_ask(gateway):
    little(gateway.context.limits.people, 3)
    little(gateway.context.limits.keys, 1)

    assert await statuses(gateway, "/console/membres", 4, role="staff") == [200, 200, 200, 429]
    assert "Trop de demandes" in (await gateway.get("/console/membres", role="staff")).text
    assert (await gateway.get("/console/membres", role="reader")).status_code == 200


async def test_the_setting_is_of_a_second_and_of_five_at_once(database_url):
    async with open_gateway(database_url, requests_per_second=2) as gateway:
        limits = gateway.context.limits
    assert (limits.keys.burst, limits.keys.per_second) == (10, 2)
    assert (limits.members.burst, limits.members.per_second) == (100, 20)
    assert (limits.people.burst, limits.people.per_second) == (100, 10), "a page asks for parts of itself"
