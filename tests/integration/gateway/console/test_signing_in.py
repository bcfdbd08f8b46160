"""Coming in and going out: links, cookies, forms from elsewhere."""

import asyncio
import re
from html import escape

import pytest

from services.gateway.auth import caller_cache, signing_in
from services.gateway.auth.people import create_link, disable_person
from services.gateway.auth.sessions import create_session, end_by_number
from services.gateway.console.session import COOKIE
from services.gateway.public.limits import RateLimit
from tests.integration.gateway.gateways import A_BROWSER, BROWSER, open_gateway


@pytest.fixture(autouse=True)
def no_attempts_before(monkeypatch):
    monkeypatch.setattr(signing_in, "_PER_NETWORK", RateLimit(burst=1_000, per_second=1_000))
    monkeypatch.setattr(signing_in, "_IN_ALL", RateLimit(burst=1_000, per_second=1_000))


async def link_of(gateway, person_id, minutes=15):
    async with gateway.engine.begin() as connection:
        token, _ = await create_link(connection, person_id, by="a test", minutes=minutes)
    return f"/console/connexion/{token}"


async def browse(gateway, method, path, cookie=None, headers=None, **request):
    sent = (BROWSER if method != "GET" else {}) | ({"cookie": f"{COOKIE}={cookie}"} if cookie else {}) | (headers or {})
    return await gateway.client.request(method, path, headers=sent, **request)


def cookie_of(answer):
    (value,) = re.findall(rf"{COOKIE}=([\w-]+);", ", ".join(answer.headers.get_list("set-cookie")))
    return value


async def test_a_link_lets_its_person_in_once(gateway):
    path = await link_of(gateway, await gateway.person("staff", "Marie Dupuis"))

    for _ in range(3):  # scanners of mails look too
        shown = await browse(gateway, "GET", path)
        assert "Marie Dupuis" in shown.text
        assert "set-cookie" not in shown.headers
    entered = await browse(gateway, "POST", path)

    assert (entered.status_code, entered.headers["location"]) == (303, "/console")
    kept = next(line for line in entered.headers.get_list("set-cookie") if line.startswith(COOKIE))
    assert {part.strip().lower() for part in kept.split(";")[1:]} == {"httponly", "path=/", "samesite=lax", "secure"}
    assert "Marie Dupuis" in (await browse(gateway, "GET", "/console", cookie_of(entered))).text
    for method in ("GET", "POST"):
        again = await browse(gateway, method, path)
        assert again.status_code == 410
        assert "traboule people link" in again.text
        assert COOKIE not in str(again.headers)
    (row,) = await gateway.rows("select hash, agent, network from sessions")
    assert cookie_of(entered).encode() not in bytes(row["hash"])


async def test_the_pages_of_a_link_are_kept_by_nobody(gateway):
    path = await link_of(gateway, await gateway.person("staff"))
    for method in ("GET", "POST"):
        answer = await browse(gateway, method, path)
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "no-store" in answer.headers["cache-control"]


async def test_two_who_use_one_link_at_once_do_not_both_come_in(gateway):
    path = await link_of(gateway, await gateway.person("staff"))

    answers = await asyncio.gather(*(browse(gateway, "POST", path) for _ in range(5)))

    assert sorted(answer.status_code for answer in answers) == [303, 410, 410, 410, 410]


async def test_a_link_that_is_too_old_or_made_up_lets_nobody_in(gateway):
    person = await gateway.person("staff")
    path = await link_of(gateway, person)
    await gateway.sql("update sign_in_links set expires_at = now() - interval '1 second'")

    for wrong in (path, "/console/connexion/made-up", "/console/connexion/" + "x" * 3_000):
        for method in ("GET", "POST"):
            assert (await browse(gateway, method, wrong)).status_code == 410
    assert await gateway.rows("select number from sessions") == []


async def test_whoever_is_disabled_is_out_and_stays_out(gateway, monkeypatch):
    monkeypatch.setattr(caller_cache, "REFRESH_SECONDS", 0.1)
    monkeypatch.setattr(caller_cache, "STALE_SECONDS", 0.3)
    await gateway.person("admin")
    person = await gateway.person("staff")
    path, unused = await link_of(gateway, person), await link_of(gateway, person)
    cookie = cookie_of(await browse(gateway, "POST", path))
    assert (await browse(gateway, "GET", "/console", cookie)).status_code == 200

    async with gateway.engine.begin() as connection:
        await disable_person(connection, person)
    await asyncio.sleep(0.35)

    assert (await browse(gateway, "GET", "/console", cookie)).headers["location"] == "/console/connexion"
    assert (await browse(gateway, "POST", unused)).status_code == 410


