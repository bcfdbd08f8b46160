import asyncio
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import pytest
import structlog

from services.gateway.api import members
from services.gateway.cursors import cursor
from tests.integration.gateway.gateways import NUMELINK, open_gateway, own_id
from tests.support.builders import a_member


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/members?limit=0", "limit"),
        ("/members?limit=501", "limit"),
        ("/members?limit=many", "limit"),
        ("/members?sort=age", "sort"),
        ("/members?paid_up=perhaps", "paid_up"),
        ("/members?cluster=nobody", "cluster"),
        ("/members?departement=Ain", "departement"),
        ("/members?departement=6%009", "departement"),
        ("/members?lineage=a%00b", "lineage"),
        (f"/members?search={'a' * 201}", "search"),
        ("/members.csv?lang=de", "lang"),
        (f"/members/{own_id(NUMELINK, '1')}/timeline?limit=-1", "limit"),
    ],
)
async def test_what_does_not_fit_is_told_field_by_field(gateway, path, field):
    answer = await gateway.get(path)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == 422
    assert [fault["field"] for fault in problem["errors"]] == [field]
    assert problem["errors"][0]["message"]


async def test_unknown_addresses_and_methods_are_problems_too(gateway):
    nowhere = await gateway.get("/nowhere")
    assert (nowhere.status_code, nowhere.headers["content-type"]) == (404, "application/problem+json")

    for path in ("/members", "/members/x", "/statistics"):
        refused = await gateway.client.post(path)
        assert (refused.status_code, refused.headers["content-type"]) == (405, "application/problem+json")
        assert refused.headers["allow"] == "GET"


async def test_titles_speak_the_readers_language(gateway):
    french = await gateway.get("/members/x", headers={"accept-language": "fr-FR"})
    english = await gateway.get("/members/x")

    assert french.json()["title"] == "Ce membre n'existe pas"
    assert english.json()["title"] == "There is no such member"


async def test_our_own_fault_is_a_number_and_nothing_else(gateway, monkeypatch, capfd):
    async def broken(*_):
        raise RuntimeError("the value Dupont")

    monkeypatch.setattr(members.queries, "member_by_any_id", broken)
    answer = await gateway.get("/members/00000000-0000-0000-0000-000000000000")

    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json().keys() == {"type", "title", "status", "instance"}
    assert "Dupont" not in answer.text
    logged = capfd.readouterr().err
    assert answer.json()["instance"] in logged
    assert "Dupont" not in logged


@asynccontextmanager
async def passage(database_url):
    """A way to the database that can be shut; yields the URL through it, and a function that shuts or opens it."""
    parts = urlsplit(str(database_url))
    writers = set()
    is_open = True

    async def copy(reader, writer):
        writers.add(writer)
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def accept(reader, writer):
        if not is_open:
            writer.close()
            return
        theirs = await asyncio.open_connection(parts.hostname, parts.port)
        await asyncio.gather(copy(reader, theirs[1]), copy(theirs[0], writer))

    def turn(to):
        nonlocal is_open
        is_open = to
        if not to:
            for writer in writers:
                writer.transport.abort()
            writers.clear()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    netloc = f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield urlunsplit(parts._replace(netloc=netloc)), turn
    finally:
        server.close()
        turn(False)
        await server.wait_closed()
        await asyncio.sleep(0.05)


async def test_a_database_that_goes_away_is_told_and_its_return_noticed(gateway, database_url):
    await gateway.feed(NUMELINK, a_member(record_id="1"))
    text = f"/members/{own_id(NUMELINK, '1')}"
    paths = [text, "/members", "/statistics", "/members.csv", f"{text}/timeline", f"{text}/sources"]
    async with passage(database_url) as (url, turn), open_gateway(database_url, url) as far:
        for path in paths:
            assert (await far.get(path)).status_code == 200

        turn(False)
        for path in paths:
            answer = await far.get(path)
            assert answer.status_code == 503, path
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["retry-after"] == "5"
        together = await asyncio.gather(*(far.get(text) for _ in range(40)))
        assert {answer.status_code for answer in together} == {503}

        turn(True)
        for path in paths:
            assert (await far.get(path)).status_code == 200


async def test_a_database_that_was_never_there_is_told(gateway, database_url):
    async with open_gateway(database_url, "postgresql://nobody@127.0.0.1:1/nothing") as far:
        for path in ("/members", f"/members/{own_id(NUMELINK, '1')}"):
            assert (await far.get(path)).status_code == 503
        assert (await far.client.get("/members")).status_code == 401


@pytest.mark.parametrize("path", [f"/members/{own_id(NUMELINK, '1')}/timeline", "/conflicts"])
@pytest.mark.parametrize(
    "parts",
    [
        ("0001-01-01T00:00:00+23:00", "h" + "0" * 19),
        ("9999-12-31T23:59:59-23:00", "d"),
        ("9999-12-31T23:59:59.999999+00:00", "h" + "9" * 19),
        ("2026-01-01T00:00:00+00:00", "h" + "\u0663" * 19),
        ("2026-01-01T00:00:00+00:00", "h" + "9" * 400),
        ("2026-01-01T00:00:00+00:00", "h"),
    ],
)
async def test_a_cursor_of_an_impossible_moment_or_number_is_refused_or_ends(gateway, path, parts):
    await gateway.feed(NUMELINK, a_member(record_id="1"))
    answer = await gateway.get(path, after=cursor(*parts))
    assert answer.status_code in (200, 400), answer.text
    if path.endswith("timeline") and parts[1] != "d":
        assert answer.status_code == 400


async def test_the_last_page_of_a_timeline_is_found_by_the_largest_number(gateway):
    await gateway.feed(NUMELINK, a_member(record_id="1"))
    after = cursor("9999-12-31T23:59:59+00:00", f"h{2**63 - 1:019d}")
    answer = await gateway.get(f"/members/{own_id(NUMELINK, '1')}/timeline", after=after)
    assert answer.status_code == 200
    assert answer.json()["items"]


async def test_a_failure_is_logged_by_its_route_and_never_by_its_path(gateway, monkeypatch):
    async def fails(*_):
        raise RuntimeError

    monkeypatch.setattr(members.queries, "member_by_source", fails)
    with structlog.testing.capture_logs() as logs:
        answer = await gateway.get("/members/by-source/numelink/someone@exemple.fr")
    assert answer.status_code == 500
    (failed,) = [log for log in logs if log["event"] == "http.failed"]
    assert failed["route"] == "/members/by-source/{cluster}/{record_id:path}"
    assert "exemple" not in str(logs)


async def test_metrics_are_not_answered_through_a_proxy(gateway):
    assert (await gateway.client.get("/metrics")).status_code == 200
    for name in ("x-forwarded-for", "forwarded", "via"):
        answer = await gateway.client.get("/metrics", headers={name: "for=192.0.2.1"})
        assert answer.status_code == 403
        assert "traboule_" not in answer.text
    assert (await gateway.client.get("/health/live", headers={"x-forwarded-for": "192.0.2.1"})).status_code == 200
