"""The newest of a batch, the columns of rows, and what is computed ahead."""

import asyncio
import threading
from contextlib import aclosing
from dataclasses import dataclass
from operator import attrgetter

import pytest

from shared.persistence.batches import ahead, columns_of, newest_by


@dataclass(frozen=True)
class Key:
    cluster: str


@dataclass(frozen=True)
class Row:
    key: Key
    version: int
    text: str


def rows(*versions: int) -> list[Row]:
    return [Row(Key("north"), version, str(at)) for at, version in enumerate(versions)]


def test_the_newest_of_each_key_stays_in_the_order_in_which_keys_came() -> None:
    south = Row(Key("south"), 1, "s")
    newest = newest_by([*rows(2, 5, 3), south], attrgetter("key.cluster"), attrgetter("version"))
    assert list(newest.items()) == [("north", Row(Key("north"), 5, "1")), ("south", south)]


def test_of_several_as_new_the_first_stays() -> None:
    assert newest_by(rows(4, 4), attrgetter("key"), attrgetter("version"))[Key("north")].text == "0"


def test_columns_follow_the_names_and_the_rows() -> None:
    assert columns_of(rows(7, 8), "version", "key.cluster") == ([7, 8], ["north", "north"])
    assert columns_of([], "version", "text") == ([], [])


async def test_the_next_is_computed_while_the_caller_works() -> None:
    computed, order = threading.Event(), list[str]()

    def compute(item: str) -> str:
        order.append(item)
        if item == "b":
            computed.set()
        return item.upper()

    coming = ahead("abc", compute)
    assert await anext(coming) == "A"
    # Nobody asked for the next one yet.
    assert await asyncio.to_thread(computed.wait, 5)
    assert [item async for item in coming] == ["B", "C"]
    assert order == ["a", "b", "c"]


async def test_of_nothing_nothing_is_computed() -> None:
    assert [item async for item in ahead((), str)] == []


async def test_what_cannot_be_computed_comes_in_its_place() -> None:
    coming = ahead((1, 0, 2), lambda item: 2 // item)
    assert await anext(coming) == 2
    with pytest.raises(ZeroDivisionError):
        await anext(coming)


async def test_who_leaves_early_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    async with aclosing(ahead((1, 0, 2), lambda item: 2 // item)) as coming:
        assert await anext(coming) == 2
    assert asyncio.all_tasks() == before
