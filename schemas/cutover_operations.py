"""What may be asked of the service that keeps a former system's stage: its own, and no other's."""

from typing import Annotated, Any, Final, Literal, get_args

from pydantic import ConfigDict, Field

from schemas import cutover_answers as answers
from schemas.cutover_requests import CutoverRequested
from schemas.operation import Arguments, Kind, Operation
from schemas.rights import Right

SERVICES: Final = get_args(CutoverRequested.model_fields["responsible"].annotation)
SYSTEM: Final = "/cutover/{cluster}/{service}"

Limit = Annotated[int, Field(ge=1, le=500)]
After = Annotated[int, Field(ge=0, le=2**53, description="`next` of the page before")]
Subject = Annotated[
    Literal["mirror", "rehearsal"],
    Field(description="what both sides hold; or what it did, and what we would have done in its place"),
]
_Text = Annotated[str | None, Field(max_length=200, pattern=r"^[^\x00]*$")]


class _Asked(Arguments):
    # These routes are older than the rule that an unknown argument is refused, and clients may send one.
    model_config = ConfigDict(extra="ignore")


class NoArguments(_Asked):
    """Nothing but the former system need be known."""


class ConditionsArguments(_Asked):
    """For which move."""

    which: Literal["switch", "rollback"] = Field("switch", alias="for")


class ParityArguments(_Asked):
    """A page of differences: of the newest parity or rehearsal, and of these the ones that are as every filter says."""

    subject: Subject = "mirror"
    state: Literal["open", "accepted", "all"] = "open"
    kind: _Text = None
    what: Literal["missing-here", "missing-there", "different", "unreadable"] | None = None
    field: _Text = None
    owner: _Text = None
    unowned: bool = False
    limit: Limit = 50
    after: After = 0


class WayBackArguments(_Asked):
    """A page of records by id."""

    limit: Limit = 50
    after: Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$", description="`next` of the page before")] = ""


class QuarantineArguments(_Asked):
    """A page of late messages."""

    state: Literal["waiting", "applied", "dismissed", "all"] = "waiting"
    limit: Limit = 50
    after: After = 0


class LateArguments(_Asked):
    """One late message."""

    number: Annotated[int, Field(ge=1, le=2**53, description="the number in the late message's id")]


class MoveArguments(Arguments):
    """Which move, and the conditions of a switch or rollback that may fail."""

    move: Literal["mirror", "switch", "rollback", "retire"]
    overrule: tuple[str, ...] = ()


class BackupArguments(Arguments):
    """Where the backup lies, or how it was made."""

    note: str


def _about_system(name: str, kind: Kind, right: Right, below: str, **rest: Any) -> Operation:
    return Operation(name=name, kind=kind, services=SERVICES, right=right, path=f"{SYSTEM}{below}", **rest)


STAGE: Final = _about_system(
    "standing",
    "query",
    "see-cutover",
    "",
    arguments=NoArguments,
    answer=answers.StageShown,
    summary="Where one former system stands: since when, who moved it there and why, and what waits.",
    summary_fr="Où en est un ancien système : depuis quand, par qui et pourquoi, et ce qui attend.",
)
CONDITIONS: Final = _about_system(
    "conditions",
    "query",
    "see-cutover",
    "/conditions",
    arguments=ConditionsArguments,
    answer=answers.Conditions,
    summary="What must hold before it is switched or rolled back: what was found, and what mends it.",
    summary_fr="Ce qui doit être rempli avant la bascule ou le retour : ce qui a été trouvé, et le remède.",
)
HISTORY: Final = _about_system(
    "history",
    "query",
    "see-cutover",
    "/history",
    arguments=NoArguments,
    answer=answers.Moves,
    summary="Every move of it, the newest first: who, when, why, and what was overruled.",
    summary_fr="Tous ses passages, du plus récent au plus ancien : qui, quand, pourquoi, malgré quoi.",
)
PARITY: Final = _about_system(
    "parity",
    "query",
    "see-cutover",
    "/parity",
    arguments=ParityArguments,
    answer=answers.ParityShown,
    summary="The newest comparison of our mirror with what it holds, and where the two differ.",
    summary_fr="La dernière comparaison de notre miroir avec ce qu'il contient, et les différences.",
)
WAY_BACK: Final = _about_system(
    "way-back",
    "query",
    "see-cutover",
    "/write-back",
    former_path=f"{SYSTEM}/way-back",
    arguments=WayBackArguments,
    answer=answers.WayBack,
    summary="What was written here and told to it: what it has not read, has not said since, and cannot say at all.",
    summary_fr="Ce qui a été écrit ici et lui a été transmis : non lu, non confirmé, ou inexprimable.",
)
QUARANTINE: Final = _about_system(
    "quarantine",
    "query",
    "see-cutover",
    "/quarantine",
    arguments=QuarantineArguments,
    answer=answers.Quarantine,
    summary="What it said after it had been moved over, the oldest first.",
    summary_fr="Ce qu'il a dit après la bascule, du plus ancien au plus récent.",
)
LATE_MESSAGE: Final = _about_system(
    "late-message",
    "query",
    "read-persons",
    "/quarantine/{number}",
    arguments=LateArguments,
    answer=answers.LateShown,
    summary="One late message whole, beside what is held now.",
    summary_fr="Un message tardif en entier, à côté de ce qui est tenu maintenant.",
)
MOVE: Final = _about_system(
    "move",
    "command",
    "move-systems",
    "/moves",
    arguments=MoveArguments,
    answer=answers.MovedShown,
    verb="traboule cutover mirror|switch|rollback|retire",
    summary="""Move it on or back. A move that was made already is told, and not made again.

A switch and a rollback are refused while a condition fails that is not overruled. To retire it, `confirm` must
be its name, such as `numelink/membership`: there is no way back, and its broker user may write no more. As
long as it may, `remains` says so, and the command with which an operator takes the right away.""",
    summary_fr="Le faire avancer ou revenir. Un passage déjà fait est dit, et n'est pas refait.",
)
APPLY_LATE: Final = _about_system(
    "apply-late",
    "command",
    "decide-late",
    "/quarantine/{number}/apply",
    arguments=LateArguments,
    answer=answers.LateShown,
    billing_right="decide-late-billing",
    verb="traboule quarantine apply",
    summary="Apply a late message after all: it replaces what is held of its record.",
    summary_fr="Appliquer quand même un message tardif : il remplace ce qui est tenu de sa fiche.",
)
DISMISS_LATE: Final = _about_system(
    "dismiss-late",
    "command",
    "decide-late",
    "/quarantine/{number}/dismiss",
    arguments=LateArguments,
    answer=answers.LateShown,
    billing_right="decide-late-billing",
    verb="traboule quarantine dismiss",
    summary="Decide that a late message is not applied. It is kept.",
    summary_fr="Décider qu'un message tardif n'est pas appliqué. Il est gardé.",
)
NOTE_BACKUP: Final = Operation(
    name="note-backup",
    kind="command",
    services=SERVICES,
    right="note-backup",
    path="/cutover/backups",
    arguments=BackupArguments,
    answer=answers.BackupNoted,
    verb="traboule cutover note-backup",
    summary="Note in every service that all databases were backed up now: the conditions ask for it.",
    summary_fr="Noter dans chaque service que toutes les bases viennent d'être sauvegardées.",
)

CUTOVER: Final[tuple[Operation, ...]] = (
    STAGE,
    CONDITIONS,
    HISTORY,
    PARITY,
    WAY_BACK,
    MOVE,
    NOTE_BACKUP,
    QUARANTINE,
    LATE_MESSAGE,
    APPLY_LATE,
    DISMISS_LATE,
)
