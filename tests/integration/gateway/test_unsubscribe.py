"""What people do by the link of a mail, at a gateway with no other service and no broker."""

from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

import httpx2
import orjson
import pytest

from schemas.objections import link_digest
from services.gateway.public import unsubscribe
from services.gateway.public.limits import RateLimit

TOKEN = "abcdefghijklmnopqrstuvwx23"
PATH = f"/p/u/{TOKEN}"
ONE_CLICK = b"List-Unsubscribe=One-Click"


class _Forms(HTMLParser):
    """What each form of a page would post."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, str]] = []
        self.language = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "html":
            self.language = found["lang"] or ""
        if tag == "form":
            assert (found["method"], "action" in found) == ("post", False)
            self.forms.append({})
        if tag in ("button", "input"):
            self.forms[-1][found["name"] or ""] = found["value"] or ""


def forms_of(answer: Any) -> list[dict[str, str]]:
    parser = _Forms()
    parser.feed(answer.text)
    return parser.forms


async def received(gateway: Any) -> list[dict[str, Any]]:
    async with gateway.engine.connect() as connection:
        rows = (await connection.exec_driver_sql("select routing_key, body from outbox order by id")).all()
    assert {row[0] for row in rows} <= {"traboule.membership.objection-received"}
    return [orjson.loads(row[1])["data"] for row in rows]


async def test_one_click_is_kept_and_answered_with_nothing_but_200(gateway):
    answer = await gateway.client.post(PATH, content=ONE_CLICK)

    assert (answer.status_code, answer.content, answer.headers.get("set-cookie")) == (200, b"", None)
    (data,) = await received(gateway)
    assert data["link_digest"] == link_digest(TOKEN)
    assert (data["act"], data.get("scope", "purpose"), data["way"]) == ("object", "purpose", "one-click")
    assert TOKEN not in str(data)


async def test_one_click_may_come_as_a_form_with_parts(gateway):
    answer = await gateway.client.post(PATH, files={"List-Unsubscribe": (None, "One-Click")})

    assert answer.status_code == 200
    assert [data["way"] for data in await received(gateway)] == ["one-click"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_looking_changes_nothing(gateway, method):
    paths = (await gateway.client.get("/openapi.json")).json()["paths"]
    public = [
        path.format(token=TOKEN, session_id=uuid4(), cluster="numelink") for path in paths if path.startswith("/p/")
    ]
    assert PATH in public
    before = await _rows(gateway)
    for path in public * 3:
        answer = await gateway.client.request(method, path)
        assert answer.status_code in (200, 405, 503)

    assert await received(gateway) == []
    assert await _rows(gateway) == before


async def _rows(gateway):
    """How many rows each table has."""
    names = "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1"
    async with gateway.engine.connect() as connection:
        tables = (await connection.exec_driver_sql(names)).scalars().all()
        return {name: (await connection.exec_driver_sql(f'select count(*) from "{name}"')).scalar() for name in tables}


async def test_the_page_offers_two_ways_out_and_a_way_back(gateway):
    page = await gateway.client.get(PATH)
    assert forms_of(page) == [{"scope": "purpose"}, {"scope": "everything"}]
    assert "default-src 'none'" in page.headers["content-security-policy"]

    out = await gateway.client.post(PATH, data={"scope": "everything"})
    assert forms_of(out) == [{"scope": "everything", "act": "undo"}]
    back = await gateway.client.post(PATH, data=forms_of(out)[0])
    assert forms_of(back) == [{"scope": "everything"}]

    said = [(data["act"], data["scope"], data["way"]) for data in await received(gateway)]
    assert said == [("object", "everything", "page"), ("undo", "everything", "page")]


@pytest.mark.parametrize(
    ("header", "language", "title"),
    [
        ("fr-FR,fr;q=0.9", "fr", "Ne plus recevoir"),
        ("en-GB", "en", "Receive no more"),
        ("de", "fr", "Ne plus recevoir"),
    ],
)
async def test_it_is_french_unless_somebody_reads_english(gateway, header, language, title):
    page = await gateway.client.get(PATH, headers={"accept-language": header})

    parser = _Forms()
    parser.feed(page.text)
    assert parser.language == language
    assert title in page.text


@pytest.mark.parametrize("token", ["a", TOKEN + "a", TOKEN[:-1] + "1", "..%2f..%2fmembers"])
async def test_what_is_no_token_is_refused_and_kept_nowhere(gateway, token):
    answer = await gateway.client.post(f"/p/u/{token}", content=ONE_CLICK)

    assert answer.status_code in (404, 422)
    assert await received(gateway) == []


async def test_a_body_that_is_too_long_is_refused(gateway):
    answer = await gateway.client.post(PATH, content=b"x" * 5_000)

    assert answer.status_code == 413
    assert await received(gateway) == []


async def test_who_makes_up_links_is_slowed_down(gateway, monkeypatch):
    monkeypatch.setattr(unsubscribe, "BY_CALLER", RateLimit(burst=3, per_second=0))

    answers = [await gateway.client.post(f"/p/u/{letter * 26}", data={"scope": "purpose"}) for letter in "abcde"]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].headers["retry-after"] == "10"
    assert len(await received(gateway)) == 3


async def test_one_click_of_very_many_people_from_one_address_is_kept(gateway, monkeypatch):
    monkeypatch.setattr(unsubscribe, "BY_CALLER", RateLimit(burst=3, per_second=0))
    monkeypatch.setattr(unsubscribe, "FOR_ALL", RateLimit(burst=2_000, per_second=50))
    tokens = [f"{n:026d}".translate(str.maketrans("0123456789", "abcdefghij")) for n in range(150)]

    answers = [await gateway.client.post(f"/p/u/{token}", content=ONE_CLICK) for token in tokens]

    assert {answer.status_code for answer in answers} == {200}
    assert {data["link_digest"] for data in await received(gateway)} == {link_digest(token) for token in tokens}


def from_address(gateway, host):
    transport = httpx2.ASGITransport(gateway.app, client=(host, 1))
    return httpx2.AsyncClient(transport=transport, base_url="http://door")


async def test_made_up_links_from_one_address_keep_no_one_click_of_another_out(gateway, monkeypatch):
    monkeypatch.setattr(unsubscribe, "BY_CALLER", RateLimit(burst=3, per_second=0))
    monkeypatch.setattr(unsubscribe, "FOR_ALL", RateLimit(burst=5, per_second=0))
    async with from_address(gateway, "203.0.113.7") as flood, from_address(gateway, "198.51.100.9") as provider:
        answers = [await flood.post(f"/p/u/{letter * 26}", content=ONE_CLICK) for letter in "bcdefghijk"]
        assert [answer.status_code for answer in answers] == [200] * 8 + [429] * 2
        assert (await provider.post(PATH, content=ONE_CLICK)).status_code == 200
    assert link_digest(TOKEN) in {data["link_digest"] for data in await received(gateway)}


async def test_made_up_one_clicks_keep_no_form_of_another_out(gateway, monkeypatch):
    monkeypatch.setattr(unsubscribe, "BY_CALLER", RateLimit(burst=3, per_second=0))
    monkeypatch.setattr(unsubscribe, "FOR_ALL", RateLimit(burst=5, per_second=0))
    async with from_address(gateway, "203.0.113.7") as flood, from_address(gateway, "198.51.100.9") as somebody:
        answers = [await flood.post(f"/p/u/{'b' * 26}", content=ONE_CLICK) for _ in range(9)]
        assert answers[-1].status_code == 429
        for act in ("object", "undo"):
            assert (await somebody.post(PATH, data={"act": act, "scope": "purpose"})).status_code == 200


async def test_one_clicks_of_very_many_callers_have_an_upper_bound(gateway, monkeypatch):
    monkeypatch.setattr(unsubscribe, "FOR_ALL", RateLimit(burst=1, per_second=0))
    monkeypatch.setattr(unsubscribe, "OTHERS", RateLimit(burst=3, per_second=0))
    statuses: list[int] = []
    for number, letter in enumerate("bcdefg"):
        async with from_address(gateway, f"203.0.113.{number}") as caller:
            statuses.append((await caller.post(f"/p/u/{letter * 26}", content=ONE_CLICK)).status_code)
    assert statuses == [200] * 4 + [429] * 2


@pytest.mark.parametrize(
    "hosts",
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:0db8:1:2::3"),
        ("203.0.113.7", "::ffff:203.0.113.7", "::ffff:cb00:7107"),
        ("unknown", "_made-up", "203.0.113.7:80"),
    ],
)
async def test_a_caller_is_an_address_whatever_way_it_is_written(gateway, monkeypatch, hosts):
    monkeypatch.setattr(unsubscribe, "BY_CALLER", RateLimit(burst=2, per_second=0))
    statuses: list[int] = []
    for host in hosts:
        async with from_address(gateway, host) as caller:
            statuses.append((await caller.post(PATH, data={"scope": "purpose"})).status_code)
    assert statuses == [200, 200, 429]


async def test_one_click_that_is_refused_because_of_its_token_was_kept_before(gateway, monkeypatch):
    monkeypatch.setattr(unsubscribe, "BY_TOKEN", RateLimit(burst=2, per_second=0))
    answers = [await gateway.client.post(PATH, data={"act": "undo", "scope": "purpose"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]

    answers = [await gateway.client.post(PATH, content=ONE_CLICK) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429], "forms take nothing from one clicks"
    assert [data["act"] for data in await received(gateway)] == ["undo", "undo", "object", "object"]


async def test_who_only_looks_is_counted_by_caller(gateway, monkeypatch):
    monkeypatch.setattr(unsubscribe, "LOOKS_BY_CALLER", RateLimit(burst=2, per_second=0))
    assert [(await gateway.client.get(PATH)).status_code for _ in range(3)] == [200, 200, 429]
    assert (await gateway.client.post(PATH, content=ONE_CLICK)).status_code == 200
