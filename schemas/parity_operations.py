"""What may be asked about comparisons with a former system: past ones, and what people decide of their differences."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field

from schemas.base import Key
from schemas.cutover_operations import SERVICES, SYSTEM, Limit, Subject
from schemas.operation import Arguments, Kind, Operation
from schemas.rights import Right

DifferenceId = Annotated[
    str, Field(pattern=r"^[0-9a-f]{4,32}$", description="a difference's `id`, or the beginning of one")
]
Differences = Annotated[
    tuple[DifferenceId, ...], Field(min_length=1, max_length=500, description="of the newest comparison, by their ids")
]


class RunsArguments(Arguments):
    """Of which comparisons, and of how many days."""

    subject: Subject = "mirror"
    days: Annotated[int, Field(ge=1, le=3_660, description="how far back")] = 90
    limit: Limit = 200


class DifferencesArguments(Arguments):
    """Some differences of the newest comparison."""

    differences: Differences
    subject: Subject = "mirror"


class AssignmentArguments(DifferencesArguments):
    """The same, and who sees to them."""

    owner: Annotated[Key | None, Field(description="`me` is whoever asks; null: nobody any more")]


class RunShown(BaseModel):
    """One comparison: what it was made of, and how many differences were open and accepted when it was made."""

    run: int
    at: datetime
    by: str
    source: list[str]
    open: int
    accepted: int


class Runs(BaseModel):
    """The newest first."""

    system: str
    subject: Literal["mirror", "rehearsal"]
    items: list[RunShown]


class DifferencesDecided(BaseModel):
    """Which differences changed by it, and how many of the newest comparison are open and accepted now."""

    system: str
    subject: Literal["mirror", "rehearsal"]
    run: int
    changed: list[str]
    open: int
    accepted: int


def _operation(name: str, kind: Kind, below: str, shapes: tuple[type[Arguments], type[BaseModel]], **rest: Any) -> Any:
    rights: dict[str, Right] = {"right": "see-cutover"}
    if kind == "command":
        rights = {"right": "decide-late", "billing_right": "decide-late-billing"}
    return Operation(
        name=name,
        kind=kind,
        services=SERVICES,
        path=f"{SYSTEM}/parity/{below}",
        arguments=shapes[0],
        answer=shapes[1],
        **rights,
        **rest,
    )


PARITY_RUNS: Final[Operation] = _operation(
    "parity-runs",
    "query",
    "runs",
    (RunsArguments, Runs),
    summary="Its comparisons of the last days, the newest first: what each found open and accepted.",
    summary_fr="Ses comparaisons des derniers jours, de la plus récente : les écarts ouverts et acceptés de chacune.",
)
ACCEPT: Final[Operation] = _operation(
    "accept-differences",
    "command",
    "accept",
    (DifferencesArguments, DifferencesDecided),
    verb="traboule differences accept",
    summary="""Accept differences of its newest comparison: each may stay for as long as it is just this difference.

All of them, or none: one that is not open is refused, and named.""",
    summary_fr="Accepter des écarts de sa dernière comparaison : chacun peut rester tant qu'il reste ce même écart.",
)
TAKE_BACK: Final[Operation] = _operation(
    "take-back-acceptances",
    "command",
    "take-back",
    (DifferencesArguments, DifferencesDecided),
    verb="traboule differences take-back",
    summary="""Open accepted differences of its newest comparison again. Who accepted them and why is kept.

All of them, or none: one that is not accepted is refused, and named.""",
    summary_fr="Rouvrir des écarts acceptés de sa dernière comparaison. Qui les a acceptés, et pourquoi, est gardé.",
)
ASSIGN: Final[Operation] = _operation(
    "assign-differences",
    "command",
    "assign",
    (AssignmentArguments, DifferencesDecided),
    verb="traboule differences assign",
    summary="Give differences of its newest comparison to somebody, or to nobody. A record keeps its owner.",
    summary_fr="Confier des écarts de sa dernière comparaison à quelqu'un, ou à personne. Une fiche garde le sien.",
)

ALL: Final[tuple[Operation, ...]] = (PARITY_RUNS, ACCEPT, TAKE_BACK, ASSIGN)
