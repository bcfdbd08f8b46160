import asyncio
import logging
from datetime import timedelta
from uuid import uuid4

import pytest

from services.gateway.auth import caller_cache
from tests.integration.gateway.gateways import NUMELINK, own_id
from tests.support.builders import a_member

READABLE = ["/members", "/members/{id}", "/members/by-source/numelink/M-1", "/statistics"]
FOR_STAFF = [
    "/members.csv",
    "/members/{id}/timeline",
    "/members/{id}/sources",
    "/members/{id}/identity",
    "/duplicates",
    "/duplicates/decisions",
]


@pytest.fixture
async def member_id(gateway):
    """The id of the only member."""
    await gateway.feed(NUMELINK, a_member(record_id="M-1"))
    return own_id(NUMELINK, "M-1")


@pytest.mark.parametrize("path", READABLE + FOR_STAFF)
async def test_nothing_is_readable_without_a_key(gateway, member_id, path):
    answer = await gateway.client.get(path.format(id=member_id))

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:traboule:problem:key-missing"


@pytest.mark.parametrize(
    "written",
    ["Bearer trb_nobody_nothing", "Bearer x", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer trb__", "Bearer é", "trb_a_b"],
)
async def test_a_wrong_key_opens_nothing(gateway, member_id, written):
    for path in READABLE + FOR_STAFF:
        answer = await gateway.client.get(path.format(id=member_id), headers={"authorization": written.encode()})

        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_the_right_id_with_a_wrong_secret_opens_nothing(gateway, member_id):
    key, other = await gateway.key(), await gateway.key()
    forged = "_".join([*key.split("_", 2)[:2], other.split("_", 2)[2]])

    for path in ("/members", f"/members/{member_id}"):
        assert (await gateway.client.get(path, headers={"authorization": f"Bearer {key}"})).status_code == 200
        assert (await gateway.client.get(path, headers={"authorization": f"Bearer {forged}"})).status_code == 401


async def test_a_key_may_also_come_in_its_own_header(gateway, member_id):
    key = await gateway.key()
    for path in READABLE:
        assert (await gateway.client.get(path.format(id=member_id), headers={"x-api-key": key})).status_code == 200


async def test_a_new_key_works_at_once(gateway, member_id):
    for _ in range(5):
        key = await gateway.key()
        assert (await gateway.client.get("/members", headers={"authorization": f"Bearer {key}"})).status_code == 200


PERSON = {
    "contact_first_name": "Aglaé", "contact_last_name": "Montgolfier", "contact_role": "Gérante",
    "email": "aglae@montgolfier.example", "mobile": "06 12 34 56 78",
}  # fmt: skip
"""Of a record: each of these names somebody, or reaches them; so may any field that only a former system knows."""


@pytest.mark.parametrize("path", ["/members/{id}", "/members/by-source/numelink/M-1"])
async def test_of_what_a_record_says_of_people_a_reader_reads_nothing(gateway, path):
    written = a_member(record_id="M-1", name="Ballons SARL", extra={"Relance par": "Étienne Montgolfier"})
    worker = a_member(record_id="M-2", name="Joseph Montgolfier", works_for="M-1", email="joseph@montgolfier.example")
    await gateway.feed(NUMELINK, written.model_copy(update=PERSON), worker)
    address = path.format(id=own_id(NUMELINK, "M-1"))

    staff, reader = [await gateway.get(address, role=role) for role in ("staff", "reader")]

    for said in (*PERSON.values(), "Étienne Montgolfier", "Joseph Montgolfier"):
        # In a view a number stands as it is dialled from anywhere; in the record as it was written.
        assert said in staff.text
        assert said not in reader.text
    assert "ontgolfier" not in reader.text
    assert "612345678" not in reader.text
    records = [{name: each[name] for name in ("from", "member_id")} for each in staff.json()["sources"]]
    assert [each["from"] for each in records] == [f"{NUMELINK}/M-1", f"{NUMELINK}/M-2"]
    assert reader.json()["sources"] == records
    assert reader.headers["etag"] != staff.headers["etag"]


@pytest.mark.parametrize("path", FOR_STAFF)
async def test_a_reader_may_not_read_what_is_for_staff(gateway, member_id, path):
    answer = await gateway.get(path.format(id=member_id), role="reader")

    assert answer.status_code == 403
    assert answer.json()["right"] == "read-persons"
    assert answer.json()["roles"] == ["staff", "treasurer", "admin"]
    assert (await gateway.get(path.format(id=member_id), role="staff")).status_code == 200
    assert (await gateway.get(path.format(id=member_id), role="admin")).status_code == 200


async def test_an_expired_key_stops_at_once(gateway, member_id):
    headers = {"authorization": f"Bearer {await gateway.key()}"}
    await gateway.sql("update api_keys set expires_at = now() + interval '2 seconds'")
    assert (await gateway.client.get("/members", headers=headers)).status_code == 200

    await asyncio.sleep(2)

    for path in READABLE:
        assert (await gateway.client.get(path.format(id=member_id), headers=headers)).status_code == 401


@pytest.mark.parametrize("years", [20, -20])
async def test_a_clock_of_ours_that_is_wrong_opens_and_closes_no_door(gateway, years):
    await gateway.get("/members", role="reader")
    gateway.clock.instant += timedelta(days=years * 365)

    assert (await gateway.get("/members", role="reader")).status_code == 200


async def test_a_key_that_expired_in_the_database_is_unknown(gateway, member_id):
    key = await gateway.key()
    await gateway.sql("update api_keys set expires_at = now() - interval '1 second'")

    assert (await gateway.client.get("/members", headers={"authorization": f"Bearer {key}"})).status_code == 401


async def test_a_revoked_key_stops_soon(gateway, member_id, monkeypatch):
    assert caller_cache.STALE_SECONDS < 10
    monkeypatch.setattr(caller_cache, "REFRESH_SECONDS", 0.1)
    monkeypatch.setattr(caller_cache, "STALE_SECONDS", 0.3)
    for path in ("/members", f"/members/{member_id}"):
        assert (await gateway.get(path, role="reader")).status_code == 200
    await gateway.sql("update api_keys set revoked_at = now()")

    await asyncio.sleep(0.35)

    for path in ("/members", f"/members/{member_id}"):
        assert (await gateway.get(path, role="reader")).status_code == 401


async def test_health_needs_no_key(gateway):
    for path in ("/health/live", "/health/ready", "/metrics"):
        assert (await gateway.client.get(path)).status_code == 200


async def test_logs_hold_neither_keys_nor_what_was_searched(gateway, member_id, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    key = await gateway.key("staff")
    headers = {"authorization": f"Bearer {key}"}
    for path in ("/members", "/members.csv", "/members/x", "/nowhere", "/members.csv"):
        await gateway.client.get(path, headers=headers, params={"search": "Dupont secret", "limit": "many"})
        await gateway.client.get(path, headers={"authorization": f"Bearer {key}x"}, params={"search": "Dupont secret"})

    # What a test's own HTTP client says of itself is not ours.
    ours = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("httpx"))
    answer = ours + "".join(capfd.readouterr())
    assert "members.exported" in answer
    assert "Dupont" not in answer
    assert key.split("_", 2)[2] not in answer


async def test_what_is_open_without_a_key_is_named_here(gateway):
    """Each route of the description, asked by *nobody*: all but these answer 401."""
    paths = (await gateway.client.get("/openapi.json")).json()["paths"].items()
    open_to_all = set()
    for path, methods in paths:
        for method in methods:
            asked = path.replace("{token}", "a" * 26).replace("{session_id}", str(uuid4()))
            answer = await gateway.client.request(method.upper(), asked, content=b"{}")
            if answer.status_code != 401:
                open_to_all.add((method, path))

    pages = ("/p/u/{token}", "/p/e/{session_id}", "/p/r/{token}", "/p/c/{token}")
    script = {("get", "/p/check-in.js"), ("get", "/p/c/{token}/list"), ("post", "/p/c/{token}/entries")}
    feeds = {("get", f"/p/feed/{name}.ics") for name in ("events", "{cluster}", "r/{token}")}
    assert open_to_all == {(method, page) for page in pages for method in ("get", "post")} | feeds | script
