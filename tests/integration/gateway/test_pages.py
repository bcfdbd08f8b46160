import base64
import json

import pytest

from tests.integration.gateway.gateways import CLUSTR, NUMELINK
from tests.support.builders import a_member


async def walk(gateway, between=None, **parameters):
    """Every item of every page; ``between`` is awaited after each page."""
    items, after, pages = [], None, 0
    while True:
        page = (await gateway.get("/members", **parameters, **({"after": after} if after else {}))).json()
        items += page["items"]
        pages += 1
        after = page["next"]
        if after is None:
            return items, pages
        if between:
            await between(pages)


@pytest.mark.parametrize("limit", [1, 7, 30, 31, 500])
async def test_pages_hold_everything_once_in_order(gateway, limit):
    # Ten names, three companies each: pages must also break between members of one name.
    await gateway.feed_together(NUMELINK, [a_member(name=f"Atelier {number % 10}") for number in range(30)])

    items, pages = await walk(gateway, limit=limit)

    assert len({item["id"] for item in items}) == len(items) == 30
    assert [item["name"] for item in items] == sorted(item["name"] for item in items)
    assert pages == -(-30 // limit)


async def test_inserts_while_reading_neither_repeat_nor_hide_anything(gateway):
    await gateway.feed_together(NUMELINK, [a_member(name=f"Atelier {number:02}") for number in range(20)])
    theirs = {item["id"] for item in (await walk(gateway, limit=50))[0]}

    async def insert(page):
        await gateway.feed(CLUSTR, a_member(name=f"Atelier 00 {page}"), a_member(name=f"Atelier {page * 3:02} bis"))

    items, _ = await walk(gateway, between=insert, limit=3)

    ids = [item["id"] for item in items]
    assert len(set(ids)) == len(ids)
    assert theirs <= set(ids)


async def test_pages_keep_their_filters(gateway):
    await gateway.feed_together(NUMELINK, [a_member(name=f"Atelier {number}") for number in range(9)])
    await gateway.feed_together(NUMELINK, [a_member(name=f"Moulin {number}") for number in range(9)])

    items, _ = await walk(gateway, limit=4, search="moulin")

    assert [item["name"] for item in items] == [f"Moulin {number}" for number in range(9)]


@pytest.mark.parametrize("limit", [1, 2, 5, 50])
@pytest.mark.parametrize("sort", ["paid_until", "changed"])
async def test_every_order_holds_everything_once(gateway, sort, limit):
    days = [None, "2025-12-31", "2026-12-31", "2025-12-31", None, "2026-12-31"]
    fed = [a_member(name=f"Atelier {number}", paid_until=day) for number, day in enumerate(days)]
    # Alike in what the order begins with: pages must also break there.
    await gateway.feed_together(NUMELINK, fed)
    await gateway.feed(NUMELINK, a_member(name="Zéphyr", paid_until="2025-12-31"))

    items, pages = await walk(gateway, limit=limit, sort=sort)

    names = [item["name"].removeprefix("Atelier ") for item in items]
    assert names == {"paid_until": ["1", "3", "Zéphyr", *"2504"], "changed": ["Zéphyr", *"012345"]}[sort]
    assert pages == -(-7 // limit)


async def test_what_changed_lately_can_be_asked_for(gateway):
    await gateway.feed(NUMELINK, a_member(record_id="1", name="A"), a_member(record_id="2", name="B"))
    await gateway.sql("update views set updated_at = '2026-03-01 23:30+00' where sort_key = 'a'")
    await gateway.sql("update views set updated_at = '2026-03-01 22:30+00' where sort_key = 'b'")

    # At 23:30 UTC it is the next day in France.
    assert await gateway.names(changed_since="2026-03-02") == ["A"]
    assert await gateway.names(changed_since="2026-03-01") == ["A", "B"]
    page = (await gateway.get("/members", changed_since="2026-03-02", total="true")).json()
    assert page["total"] == 1
    assert page["items"][0]["changed_at"] == "2026-03-01T23:30:00+00:00"


@pytest.mark.parametrize("day", ["0001-01-01", "1969-12-31", "yesterday"])
async def test_a_day_that_no_list_begins_with_is_refused(gateway, day):
    assert (await gateway.get("/members", changed_since=day)).status_code == 422


NOT_OURS = [
    b"not json",
    b"[]",
    b'["a"]',
    b'["a", "not-an-id"]',
    b'{"a": 1}',
    b"[1, 2]",
    b'["a", null]',
    b'["a\\u0000", "b"]',
    b'["\\ud800", "00000000-0000-0000-0000-000000000000"]',
    b"\xff\xfe",
]


def encoded(content):
    return base64.urlsafe_b64encode(content).decode()


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "é", "!!!!", *map(encoded, NOT_OURS)],
)
async def test_a_cursor_that_is_none_of_ours_is_told(gateway, cursor):
    answer = await gateway.get("/members", after=cursor)

    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:traboule:problem:cursor-unreadable"


NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("sort", "parts"),
    [
        ("name", ["a", NOBODY, "2026-01-01"]),
        ("paid_until", ["a", NOBODY]),
        ("paid_until", ["a", NOBODY, "2026-13-01"]),
        ("paid_until", ["a", NOBODY, "2026-01-01T00:00:00+00:00"]),
        ("changed", ["a", NOBODY, "2026-01-01"]),
        ("changed", ["a", NOBODY, "9999-12-31T23:59:59-12:00"]),
    ],
)
async def test_a_cursor_of_another_order_is_refused(gateway, sort, parts):
    answer = await gateway.get("/members", sort=sort, after=encoded(json.dumps(parts).encode()))

    assert (answer.status_code, answer.json()["type"]) == (400, "urn:traboule:problem:cursor-unreadable")