async def test_a_stolen_cookie_is_worth_nothing_after_signing_out(gateway):
    cookie = await gateway.session("staff")
    out = await browse(gateway, "POST", "/console/deconnexion", cookie)

    assert (out.status_code, out.headers["location"]) == (303, "/console/connexion")
    assert '"cache"' in out.headers["clear-site-data"]
    gone = next(line for line in out.headers.get_list("set-cookie") if line.startswith(COOKIE))
    assert "max-age=0" in gone.lower()
    assert (await browse(gateway, "GET", "/console", cookie)).status_code == 303
    assert (await browse(gateway, "GET", "/console/membres", cookie)).status_code == 303


async def test_signing_in_again_ends_the_session_before(gateway):
    person = await gateway.person("staff")
    first = cookie_of(await browse(gateway, "POST", await link_of(gateway, person)))
    second = cookie_of(await browse(gateway, "POST", await link_of(gateway, person), first))

    assert (await browse(gateway, "GET", "/console", first)).status_code == 303
    assert (await browse(gateway, "GET", "/console", second)).status_code == 200


@pytest.mark.parametrize("change", ["seen_at = now() - interval '481 minutes'", "until = now()"])
async def test_a_session_ends_when_it_is_idle_or_old(gateway, change):
    cookie = await gateway.session("staff")
    await gateway.sql(f"update sessions set {change}")

    assert (await browse(gateway, "GET", "/console", cookie)).status_code == 303


async def test_one_session_can_be_ended_and_not_another_persons(gateway):
    person, other = await gateway.person("staff"), await gateway.person("staff", "another")
    async with gateway.engine.begin() as connection:
        _, number = await create_session(connection, person, A_BROWSER, None)
        assert not await end_by_number(connection, number, other)
        assert await end_by_number(connection, number, person)
        assert not await end_by_number(connection, number, person)


# --- where one goes -------------------------------------------------------------------------------------------------


async def test_one_comes_back_to_the_page_that_was_asked_for(gateway):
    sent = await browse(gateway, "GET", "/console/membres?cluster=numelink")
    assert sent.headers["location"] == "/console/connexion?vers=%2Fconsole%2Fmembres%3Fcluster%3Dnumelink"

    ways = await browse(gateway, "GET", sent.headers["location"])
    kept = re.search(r'traboule-return="?([^";]*)', str(ways.headers.get_list("set-cookie")))
    assert kept
    path = await link_of(gateway, await gateway.person("staff"))
    entered = await browse(gateway, "POST", path, headers={"cookie": f'traboule-return="{kept[1]}"'})

    assert entered.headers["location"] == "/console/membres?cluster=numelink"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//evil.example",
        "https://evil.example",
        "/console\\@evil",
        "/\\evil",
        "/members",
        "/console/connexion/x",
        "/console\r\nx",
    ],
)
async def test_nobody_is_sent_elsewhere(gateway, elsewhere):
    ways = await gateway.client.get("/console/connexion", params={"vers": elsewhere})
    assert "traboule-return" not in str(ways.headers)

    path = await link_of(gateway, await gateway.person("staff"))
    safe = re.sub(r"[\r\n]", "", elsewhere)
    entered = await browse(gateway, "POST", path, headers={"cookie": f"traboule-return={safe}"})
    assert entered.headers["location"] == "/console" or elsewhere == "/console\r\nx"


async def test_what_was_typed_is_there_when_a_session_is_over(gateway):
    typed = {"reason": 'un « motif » <script>alert("x")</script>', "verdict": "same"}
    answer = await browse(gateway, "POST", "/console/deconnexion", data=typed)

    assert answer.status_code == 401
    assert 'action="/console/deconnexion"' in answer.text
    assert "&lt;script&gt;" in answer.text
    assert "<script>alert" not in answer.text
    assert 'name="verdict" value="same"' in answer.text


async def test_what_the_address_says_of_the_form_is_there_too(gateway):
    path = "/console/exploitation/billing/messages/ecarter?file=billing.x&motif=a+%26+b"
    answer = await browse(gateway, "POST", path, data={"reason": "x"})

    assert answer.status_code == 401
    assert f'action="{escape(path)}"' in answer.text


async def test_the_longest_form_of_all_is_there_too(gateway):
    typed = {"body": "é" * 40_000}
    answer = await browse(gateway, "POST", "/console/deconnexion", data=typed)

    assert answer.status_code == 401
    assert "é" * 40_000 in answer.text


# --- forms from elsewhere --------------------------------------------------------------------------------------------

