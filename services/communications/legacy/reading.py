"""Files of lists that are no table with a header: Sympa's dump, Mailman's members, Dolibarr's targets."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from shared.importing.decoding import Text, decode
from shared.importing.outcomes import UnreadableError
from shared.importing.reading import read
from shared.importing.table import Row, Table, damage

SYMPA_DUMP, ADDRESSES, TARGETS = "sympa dump", "addresses", "dolibarr targets"
"""Kinds of tables that are made of such files."""
TARGET_HEADERS: Final = (
    "rowid", "lastname", "firstname", "email", "other", "tms", "source_type", "source_id", "date_envoi", "status",
    "error_text",
)  # fmt: skip
_BARE: Final = r'(?P<bare>[^\s<>,;"]+@[^\s<>,;"]+)'
_NAMED: Final = re.compile(rf'^\s*(?:"?(?P<name>[^"<>@]*?)"?\s*<(?P<inside>[^<>\s]+@[^<>\s]+)>|{_BARE})\s*$')
_TAB_NAMED: Final = re.compile(rf"^{_BARE}\t(?P<name>[^\t]*)$")
_TARGET: Final = re.compile(r'^\d+,"')


def read_list(path: Path, encoding: str | None = None) -> Table:
    """Open an export of a list, whatever its form. Raises UnreadableError."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableError(f"{path}: {error.strerror or error}") from None
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")) or path.suffix.lower() in {".jsonl", ".ndjson"}:
        return read(path, encoding)
    try:
        decoded = decode(content, encoding)
    except UnreadableError as error:
        raise UnreadableError(f"{path}: {error}") from None
    lines = decoded.text.splitlines()
    filled = [line for line in lines if line.strip() and not line.startswith("#")]
    if filled and _is_dump(filled):
        return _table(path, decoded, SYMPA_DUMP, *_dump(lines))
    if filled and all(_TARGET.match(line) for line in filled[:20]):
        return _table(path, decoded, TARGETS, TARGET_HEADERS, _targets(lines), len(lines))
    if filled and sum(1 for line in filled if _address(line)) * 2 > len(filled) and _address(filled[0]):
        return _table(path, decoded, ADDRESSES, ("email", "name"), _addresses(lines), len(lines))
    return read(path, encoding)


def _table(path: Path, decoded: Text, kind: str, headers: Sequence[str], rows: Iterator[Row], lines: int) -> Table:
    return Table(path, tuple(headers), rows, kind, lines, decoded.encoding, None, decoded.warnings,
                 assumed=decoded.assumed)  # fmt: skip


def _is_dump(filled: Sequence[str]) -> bool:
    """Blocks of ``key value``, each of which has an ``email``."""
    keys = {line.partition(" ")[0] for line in filled[:40]}
    return "email" in keys and bool(keys & {"reception", "visibility", "subscribed", "gecos", "date"})


def _dump(lines: Sequence[str]) -> tuple[list[str], Iterator[Row], int]:
    blocks: list[tuple[int, dict[str, str]]] = []
    block: dict[str, str] = {}
    for number, line in enumerate([*lines, ""], start=1):
        if line.strip():
            key, _, value = line.strip().partition(" ")
            if not block:
                blocks.append((number, block))
            block[key] = value
        else:
            block = {}
    headers = list(dict.fromkeys(key for _, each in blocks for key in each))
    return headers, _of_blocks(blocks, headers), len(blocks)


def _of_blocks(blocks: Sequence[tuple[int, dict[str, str]]], headers: Sequence[str]) -> Iterator[Row]:
    for number, block in blocks:
        cells = tuple(block.get(key, "") for key in headers)
        yield Row(number, cells, damage(cells))


def _address(line: str) -> re.Match[str] | None:
    return _NAMED.match(line) or _TAB_NAMED.match(line)


def _addresses(lines: Sequence[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _address(line)
        if match is None:
            yield Row(number, (line.strip(), ""), "is neither an address nor Name <address>")
            continue
        groups = match.groupdict()
        cells = (groups.get("inside") or groups["bare"] or "", groups["name"] or "")
        yield Row(number, cells, damage(cells))


def _targets(lines: Sequence[str]) -> Iterator[Row]:
    """Quotes inside a cell are not doubled, so a row is cut where a quote and a comma stand together."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        cells = _cut(line)
        fault = None if len(cells) == len(TARGET_HEADERS) else f"{len(cells)} cells, not {len(TARGET_HEADERS)}"
        yield Row(number, cells, fault or damage(cells))


def _cut(line: str) -> tuple[str, ...]:
    cells: list[str] = []
    rest = line.rstrip("\r\n").removesuffix(",")
    while rest:
        if rest.startswith('"'):
            end = next((at for at in range(1, len(rest)) if rest[at] == '"' and rest[at + 1 : at + 2] in ("", ",")), -1)
            cell, rest = (rest[1:end], rest[end + 1 :]) if end > 0 else (rest[1:], "")
        else:
            cell, comma, after = rest.partition(",")
            rest = comma + after
        cells.append(cell)
        if rest == ",":
            cells.append("")
        rest = rest.removeprefix(",")
    return tuple(cells)
