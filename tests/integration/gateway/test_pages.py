import base64

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