OTHER_PORT = {"sec-fetch-site": "same-site", "origin": "http://localhost:18092"}


@pytest.mark.parametrize(
    ("headers", "comes_in"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"origin": "http://localhost"}, True),
        (OTHER_PORT, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"origin": "http://localhost:18092"}, False),
        ({"origin": "null"}, False),
        ({}, False),
    ],
)
async def test_a_form_of_another_port_or_site_does_nothing(gateway, headers, comes_in):
    cookie = await gateway.session("staff")
    sent = {"cookie": f"{COOKIE}={cookie}"} | headers

    answer = await gateway.client.post("/console/deconnexion", headers=sent)

    assert answer.status_code == (303 if comes_in else 403)
    still = await browse(gateway, "GET", "/console", cookie)
    assert still.status_code == (303 if comes_in else 200)


@pytest.mark.parametrize(("dest", "status"), [("document", 200), ("script", 403), ("empty", 403), ("iframe", 403)])
async def test_another_site_may_link_here_and_take_nothing(gateway, dest, status):
    cookie = await gateway.session("staff")
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-dest": dest}

    assert (await browse(gateway, "GET", "/console", cookie, headers)).status_code == status


@pytest.mark.parametrize("host", ["[", "evil.example", "localhost.evil.example", "10.0.0.7:8000", "", "[::2]"])
async def test_a_foreign_host_is_refused(gateway, host):
    cookie = await gateway.session("staff")
    answer = await browse(gateway, "GET", "/console", cookie, {"host": host})

    assert answer.status_code == 421
    assert "a staff" not in answer.text


async def test_with_a_public_address_no_other_is_answered(database_url):
    async with open_gateway(database_url, public_url="https://traboule.example") as gateway:
        cookie = await gateway.session("staff")
        public = {"host": "traboule.example"}
        answer = await browse(gateway, "GET", "/console", cookie, public)
        assert answer.status_code == 200
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        for host in ("localhost", "traboule.example:8443"):
            assert (await browse(gateway, "GET", "/console", cookie, {"host": host})).status_code == 421
        for origin, status in (("https://traboule.example", 303), ("http://traboule.example", 403)):
            sent = public | {"cookie": f"{COOKIE}={cookie}", "origin": origin}
            assert (await gateway.client.post("/console/deconnexion", headers=sent)).status_code == status


async def test_the_api_looks_at_no_cookie(gateway):
    cookie = await gateway.session("admin")
    for path in ("/members", "/statistics", "/access/people"):
        assert (await browse(gateway, "GET", path, cookie)).status_code in (401, 404)


async def test_a_thousand_wrong_links_are_slowed_down(gateway, monkeypatch):
    monkeypatch.setattr(signing_in, "_PER_NETWORK", RateLimit(burst=10, per_second=0))
    path = await link_of(gateway, await gateway.person("staff"))

    statuses = [
        (await browse(gateway, "POST", f"/console/connexion/wrong{number}")).status_code for number in range(1_000)
    ]

    assert statuses == [410] * 10 + [429] * 990
    answer = await browse(gateway, "POST", path)
    assert answer.status_code == 429
    assert answer.headers["retry-after"]


async def test_who_makes_up_links_fills_no_table(gateway):
    for number in range(50):
        await browse(gateway, "POST", f"/console/connexion/wrong{number}")
    assert await gateway.rows("select id from access_audit") == []
    await gateway.audit.flush(keys=True)
    (kept,) = await gateway.rows("select about, outcome, times from access_audit")
    assert tuple(kept.values()) == ("127.0.0.0/24", "link-refused", 50)


async def test_every_way_in_and_out_leaves_a_trace_without_a_secret(gateway):
    path = await link_of(gateway, await gateway.person("staff", "Marie Dupuis"))
    cookie = cookie_of(await browse(gateway, "POST", path))
    await browse(gateway, "POST", path)
    await browse(gateway, "POST", "/console/deconnexion", cookie)

    await gateway.audit.flush(keys=True)
    kept = await gateway.rows("select name, permission, about, outcome from access_audit order by id")
    assert [(row["name"], row["permission"], row["about"], row["outcome"]) for row in kept] == [
        ("Marie Dupuis", "sign-in", "link", "done"),
        ("Marie Dupuis", "sign-in", "sign-out", "done"),
        ("", "sign-in", "127.0.0.0/24", "link-refused"),
    ]
    (everything,) = await gateway.rows("select string_agg(a::text, ' ') as text from access_audit a")
    assert path.rpartition("/")[2] not in everything["text"]
    assert cookie not in everything["text"]
