"""What stands around every page, and what every answer says to browsers."""

import re

import pytest

from services.gateway.console.headers import STRICT
from services.gateway.console.session import COOKIE
from services.gateway.console.statics import files
from tests.integration.gateway.gateways import open_gateway

CSP = STRICT["content-security-policy"]


def texts(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def assert_strict(answer):
    for name, value in STRICT.items():
        if name != "cache-control":
            assert answer.headers[name] == value, name
    assert answer.headers["cache-control"]


async def test_the_first_page_greets_and_shows_where_one_can_go(gateway):
    answer = await gateway.get("/console", role="staff")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["content-language"] == "fr"
    assert answer.text.startswith("<!DOCTYPE html>")
    assert re.findall(r"<h1>(.*?)</h1>", answer.text) == ["Bonjour a staff"]
    assert 'href="/console/membres"' in answer.text
    assert 'aria-current="page"' in answer.text


@pytest.mark.parametrize(
    ("path", "status"),
    [("/console", 200), ("/console/", 307), ("/console/rien", 404), ("/console/static/x/y", 404)],
)
async def test_every_answer_has_strict_headers(gateway, path, status):
    answer = await gateway.get(path)
    assert answer.status_code == status
    assert_strict(answer)
    assert "default-src 'none'" in CSP
    assert "unsafe" not in CSP


async def test_nothing_of_this_stands_on_the_answers_of_the_api(gateway):
    for path in ("/members", "/consoles"):
        assert "content-security-policy" not in (await gateway.get(path)).headers


async def test_whoever_is_not_signed_in_is_sent_to_the_page_for_that(gateway):
    answer = await gateway.client.get("/console")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/connexion")
    assert_strict(answer)

    part = await gateway.client.get("/console", headers={"hx-request": "true", "hx-request-type": "partial"})
    assert "location" not in part.headers
    assert part.headers["hx-redirect"] == "/console/connexion"
    shown = {"hx-request": "true", "hx-current-url": "http://localhost/console/membres?q=a%26b"}
    part = await gateway.client.get("/console/bascule/numelink/billing/conditions", headers=shown)
    assert part.headers["hx-redirect"] == "/console/connexion?vers=%2Fconsole%2Fmembres%3Fq%3Da%2526b"
    for broken in ("http://[", "", "\x00"):
        part = await gateway.client.get("/console", headers={"hx-request": "true", "hx-current-url": broken})
        assert part.status_code == 204, broken


async def test_a_wrong_address_is_told_in_the_frame(gateway):
    answer = await gateway.get("/console/membres-disparus")
    assert answer.status_code == 404
    assert "Il n’y a rien à cette adresse" in texts(answer.text)
    assert 'href="/console/membres"' in answer.text


async def test_a_wrong_address_says_nothing_of_members_to_strangers(gateway):
    answer = await gateway.client.get("/console/rien")
    assert answer.status_code == 404
    assert "/console/membres" not in answer.text


async def test_a_part_of_a_page_that_fails_becomes_a_notice(gateway):
    answer = await gateway.get("/console/rien", headers={"hx-request": "true", "hx-request-type": "partial"})
    assert answer.status_code == 404
    assert answer.headers["hx-retarget"] == "#notices"
    assert "<html" not in answer.text
    assert "Il n’y a rien à cette adresse" in texts(answer.text)


async def test_a_failure_is_told_with_its_number_and_without_its_words(gateway, monkeypatch):
    class Broken:
        def words_of(self, _):
            raise RuntimeError("secret words")

    monkeypatch.setattr("services.gateway.console.pages.home.rendering", Broken())

    answer = await gateway.get("/console")

    assert answer.status_code == 500
    assert_strict(answer)
    assert "secret" not in answer.text
    assert re.search(r"<code>[0-9a-f-]{36}</code>", answer.text)


async def test_a_database_that_is_away_is_told_and_nothing_is_lost(database_url):
    away = "postgresql://nobody:x@127.0.0.1:1/nowhere"
    async with open_gateway(database_url, away) as gateway:
        answer = await gateway.get("/console")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert_strict(answer)
    assert "Rien n’a été perdu" in texts(answer.text)


async def test_pages_are_packed_for_browsers_that_can_unpack_them(gateway):
    packed = await gateway.get("/console", headers={"accept-encoding": "gzip"})
    plain = await gateway.get("/console", headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.text == plain.text
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 2
    assert "accept-encoding" in packed.headers["vary"]


async def test_files_are_kept_for_a_year_by_their_digest(gateway):
    page = (await gateway.get("/console")).text
    addresses = re.findall(r"/console/static/[^\"#]+", page)
    assert len(set(addresses)) == len({address.rsplit("/", 1)[1] for address in addresses}) == len(files())
    for address in set(addresses):
        answer = await gateway.client.get(address)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert_strict(answer)
        again = await gateway.client.get(address, headers={"if-none-match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


async def test_a_page_of_another_version_gets_what_there_is_and_keeps_it_not(gateway):
    answer = await gateway.client.get("/console/static/0123456789abcdef/console.css")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"


async def test_the_language_is_chosen_once_and_kept(gateway):
    english = await gateway.get("/console", headers={"accept-language": "en-GB, fr;q=0.5"})
    assert "Hello a admin" in english.text
    assert '<html lang="en">' in english.text

    chosen = await gateway.get("/console", lang="fr", headers={"accept-language": "en"})
    assert "Bonjour" in chosen.text
    cookie = chosen.headers["set-cookie"].partition(";")[0]
    both = f"{cookie}; {COOKIE}={await gateway.session('admin')}"
    kept = await gateway.get("/console", headers={"accept-language": "en", "cookie": both})
    assert "Bonjour" in kept.text
    assert "set-cookie" not in english.headers


async def test_pages_are_no_part_of_the_contract(gateway):
    contract = (await gateway.get("/openapi.json")).json()
    assert not [path for path in contract["paths"] if path.startswith("/console")]
    assert "/members" in contract["paths"]


async def test_names_of_people_are_text(gateway):
    cookie = await gateway.session("staff")
    await gateway.sql("update people set name = $1", '<img src=x onerror="alert(1)">')
    answer = await gateway.client.get("/console", headers={"cookie": f"{COOKIE}={cookie}"})
    assert "<img" not in answer.text
    assert "&lt;img src=x" in answer.text


async def test_every_area_that_is_shown_has_a_page(gateway):
    page = (await gateway.get("/console")).text
    for path in set(re.findall(r'href="(/console[a-z/]*)"[^>]*data-go', page)):
        assert (await gateway.get(path)).status_code == 200, path
