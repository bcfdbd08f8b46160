"""The plain format: any table whose header is the field names of a fact.

For former systems that have no export of their own kind, and for scripts. Every value may be written as people write
it in France (days d/m/Y, amounts with a comma); lists are JSON or separated by ``|``.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, tzinfo
from decimal import Decimal
from types import NoneType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import orjson
from pydantic import BaseModel, ValidationError

from shared.importing import values
from shared.importing.outcomes import Accepted, Outcome, Rejection, Repeated, UnreadableError, broken
from shared.importing.table import Row, Table, normal

M = TypeVar("M", bound=BaseModel)
VERSION = "version"
EXTRA = "extra"


def identity_of(model: type[BaseModel]) -> str:
    """The field that identifies what the fact is about: by convention the first after its version."""
    return next(name for name in model.model_fields if name != VERSION)


def recognise(
    headers: Sequence[str], models: Sequence[type[M]], aliases: Mapping[str, str] | None = None
) -> type[M] | None:
    """The fact whose required fields are all among the headers; of several, the one that requires most."""
    present = set(_fields(headers, aliases or {}))
    fitting = [model for model in models if _required(model) <= present]
    return max(fitting, key=lambda model: len(_required(model)), default=None)


def required(model: type[BaseModel]) -> list[str]:
    """The fields that the header must have, in the order of the model."""
    return [name for name in model.model_fields if name in _required(model)]


def translate(
    table: Table, model: type[M], version: int, zone: tzinfo, aliases: Mapping[str, str] | None = None
) -> Iterator[Outcome[M]]:
    """Every row as a fact of ``model``; ``version`` for the rows that do not write one.

    Columns that are no field go to ``extra`` as written, where the fact has one. ``zone``: where the clock hung, for
    instants without an offset from UTC.

    Raises:
        UnreadableError: before the first row, when a column is no field and the fact has no ``extra``, or comes twice.
    """
    fields = _fields(table.headers, aliases or {})
    extra = [position for position, name in enumerate(fields) if name not in model.model_fields]
    if extra and EXTRA not in model.model_fields:
        raise UnreadableError(f"{table.path}: {_unknown(table.headers[extra[0]], model)}")
    twice = next((name for i, name in enumerate(fields) if name in fields[:i] and i not in extra), None)
    if twice is not None:
        raise UnreadableError(f'{table.path}: the column "{twice}" comes twice')
    table.covered.update(fields)
    return _translate(table, model, version, zone, fields, extra)


def _translate(
    table: Table, model: type[M], version: int, zone: tzinfo, fields: Sequence[str], extra: Sequence[int]
) -> Iterator[Outcome[M]]:
    identity = identity_of(model)
    kinds = {name: _kind(info.annotation) for name, info in model.model_fields.items()}
    seen: dict[str, tuple[int, tuple[str, ...]]] = {}
    for row in table.rows:
        if row.fault is not None:
            yield broken(row)
            continue
        read, faults = _parse(row, fields, kinds, zone)
        record_id = read.get(identity)
        if extra:
            others = {table.headers[at].strip(): row.cells[at].strip() for at in extra if row.cells[at].strip()}
            read[EXTRA] = {**others, **read.get(EXTRA, {})}
        read.setdefault(VERSION, version)
        fact = None if faults else _make(model, read, row.line, record_id, faults)
        if fact is None:
            yield from (fault._replace(record_id=record_id) for fault in faults)
            continue
        first = seen.setdefault(str(record_id), (row.line, row.cells))
        if first[0] == row.line:
            yield Accepted((row.line,), fact)
        elif first[1] == row.cells:
            yield Repeated(row.line, first[0])
        else:
            reason = f"line {first[0]} has this {identity}, and says otherwise"
            yield Rejection(row.line, record_id, identity, str(record_id), reason)


def _parse(
    row: Row, fields: Sequence[str], kinds: Mapping[str, type], zone: tzinfo
) -> tuple[dict[str, Any], list[Rejection]]:
    read: dict[str, Any] = {}
    faults: list[Rejection] = []
    for name, cell in zip(fields, row.cells, strict=True):
        written = cell.strip()
        if not written or name not in kinds:
            continue
        try:
            value = _value(kinds[name], written, zone)
        except ValueError as error:
            faults.append(Rejection(row.line, None, name, written, str(error)))
            continue
        if value is not None:
            read[name] = value
    return read, faults


def _value(kind: type, written: str, zone: tzinfo) -> Any:
    if kind is datetime:
        return values.moment(written, zone)
    if kind is date:
        return values.day(written)
    if kind is Decimal:
        return values.amount(written)
    if kind is bool:
        return values.yes(written)
    if kind is tuple or kind is dict:
        if written[0] in "[{":
            return orjson.loads(written)  # its error is a ValueError
        if kind is tuple:
            return [part.strip() for part in written.split("|") if part.strip()]
        raise ValueError("write a JSON object")
    return written


def _make(model: type[M], read: dict[str, Any], line: int, record_id: str | None, faults: list[Rejection]) -> M | None:
    try:
        return model.model_validate(read)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_context=False):
            field = ".".join(map(str, problem["loc"]))
            value = "" if problem["type"] == "missing" else str(problem["input"])
            message = "is missing" if problem["type"] == "missing" else problem["msg"].removeprefix("Value error, ")
            faults.append(Rejection(line, record_id, field, value, message))
        return None


def _kind(annotation: Any) -> type:
    """The type that decides how a cell is read: what is left of an annotation without None and constraints."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kind(get_args(annotation)[0])
    if origin is Literal:
        return str
    if origin in (tuple, dict):
        return origin
    options = [option for option in get_args(annotation) if option is not NoneType]
    if options:
        return _kind(options[0])
    # pydantic's AwareDatetime is a class of its own that stands for datetime
    return datetime if getattr(annotation, "__name__", "") == "AwareDatetime" else annotation


def _fields(headers: Sequence[str], aliases: Mapping[str, str]) -> list[str]:
    names = (normal(header).replace(" ", "_").replace("-", "_") for header in headers)
    return [aliases.get(name, name) for name in names]


def _required(model: type[BaseModel]) -> set[str]:
    return {name for name, field in model.model_fields.items() if field.is_required() and name != VERSION}


def _unknown(header: str, model: type[BaseModel]) -> str:
    near = difflib.get_close_matches(normal(header), list(model.model_fields), n=1)
    hint = f'; did you mean "{near[0]}"?' if near else f"; the fields are {', '.join(model.model_fields)}"
    return f'the column "{header}" is no field of {model.__name__}{hint}'
