"""A message's body as a tree, with what is wrong marked where it is; and the same as text to correct.

Numbers stay as they are written: an amount that is read and printed again may be another.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Final, cast

DEEPEST: Final = 20
MOST: Final = 1_000
"""Values of a body that is shown as a tree; a larger one is shown as text."""
_FAULT: Final = re.compile(r"([\w-]+(?:\.[\w-]+)*): (.+)", re.DOTALL)


class Literal(str):
    """A number as it is written."""


class Pairs(list[tuple[str, Any]]):
    """An object, with what it says twice."""


@dataclass(frozen=True, slots=True)
class Node:
    """One value. ``fault`` is what is wrong with it; of a value that is missing there is no ``text``."""

    name: str
    text: str
    fault: str
    children: tuple["Node", ...]


class _TooMuchError(ValueError):
    """It is too deep, or too large, to be shown as a tree."""


def faults_of(detail: str) -> dict[str, str]:
    """What is wrong by field (``data.gross``), of a text such as ``data.gross: Field required; data.x: …``."""
    found = (_FAULT.fullmatch(part) for part in detail.split("; "))
    return {match[1]: match[2] for match in found if match is not None}


def tree_of(body: str, detail: str) -> tuple[Node, ...] | None:
    """The values of a body; None where it is no JSON object or list, or too much for a tree."""
    try:
        value = _parsed(body)
        if not isinstance(value, list):
            return None
        faults = faults_of(detail)
        named = {name for name, _ in value} if isinstance(value, Pairs) else set[str]()
        if faults and "data" not in named:
            # Its attributes are headers, and the body is the data alone.
            faults = {path.removeprefix("data."): text for path, text in faults.items()}
        return _Growing(faults).children(cast("list[Any]", value), "", 0)
    except (ValueError, RecursionError):
        return None


class _Growing:
    """One tree; ``left`` is how many values it may still have."""

    def __init__(self, faults: dict[str, str]) -> None:
        self._faults = faults
        self._left = MOST

    def children(self, value: list[Any], path: str, depth: int) -> tuple[Node, ...]:
        if depth > DEEPEST:
            raise _TooMuchError
        pairs = value if isinstance(value, Pairs) else [(str(n), item) for n, item in enumerate(value)]
        nodes = [self._node(name, item, path, depth) for name, item in pairs]
        known = {name for name, _ in pairs}
        return (*nodes, *(node for node in self._missing(path) if node.name not in known))

    def _node(self, name: str, value: Any, path: str, depth: int) -> Node:
        self._left -= 1
        if self._left < 0:
            raise _TooMuchError
        own = f"{path}.{name}" if path else name
        if isinstance(value, list):
            items = cast("list[Any]", value)
            text = "" if items else "{}" if isinstance(value, Pairs) else "[]"
            return Node(name, text, self._faults.get(own, ""), self.children(items, own, depth + 1))
        return Node(name, _scalar(value), self._faults.get(own, ""), ())

    def _missing(self, path: str) -> list[Node]:
        """Fields directly below this that something is wrong with: those that are not there are among them."""
        below = {each: text for each, text in self._faults.items() if each.rpartition(".")[0] == path}
        return [Node(each.rpartition(".")[2], "", text, ()) for each, text in below.items()]


def pretty(body: str) -> str:
    """The same JSON with a value on each line; what is no JSON, or too deep, as it is."""
    try:
        return _printed(_parsed(body), "\n", 0)
    except (ValueError, RecursionError):
        return body


def compact(body: str) -> str:
    """The same JSON without spaces and line breaks; what is no JSON, or too deep, as it is."""
    try:
        return _printed(_parsed(body), "", 0)
    except (ValueError, RecursionError):
        return body


def wrong_with(body: str) -> tuple[int, int] | None:
    """Line and column where a text ceases to be JSON; None for one that is."""
    try:
        _parsed(body)
    except json.JSONDecodeError as error:
        return error.lineno, error.colno
    except RecursionError:
        return 1, 1
    return None


def _parsed(body: str) -> Any:
    return json.loads(body, object_pairs_hook=Pairs, parse_float=Literal, parse_int=Literal, parse_constant=Literal)


def _scalar(value: Any) -> str:
    return str(value) if isinstance(value, Literal) else _text(value)


def _text(value: Any) -> str:
    """As JSON; characters that are not seen, or that turn others round, as escapes."""
    return "".join(
        each if each.isprintable() else json.dumps(each)[1:-1] for each in json.dumps(value, ensure_ascii=False)
    )


def _printed(value: Any, line: str, depth: int) -> str:
    """JSON whose lines begin with ``line``; on a single one where that is empty."""
    if depth > DEEPEST:
        raise _TooMuchError
    if not isinstance(value, list) or not value:
        return "{}" if isinstance(value, Pairs) else "[]" if isinstance(value, list) else _scalar(value)
    within, colon = (f"{line}  ", ": ") if line else ("", ":")
    if isinstance(value, Pairs):
        items = [f"{_text(name)}{colon}{_printed(each, within, depth + 1)}" for name, each in value]
        return f"{{{within}{f',{within}'.join(items)}{line}}}"
    items = [_printed(each, within, depth + 1) for each in cast("list[Any]", value)]
    return f"[{within}{f',{within}'.join(items)}{line}]"
