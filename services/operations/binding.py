"""A service's handlers, each bound to the operation that is declared in ``schemas/operations.py``."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from schemas.operation import Arguments, Operation

A = TypeVar("A", bound=Arguments)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks, as the gateway authenticated it: an API key's id and name. Who may do what goes by this."""

    key_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Call(Generic[A]):
    """One question or request, as a handler sees it.

    ``uow`` is the service's own unit of work, ``definition`` the service's own definition. ``cluster`` is empty where
    the operation is about no former system alone. ``reason`` is empty for a query. ``author`` is what was written, by
    whoever asked; ``identity`` is None where nobody was authenticated.
    """

    uow: Any
    definition: Any
    cluster: str
    arguments: A
    author: str
    reason: str
    identity: Identity | None = None


Handler = Callable[[Call[Any]], Awaitable[BaseModel | Mapping[str, Any]]]
"""Answers with the operation's answer model, or with its JSON. Raises RefusedError."""

Together = Callable[[Sequence[Call[Any]]], Awaitable[Sequence[BaseModel]]]
"""Answers several calls, in their order. Raises RefusedError if one of them is refused: then each is asked alone."""


@dataclass(frozen=True, slots=True)
class Bound:
    """An operation and what carries it out."""

    operation: Operation
    handler: Handler
    together: Together | None = None


Table = Mapping[str, Bound]
"""All operations of one service, by name."""


def table(bound: Iterable[Bound]) -> Table:
    """The operations by name. Raises ValueError where two have one name."""
    made: dict[str, Bound] = {}
    for each in bound:
        if each.operation.name in made:
            raise ValueError(f"two handlers are bound to {each.operation.name}")
        made[each.operation.name] = each
    return made


class RefusedError(Exception):
    """What was asked cannot be told or done. ``kind`` is a stable word, the message is for a person."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind

    def as_json(self) -> dict[str, Any]:
        """The refusal, as it is answered."""
        return {"kind": self.kind, "detail": str(self)}
