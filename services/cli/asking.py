"""Runs a service's operations for the command line: a query reads only, a command keeps author and reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.cli.environment import configured
from services.cli.registry import definition_of
from services.common.queries import answered
from services.common.transactions import transaction
from services.operations.binding import Identity
from services.operations.running import OperationRequest, Result, carry_out
from shared.cli.author import required_text, who
from shared.cli.terminal import as_json, nothing, refuse, run

_ABSENT, _WRONG_INPUT = "-unknown", {"number-unknown", "operation-unknown", "former-system-unknown"}
"""Ends the kinds of refusals that say that there is no such thing; the others, and these, say what was wrong."""


@dataclass(frozen=True, slots=True)
class Asking:
    """One service's operations."""

    service: str

    def ask(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a query; ends the command where it is refused."""
        return self._answer(OperationRequest(operation=operation, cluster=None, arguments=arguments, author=who("")))

    def command(self, operation: str, arguments: Mapping[str, Any], by: str, reason: str) -> dict[str, Any]:
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
        return self._answer(asked)

    def _answer(self, asked: OperationRequest) -> dict[str, Any]:
        result = run(self._carried_out(asked))
        if result.outcome == "refused":
            kind, detail = result.answer["kind"], str(result.answer["detail"])
            (nothing if kind.endswith(_ABSENT) and kind not in _WRONG_INPUT else refuse)(detail)
        return result.answer

    async def _carried_out(self, asked: OperationRequest) -> Result:
        """Raises Unreachable."""
        definition = definition_of(self.service)
        async with transaction(definition, configured(self.service)[self.service], self.service) as uow:
            if asked.operation in definition.queries:
                return await answered(uow, definition, asked)
            return await carry_out(uow, definition, definition.every_operation, asked)


def given(**named: Any) -> dict[str, Any]:
    """Those arguments that are not None."""
    return {name: value for name, value in named.items() if value is not None}


def show(answer: Mapping[str, Any], *, json: bool) -> None:
    """JSON, or words and tables."""
    if json:
        as_json(answer)
        return
    from services.cli.ask.commands import print_answer

    print_answer(answer)
