"""What holds on every page: found by following every link from the first one, as each role."""

import html
import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest

from services.gateway.auth.rights import Role
from services.gateway.console.headers import STRICT
from tests.integration.gateway.gateways import CLUSTR, NUMELINK
from tests.support.builders import a_member

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)> \u202eabc ' + "trèslongnomsansespace" * 40
MOST = 150
LOOKED_AT = ("access_audit", "sessions", "sign_in_attempts")
"""Tables that say who looked, and when."""


@pytest.fixture
async def populated(gateway):
    """Two clusters with a company in both, a question, and a record that means harm."""
    alike = {"name": "Forges du Gier", "city": "Rive-de-Gier", "postcode": "42800"}
    harm = {"name": HOSTILE, "brand": HOSTILE, "street": HOSTILE, "website": "javascript:alert(1)", "email": HOSTILE}
    await gateway.feed(NUMELINK, a_member(record_id="B-1", siren="732829320"), a_member(record_id="B-2", **alike))
    await gateway.feed(NUMELINK, a_member(record_id="X", **harm), a_member(record_id="X2", **harm))
    await gateway.feed(CLUSTR, a_member(record_id="7", siren="732829320"), a_member(record_id="8", **alike))
    return gateway


async def crawled(gateway, role):
    """Every page that links lead to, by its path, with its answer; downloads are left out."""
    seen, waiting = {}, ["/console"]
    while waiting and len(seen) < MOST:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen[path] = answer = await gateway.get(path, role=role)
        if answer.headers.get("content-type", "").startswith("text/html"):
            links = [html.unescape(link) for link in re.findall(r'(?:href|hx-get)="(/console[^"#]*)"', answer.text)]
            waiting += [
                each
                for each in links
                if each not in seen and ".csv" not in each and "/static/" not in each and "lang=" not in each
            ]
    return seen


class _Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def tags_of(page):
    """Each tag of a page, with its attributes, as a browser reads them."""
    parser = _Tags()
    parser.feed(page)
    return parser.tags


async def digest(gateway):
    """Of every table but those that say who looked."""
    names = [
        row["name"] for row in await gateway.rows("select tablename as name from pg_tables where schemaname = 'public'")
    ]
    kept = sorted(set(names) - set(LOOKED_AT))
    parts = [
        f"select '{name}' as name, md5(coalesce(string_agg(t::text, '|' order by t::text), '')) as sum from {name} t"
        for name in kept
    ]
    return {row["name"]: row["sum"] for row in await gateway.rows(" union all ".join(parts))}


async def test_looking_at_every_page_changes_nothing(populated):
    await populated.session("admin")
    before = await digest(populated)

    pages = await crawled(populated, "admin")

    assert len(pages) > 12
    assert await digest(populated) == before


@pytest.mark.parametrize("role", list(Role))
async def test_every_link_that_somebody_is_shown_leads_somewhere_they_may_go(populated, role):
    pages = await crawled(populated, role)
    # 503: what another service would answer, and none is there.
    wrong = {path: answer.status_code for path, answer in pages.items() if answer.status_code not in (200, 303, 503)}
    assert wrong == {}


async def test_whatever_a_member_is_called_is_text_on_every_page(populated):
    for path, answer in (await crawled(populated, "admin")).items():
        page = answer.text
        assert "<script>alert" not in page, path
        assert "<img src=x" not in page, path
        assert not re.search(r'(?:href|src|action)="\s*javascript:', page), path


async def test_every_page_is_strict_and_works_without_a_script(populated):
    for path, answer in (await crawled(populated, "admin")).items():
        page = answer.text
        for name, value in STRICT.items():
            assert answer.headers[name] == value or name == "cache-control", (path, name)
        if answer.status_code != 200 or "<html" not in page:
            continue
        assert page.count("<h1>") == 1, path
        for tag, attributes in tags_of(page):
            assert tag != "style", path
            assert not [name for name in attributes if name == "style" or name.startswith("on")], (path, tag)
            assert tag != "script" or attributes["src"].startswith("/console/static/"), path
        for form in re.findall(r"<form[^>]*>.*?</form>", page, re.DOTALL):
            action = re.search(r'action="([^"]*)"', form)
            assert action is None or urlsplit(html.unescape(action[1])).netloc == "", (path, form[:100])
            assert re.search(r'<button(?! type="button")[^>]*>', form), (path, form[:200])


async def test_what_somebody_may_not_do_is_neither_shown_nor_possible(populated):
    """Every form that an administrator is shown, sent by each other role to whom it is not shown, is refused."""
    shown = {}
    for role in ("admin", "staff", "reader", "operator"):
        pages = await crawled(populated, role)
        shown[role] = {
            urlsplit(html.unescape(action)).path
            for answer in pages.values()
            for action in re.findall(r'<form method="post"[^>]*action="(/console[^"]*)"', answer.text)
        }
    for role in ("staff", "reader", "operator"):
        hidden = {path for path in shown["admin"] - shown[role] if "/moi/" not in path}
        assert hidden, role
        for path in hidden:
            answer = await populated.ask("POST", path, role=role, data={})
            assert answer.status_code in (403, 404, 422), (role, path, answer.status_code)
        assert await populated.rows("select id from decisions") == []
