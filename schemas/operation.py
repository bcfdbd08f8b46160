"""An operation: what the gateway, or an operator, may ask of a service. Declared once, in ``schemas/operations.py``.

A *query* changes nothing, crosses the broker at once, and is given up after some seconds. A *command* may change
something: it is kept with who asked and why, crosses durably, and is carried out once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from schemas.rights import Right

Kind = Literal["query", "command"]
Outcome = Literal["done", "refused"]

Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
"""A UUID, in lower case and with hyphens (RFC 9562 §4)."""


class Arguments(BaseModel):
    """What an operation needs to know. Closed, so that a misspelt argument is refused and not lost."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation. ``right`` is what whoever asks for it needs; ``billing_right`` where billing is asked for it.

    ``more_rights`` are needed besides, by whoever names these arguments.

    ``path`` is where HTTP asks for it. With ``{cluster}`` it is about one former system, and ``{service}`` says whose.
    With ``{service}`` alone there is a route for each service. With neither, every service is asked.
    ``former_path`` is one that still answers, for one release. ``verb`` is the command that does the same; None:
    ``traboule ask SERVICE NAME``.
    """

    name: str
    kind: Kind
    services: tuple[str, ...]
    right: Right
    path: str
    arguments: type[Arguments]
    answer: type[BaseModel]
    summary: str
    summary_fr: str
    verb: str | None = None
    former_path: str | None = None
    billing_right: Right | None = None
    more_rights: Mapping[str, Right] = field(default_factory=dict[str, Right])

    def right_at(self, service: str | None) -> Right:
        """What whoever asks this service for it needs."""
        return self.billing_right if service == "billing" and self.billing_right else self.right

    @property
    def rights(self) -> tuple[Right, ...]:
        """One of these is needed; which one depends on the service that is asked."""
        return (self.right, self.billing_right) if self.billing_right else (self.right,)

    @property
    def method(self) -> str:
        """The HTTP method."""
        return "GET" if self.kind == "query" else "POST"

    @property
    def about_system(self) -> bool:
        """Whether it is about the former system of one cluster."""
        return "{cluster}" in self.path

    @property
    def asks_every_service(self) -> bool:
        """Whether one request is for all services."""
        return "{service}" not in self.path


def operation_of(
    service: str,
    name: str,
    kind: Kind,
    right: Right,
    path: str,
    shapes: tuple[type[Arguments], type[BaseModel]],
    summaries: tuple[str, str],
    verb: str | None = None,
) -> Operation:
    """An operation of one service: arguments and answer, and what it does in English and French."""
    return Operation(
        name=name,
        kind=kind,
        services=(service,),
        right=right,
        path=f"/{{service}}/{path}",
        arguments=shapes[0],
        answer=shapes[1],
        summary=summaries[0],
        summary_fr=summaries[1],
        verb=verb,
    )


class Question(BaseModel):
    """A query on its way: the body of an RPC message. ``cluster`` is None where it is about no former system alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    operation: str
    cluster: str | None = None
    arguments: dict[str, Any]
    author: str
