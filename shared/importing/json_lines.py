"""JSON lines: an object in each, whose names are the headers."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from shared.importing.decoding import decode
from shared.importing.outcomes import UnreadableError
from shared.importing.table import Row, Table, damage


def read_json_lines(path: Path, content: bytes, encoding: str | None) -> Table:
    """The objects as rows under all names that occur, in order of appearance. Raises UnreadableError."""
    decoded = decode(content, encoding)
    objects: list[tuple[int, dict[str, str] | str, str | None]] = []
    headers: dict[str, None] = {}
    for line, written in enumerate(decoded.text.split("\n"), start=1):
        if not written.strip():
            continue
        try:
            # Numbers stay as written: 1200.10 must not pass through a binary float.
            parsed = json.loads(written, parse_float=str, parse_int=str, parse_constant=_no_constant)
        except ValueError as error:
            objects.append((line, written, f"not JSON: {error}"))
            continue
        if not isinstance(parsed, dict):
            objects.append((line, written, "not a JSON object"))
            continue
        cells = {str(name): _json_text(value) for name, value in parsed.items()}
        headers.update(dict.fromkeys(cells))
        objects.append((line, cells, damage(cells.values())))
    if not headers:
        raise UnreadableError("no line of the file is a JSON object")
    names = tuple(headers)
    return Table(
        path, names, _json_rows(objects, names), "jsonl", len(objects), decoded.encoding, warnings=decoded.warnings
    )


def _json_rows(objects: Iterable[tuple[int, dict[str, str] | str, str | None]], names: Sequence[str]) -> Iterator[Row]:
    for line, content, fault in objects:
        if isinstance(content, str):
            yield Row(line, (content,), fault)
        else:
            yield Row(line, tuple(content.get(name, "") for name in names), fault)


def _json_text(value: Any) -> str:
    """Text as it is, null as nothing, lists and objects as JSON again."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case _:
            return json.dumps(value, ensure_ascii=False)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
