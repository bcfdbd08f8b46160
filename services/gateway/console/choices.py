"""Lists to choose from: the filters of a page, as they stand in its address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Option:
    """One of a list; ``value`` is what stands in the address, ``count`` how many rows it would leave."""

    value: str
    label: str
    is_chosen: bool
    count: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """A list to choose from."""

    name: str
    label: str
    options: tuple[Option, ...]


def choice_of(
    name: str, label: str, options: Sequence[tuple[str, str]], value: str, counts: Mapping[str, str] | None = None
) -> Choice:
    """The list with ``value`` chosen; ``options`` are values with their labels, ``counts`` by value.

    A value that is none of them is shown too, or the list would say another thing than what is shown.
    """
    every = options if value in dict(options) else [*options, (value, value)]
    numbers = counts or {}
    return Choice(name, label, tuple(Option(each, text, each == value, numbers.get(each, "")) for each, text in every))
