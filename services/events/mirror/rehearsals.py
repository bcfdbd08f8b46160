"""What the events service would have done, for comparing it with what a former system did: who gets a place."""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Literal, NamedTuple

from services.cutover.rehearsal_rule import Outcome, Outcomes, Rehearsal
from services.events.mirror.undated import UNDATED

# A registration may be held before its gathering.
_REGISTRATIONS = """
    select r.event_id, r.registration_id, coalesce(r.record_id, ''),
           coalesce(m.member_id::text, r.cluster || '/' || r.record_id, 'guest ' || r.registration_id),
           r.registered_at, r.status, r.seats
    from registrations r
    left join events e on (e.cluster, e.event_id) = (r.cluster, r.event_id)
    left join member_records m on (m.cluster, m.record_id) = (r.cluster, r.record_id)
    where r.cluster = :cluster and r.status <> 'cancelled'
      and coalesce(e.status <> 'cancelled' and e.starts_at >= :since, true)
    order by r.event_id, r.registered_at, r.registration_id
"""
_HAS_A_PLACE = frozenset({"registered", "attended", "absent"})


class Place(Outcome):
    """Whether a registration is given what it asks for, waits for it, or is not taken."""

    place: Literal["given", "waiting", "none"]


class Registration(NamedTuple):
    """One registration that was not called off; ``member`` names whoever its record is part of now."""

    event_id: str
    registration_id: str
    record_id: str
    member: str
    registered_at: datetime
    status: str
    seats: int


def _did(rows: Sequence[Registration]) -> Outcomes:
    return {row.registration_id: Place(place="given" if row.status in _HAS_A_PLACE else "waiting") for row in rows}


def _would(rows: Sequence[Registration]) -> Outcomes:
    """As many seats as the former system gave, in the order in which registrations came; one record of each member.

    How many a room holds is in no fact, so what was given is what there was. Whoever asks for more seats than are left
    waits, and the next who fits gets them. Two registrations of one record are two people of a company; two records of
    one company are the same people twice, and the one that came first counts (the rule of membership's conflicts).

    Where an export does not say when somebody registered, there is no order, and what was given is left as it is.

    Why is told without counting: an accepted difference must not open again with every registration that follows.
    """
    if any(row.registered_at == UNDATED for row in rows):
        return _did(rows)
    seats = sum(row.seats for row in rows if row.status in _HAS_A_PLACE)
    taken = 0
    firsts: dict[str, Registration] = {}
    outcomes: dict[str, Outcome] = {}
    for row in rows:
        first = firsts.setdefault(row.member, row)
        if first.record_id != row.record_id:
            detail = f"{first.record_id} is the same member, and came first ({first.registration_id})"
            outcomes[row.registration_id] = Place(place="none", because=detail)
        elif taken + row.seats <= seats:
            detail = "it came before others who have a place"
            outcomes[row.registration_id] = Place(place="given", because=detail)
            taken += row.seats
        else:
            detail = "who came before it takes the seats that were given"
            outcomes[row.registration_id] = Place(place="waiting", because=detail)
    return outcomes


REHEARSALS = (
    Rehearsal(
        "place",
        "who would we have given a place?",
        _REGISTRATIONS,
        Registration,
        _did,
        _would,
        together=attrgetter("event_id"),
    ),
)
