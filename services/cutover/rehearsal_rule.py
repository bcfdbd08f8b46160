"""One question of a rehearsal: rows that tell what is known, and two pure functions that make outcomes of them.

Each service names its own in its definition, as ``rehearsals``. To add one: an outcome, one SQL,
what the former system ``did`` and what we ``would`` do.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict

from services.cutover.parity.compare import Comparison, Money

R = TypeVar("R", bound=tuple[Any, ...])


class Outcome(BaseModel):
    """What was done about one item, or would be. ``because``: why we would; a former system does not say."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    because: str | None = None


Outcomes: TypeAlias = Mapping[str, Outcome]
"""By item; an item that is not named was not dealt with."""


@dataclass(frozen=True, slots=True)
class Rehearsal(Generic[R]):
    """One question, and how it is answered on both sides.

    ``sql`` may name ``:cluster`` and ``:since``, a day, and selects the fields of ``row``, in their order. Rows that
    are judged together (the registrations for one gathering) are equal in ``together``, and come one after the other;
    without it each row is judged by itself. ``money`` is taken of the outcomes of either side.
    """

    name: str
    asks: str
    sql: str
    row: Callable[..., R]
    did: Callable[[Sequence[R]], Outcomes]
    would: Callable[[Sequence[R]], Outcomes]
    together: Callable[[R], Hashable] | None = None
    money: Money | None = None

    def compare(self, rows: Sequence[R], comparison: Comparison) -> None:
        """Judge rows that belong together, and compare item by item."""
        did, would = self.did(rows), self.would(rows)
        for item_id in dict.fromkeys((*did, *would)):
            theirs, outcome = did.get(item_id), would.get(item_id)
            if theirs is not None:
                comparison.add_theirs(self.name, item_id, theirs)
            if outcome is not None:
                comparison.add_ours(self.name, item_id, outcome if theirs is None else _explained(theirs, outcome))


def _explained(theirs: Outcome, outcome: Outcome) -> Outcome:
    # Why we would do what was done anyway is no difference.
    without = outcome.model_copy(update={"because": theirs.because})
    return without if without == theirs else outcome


def named(*parts: str) -> str:
    """The name of an item that is known by several ids, such as a mailing and a recipient."""
    return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in parts)
