"""Runs one of billing's operations for the command line: a query reads only, a command keeps author and reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.cli.environment import configured
from services.cli.registry import definition_of
from services.common.queries import answered
from services.common.transactions import transaction
from services.operations.binding import Identity
from services.operations.running import OperationRequest, Result, carry_out
from shared.cli.author import required_text, who
from shared.cli.terminal import as_json, nothing, refuse, run

_UNKNOWN = {
    "issuer-unknown",
    "grid-unknown",
    "billed-member-unknown",
    "due-decision-unknown",
    "run-unknown",
    "document-unknown",
}
"""Refusals that say that there is no such thing; the others say what was wrong."""


def ask(operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a query; ends the command where it is refused."""
    return _answer(OperationRequest(operation=operation, cluster=None, arguments=arguments, author=who("")))


def command(operation: str, arguments: Mapping[str, Any], by: str, reason: str) -> dict[str, Any]:
    """What a command did; ends the command where it is refused.

    Who runs it has the database's password, and could write there whatever they liked: so ``--by`` is believed.
    """
    author = who(by)
    asked = OperationRequest(
        operation=operation,
        cluster=None,
        arguments=arguments,
        author=author,
        reason=required_text("--reason", reason),
        identity=Identity(f"operator:{author}", author),
    )
    return _answer(asked)


def show(answer: Mapping[str, Any], *, json: bool) -> None:
    """JSON, or words and tables."""
    if json:
        as_json(answer)
        return
    from services.cli.ask.commands import print_answer

    print_answer(answer)


def _answer(asked: OperationRequest) -> dict[str, Any]:
    result = run(_carried_out(asked))
    if result.outcome == "refused":
        (nothing if result.answer["kind"] in _UNKNOWN else refuse)(str(result.answer["detail"]))
    return result.answer


async def _carried_out(asked: OperationRequest) -> Result:
    """Raises Unreachable."""
    definition = definition_of("billing")
    async with transaction(definition, configured("billing")["billing"], "billing") as uow:
        if asked.operation in definition.queries:
            return await answered(uow, definition, asked)
        return await carry_out(uow, definition, definition.every_operation, asked)
