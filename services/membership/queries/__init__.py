"""All read SQL of membership: read rows → answers."""

from services.membership.queries.duplicates import Outline, SideBySide, outline, side_by_side
from services.membership.queries.identity import (
    DecisionTaken,
    HeldTogether,
    Moment,
    Turn,
    decisions_named,
    held_together,
    newest_decisions,
    turns,
)
from services.membership.queries.rows import Rows
from services.membership.queries.views import (
    MEMBERS_BY_ID,
    Filters,
    Position,
    StoredView,
    count_members,
    history,
    member_by_any_id,
    member_by_source,
    members,
    sources,
    statistics,
    stream_members,
    usable_keys,
)

__all__ = [
    "MEMBERS_BY_ID",
    "DecisionTaken",
    "Filters",
    "HeldTogether",
    "Moment",
    "Outline",
    "Position",
    "Rows",
    "SideBySide",
    "StoredView",
    "Turn",
    "count_members",
    "decisions_named",
    "held_together",
    "history",
    "member_by_any_id",
    "member_by_source",
    "members",
    "newest_decisions",
    "outline",
    "side_by_side",
    "sources",
    "statistics",
    "stream_members",
    "turns",
    "usable_keys",
]
