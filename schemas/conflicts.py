"""What the service that must resolve a conflict answers; each of these services publishes an answer of its own."""

from typing import ClassVar, Literal

from schemas.base import Announced, Key, Moment

ConflictState = Literal["open", "settled", "gone"]


class ConflictAnswered(Announced):
    """Whose a conflict is, and where it stands. Why it was settled, and by whom, stays with the service."""

    key: ClassVar[str] = "conflict-answered"

    conflict_id: Key
    owner: Key
    state: ConflictState
    changed_at: Moment
