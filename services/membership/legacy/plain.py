"""The plain format for members: a header of MemberRecorded's own field names, in CSV, a spreadsheet or JSON lines.

Read, and written back.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from schemas.membership import MemberRecorded
from services.membership.legacy.columns import column
from services.membership.legacy.lines import Dialect, Sheet, added_to
from services.membership.legacy.meanings import DEFAULT, Reading
from shared.importing import plain
from shared.importing.outcomes import Outcome
from shared.importing.table import Table, normal
from shared.runtime.clock import PARIS

PRODUCT = "plain table"
ALIASES = {"contact_first": "contact_first_name", "contact_last": "contact_last_name", "id": "record_id"}
"""Shorter names of columns that are understood too."""
DIALECT = Dialect(";")

_EXTRA = column(plain.EXTRA)
_COLUMNS = {name: column(name) for name in MemberRecorded.model_fields if name not in (plain.VERSION, plain.EXTRA)}
_NAMES = {*MemberRecorded.model_fields, *ALIASES}


def translate(table: Table, version: int, _: Reading = DEFAULT) -> Iterator[Outcome[MemberRecorded]]:
    """One fact per row; columns that are no field go to ``extra``."""
    return plain.translate(table, MemberRecorded, version, PARIS, ALIASES)


def write(fact: MemberRecorded, added: Iterable[str]) -> Sheet:
    """The row of one member. What no column of its own can carry as it is goes into ``extra``, as JSON."""
    answer = fact.model_dump(mode="json", exclude_defaults=True)
    own = {header: written for header, written in fact.extra.items() if _has_column(header, written)}
    rest = {header: written for header, written in fact.extra.items() if header not in own}
    line = [(item, _cell(answer.get(name))) for name, item in _COLUMNS.items()]
    others = [text for text in added if _has_column(text, text)]
    return Sheet([[*line, (_EXTRA, _cell(rest or None)), *added_to(fact, others, _COLUMNS)]], own)


def _has_column(header: str, written: str) -> bool:
    name = normal(header).replace(" ", "_").replace("-", "_")
    return bool(name) and name not in _NAMES and header == header.strip() and written == written.strip() != ""


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case _:
            return orjson.dumps(value).decode()
