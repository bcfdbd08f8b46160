"""Feeds over HTTP, at a gateway with no broker: events answers as a test says, or is away."""

from typing import Any

import orjson
import pytest

from schemas.events_public import feed_token
from schemas.objections import link_digest
from services.gateway.public import feeds
from services.gateway.public.limits import RateLimit
from shared.messaging.rpc import Reply
from shared.messaging.rpc_client import RpcClient
from tests.integration.gateway.test_personal_links import PATH as OWN_PAGE
from tests.integration.gateway.test_personal_links import TOKEN, a_registration
from tests.integration.gateway.test_public_session import PATH as PAGE
from tests.integration.gateway.test_public_session import a_session

CALENDAR = "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let events answer with this; returns what it was asked."""
    asked: list[tuple[str, dict[str, Any]]] = []

    def answer(body: dict[str, Any] | None) -> list[tuple[str, dict[str, Any]]]:
        async def ask(_: Any, service: str, question: bytes) -> Reply:
            read = orjson.loads(question)
            asked.append((read["operation"], read["arguments"]))
            if body is None:
                return Reply("refused", orjson.dumps({"kind": "link-unknown", "detail": ""}))
            return Reply("done", orjson.dumps(body, default=str))

        monkeypatch.setattr(RpcClient, "ask", ask)
        return asked

    return answer


@pytest.mark.parametrize(
    ("path", "question"),
    [
        ("events.ics", ("public-feed", {"cluster": None})),
        ("numelink.ics", ("public-feed", {"cluster": "numelink"})),
        (f"r/{TOKEN.upper()}.ics", ("personal-feed", {"digest": link_digest(TOKEN)})),
    ],
)
async def test_a_feed_is_read_again_only_when_it_changed(gateway, answered, path, question):
    asked = answered({"calendar": CALENDAR})
    first = await gateway.client.get(f"/p/feed/{path}")
    assert (first.status_code, first.text) == (200, CALENDAR)
    assert first.headers["content-type"] == "text/calendar; charset=utf-8"
    assert first.headers["cache-control"] == f"{'private' if '/' in path else 'public'}, no-cache"
    same = await gateway.client.get(f"/p/feed/{path}", headers={"if-none-match": first.headers["etag"]})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", first.headers["etag"])
    answered({"calendar": CALENDAR.replace("END", "X-A:B\r\nEND")})
    other = await gateway.client.get(f"/p/feed/{path}", headers={"if-none-match": first.headers["etag"]})
    assert other.status_code == 200
    assert asked == [question] * 3


async def test_what_is_unknown_is_not_found_and_while_events_is_away_one_tries_later(gateway, answered):
    assert (await gateway.client.get("/p/feed/nobody.ics")).status_code == 404
    away = await gateway.client.get("/p/feed/events.ics")
    assert (away.status_code, away.headers["retry-after"]) == (503, "5")
    answered(None)
    assert (await gateway.client.get(f"/p/feed/r/{TOKEN}.ics")).status_code == 404


async def test_who_reads_too_often_waits(gateway, answered, monkeypatch):
    answered({"calendar": CALENDAR})
    monkeypatch.setattr(feeds, "LOOKS_BY_CALLER", RateLimit(burst=1, per_second=0.001))
    assert [(await gateway.client.get("/p/feed/events.ics")).status_code for _ in range(2)] == [200, 429]


async def test_pages_lead_to_the_feeds(gateway, answered):
    answered(a_session().model_dump())
    assert 'href="../feed/numelink.ics"' in (await gateway.client.get(PAGE)).text
    answered(a_registration(has_feed=True).model_dump())
    assert f'href="../feed/r/{feed_token(TOKEN)}.ics"' in (await gateway.client.get(OWN_PAGE)).text
    answered(a_registration().model_dump())
    assert "/feed/" not in (await gateway.client.get(OWN_PAGE)).text
