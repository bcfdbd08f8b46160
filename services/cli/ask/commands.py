"""``traboule ask``: put a query to a service, in a transaction that may not write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.table import Table

from schemas.operation import Operation
from services import SERVICES
from services.cli.environment import configured
from services.cli.registry import definition_of
from services.cli.systems import named
from services.common.definition import ServiceDefinition
from services.common.queries import answered
from services.common.transactions import transaction
from services.operations.running import OperationRequest, Result
from shared.cli.author import who
from shared.cli.options import Json
from shared.cli.terminal import as_json, nothing, plain, refuse, run, terminal
from shared.runtime.settings import ServiceSettings

_NOT_UNDERSTOOD = {"arguments-invalid", "operation-unknown"}
"""Refusals of what was typed, and not of what was asked."""

Whom = Annotated[
    str, typer.Argument(metavar="SERVICE", help="a service, or one of its former systems, such as numelink/billing")
]
Name = Annotated[str, typer.Argument(metavar="[QUERY]", help="what to ask; left out: list what there is")]
Given = Annotated[list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="what the query needs to know")]


def ask(whom: Whom, name: Name = "", given: Given = None, json: Json = False) -> None:
    """Ask a service one of its queries; nothing is changed. Exit code 1 if it refuses, 2 if it does not understand.

    Poser une question à un service ; rien n'est modifié. Code de sortie 1 s'il refuse, 2 s'il ne comprend pas.

    Examples, exemples : [bold]traboule ask billing[/], [bold]traboule ask billing mirrored-records[/],
    [bold]traboule ask numelink/billing conditions for=rollback --json[/]
    """
    cluster, definition, settings = _whom(whom)
    operations = {bound.operation.name: bound.operation for bound in definition.every_operation.values()}
    if not name:
        _list([operation for operation in operations.values() if operation.kind == "query"], json=json)
        return
    operation = operations.get(name)
    if operation is None:
        known = ", ".join(each.name for each in operations.values() if each.kind == "query")
        refuse(f"{definition.name} has no query {name!r}; it has {known}")
    if operation.kind == "command":
        refuse(f"{name} changes something, and is no query: run {operation.verb}")
    if operation.about_system and cluster is None:
        refuse(f"{name} is about one former system: name it, such as numelink/{definition.name}")
    asked = OperationRequest(operation=name, cluster=cluster, arguments=_arguments(given or []), author=who(""))
    result = run(_answered(definition, settings, asked))
    if result.outcome == "refused":
        detail = str(result.answer["detail"])
        (refuse if result.answer["kind"] in _NOT_UNDERSTOOD else nothing)(detail)
    if json:
        as_json(result.answer)
    else:
        print_answer(result.answer)


def _whom(whom: str) -> tuple[str | None, ServiceDefinition[Any], ServiceSettings]:
    if "/" in whom:
        return named(whom)
    if whom not in SERVICES:
        refuse(f"there is no service {whom!r}; there are {', '.join(SERVICES)}")
    return None, definition_of(whom), configured(whom)[whom]


def _arguments(given: Sequence[str]) -> dict[str, str]:
    result: dict[str, str] = {}
    for word in given:
        name, equals, value = word.partition("=")
        if not name or not equals or name in result:
            refuse(f"{plain(word)}: write each argument once, as NAME=VALUE")
        result[name] = value
    return result


async def _answered(definition: ServiceDefinition[Any], settings: ServiceSettings, asked: OperationRequest) -> Result:
    """Raises Unreachable."""
    async with transaction(definition, settings, "ask") as uow:
        return await answered(uow, definition, asked)


# --- showing -------------------------------------------------------------------------------------------------------


def _list(operations: Sequence[Operation], *, json: bool) -> None:
    if json:
        as_json([_declared(operation) for operation in operations])
        return
    console = terminal()
    for operation in operations:
        console.print(f"[bold]{operation.name}[/] {plain(' '.join(_described(operation)))}", highlight=False)
        console.print(f"  {plain(operation.summary)}\n  [dim]{plain(operation.summary_fr)}[/]", highlight=False)


def _declared(operation: Operation) -> dict[str, Any]:
    return {
        "name": operation.name,
        "arguments": _described(operation),
        "summary": {"en": operation.summary, "fr": operation.summary_fr},
    }


def _described(operation: Operation) -> list[str]:
    """Each argument as it is typed; what may be left out has its usual value."""
    fields = operation.arguments.model_fields.items()
    return [
        f"{field.alias or name}={'…' if field.is_required() or field.default is None else field.default}"
        for name, field in fields
    ]


def print_answer(answer: Mapping[str, Any]) -> None:
    """Words for what is one value, and a table for each list of several."""
    console = terminal()
    for name, value in answer.items():
        if not isinstance(value, list) or not value or not isinstance(value[0], dict):
            console.print(f"[bold]{plain(name)}[/] {_cell(value)}", highlight=False)
            continue
        table = Table(box=None, pad_edge=False, header_style="bold", title=plain(name), title_justify="left")
        for column in value[0]:
            table.add_column(plain(str(column)), overflow="fold")
        for row in value:
            table.add_row(*(_cell(row.get(column)) for column in value[0]))
        console.print(table)


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{plain(str(name))} {_cell(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(_cell(inner) for inner in value)
    return "" if value is None else plain(str(value))
