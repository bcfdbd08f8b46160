"""The newest of a batch, and the columns of rows."""

from dataclasses import dataclass
from operator import attrgetter

from shared.persistence.batches import columns_of, newest_by


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
