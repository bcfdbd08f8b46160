"""What staff say of duplicates, as the body of a request: its shapes for OpenAPI, and what is read of them."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, RootModel, SkipValidation, Tag, TypeAdapter

from services.gateway.problems import FORM
from services.membership.identity import decisions
from services.membership.identity.decisions import LONGEST_AUTHOR, LONGEST_REASON, MOST_RECORDS, Decision
from services.membership.records.record import RecordKey

MOST_DECISIONS: Final = 100
"""In one request."""

RecordName = Annotated[
    str,
    Field(max_length=500, pattern=r"^[^/\x00]+/[^\x00]+$", description="cluster and record id, such as numelink/B-1"),
]
Records = Annotated[list[RecordName], Field(min_length=1, max_length=MOST_RECORDS)]


class Signed(BaseModel):
    """Why, and who decides it if not the API key's own name."""

    model_config = ConfigDict(extra="forbid", strict=True)

    reason: str = Field(min_length=1, max_length=LONGEST_REASON, description="kept in the history")
    author: str | None = Field(
        None, min_length=1, max_length=LONGEST_AUTHOR, description="who decided it; else the API key's name"
    )


class _Tried(BaseModel):
    """Something to be tried: nobody signs what is not done."""

    model_config = ConfigDict(extra="forbid", strict=True)


class VerdictTried(_Tried):
    """All these source records are one company, or no two of them are."""

    verdict: Literal["same", "different"]
    records: Annotated[list[RecordName], Field(min_length=2, max_length=MOST_RECORDS)]


class SortedOutTried(_Tried):
    """Each part is one company, and no two parts are the same one."""

    parts: Annotated[list[Records], Field(min_length=1, max_length=MOST_RECORDS)]


class SeparationTried(_Tried):
    """The source records that leave the member."""

    records: Records


class Answering(Signed):
    """A decision that somebody takes who saw a question."""

    case: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00]+$",
        description="the case of the review queue that it answers: refused with 409 where that is not open any more",
    )


class Verdict(VerdictTried, Answering):
    """All these source records are one company, or no two of them are."""


class SortedOut(SortedOutTried, Answering):
    """Each part is one company, and no two parts are the same one."""


class Separation(SeparationTried, Signed):
    """The source records that leave the member."""


def _form(body: Any) -> str:
    fields: tuple[str, ...] = tuple(body) if isinstance(body, dict) else ()
    return next((f"{FORM}{name}" for name in ("decisions", "parts") if name in fields), f"{FORM}verdict")


_Single = Annotated[Verdict, Tag(f"{FORM}verdict")] | Annotated[SortedOut, Tag(f"{FORM}parts")]
_AnyDecision = Annotated[_Single, Discriminator(_form)]
_decision: TypeAdapter[Verdict | SortedOut] = TypeAdapter(_AnyDecision)


class Bulk(BaseModel):
    """Decisions that are taken one by one: one that fails, or is no decision at all, does not stop the rest."""

    model_config = ConfigDict(extra="forbid", strict=True)

    decisions: Annotated[list[SkipValidation[_AnyDecision]], Field(min_length=1, max_length=MOST_DECISIONS)]


class Deciding(RootModel[Annotated[_Single | Annotated[Bulk, Tag(f"{FORM}decisions")], Discriminator(_form)]]):
    """One decision, or many."""


class Trying(
    RootModel[
        Annotated[
            Annotated[VerdictTried, Tag(f"{FORM}verdict")] | Annotated[SortedOutTried, Tag(f"{FORM}parts")],
            Discriminator(
                lambda body: f"{FORM}parts" if isinstance(body, dict) and "parts" in body else f"{FORM}verdict"
            ),
        ]
    ]
):
    """One decision that is not taken."""


def read_decision(item: Any) -> Verdict | SortedOut:
    """One of a bulk's decisions. Raises pydantic's ValidationError."""
    return _decision.validate_python(item)


def decision_of(answer: Verdict | SortedOut | VerdictTried | SortedOutTried) -> Decision:
    """What it comes to. Raises DecisionError."""
    if isinstance(answer, SortedOut | SortedOutTried):
        return decisions.sort_out([keys_of(part) for part in answer.parts])
    decide = decisions.confirm if answer.verdict == "same" else decisions.reject
    return decide(keys_of(answer.records))


def keys_of(records: list[str]) -> list[RecordKey]:
    """Names as they are written; a record id may itself hold slashes."""
    return [RecordKey(cluster, rest) for cluster, _, rest in (name.partition("/") for name in records)]


def described(shape: type[BaseModel]) -> dict[str, Any]:
    """The body, for OpenAPI: ``openapi_extra=`` of its route. Its parts stand inside it, not beside it."""
    schema = shape.model_json_schema()
    parts = schema.pop("$defs", {})
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": _inside(schema, parts)}}}}


def _inside(schema: Any, parts: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_inside(item, parts) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inside(parts[str(schema["$ref"]).rpartition("/")[2]], parts)
    return {name: _inside(item, parts) for name, item in schema.items() if name != "discriminator"}
