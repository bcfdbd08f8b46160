"""Goes on with the gatherings of a former system that was moved over: as it decided, and in its order.

A registration is taken over once. What the former system said too late, and staff applied all the same, comes as a
registration of today, or ends the one that was taken over. So it runs again and again, and changes what is new alone.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import uuid4

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.events_operations import OfCluster, TakenOver
from services.common.sections import Record
from services.cutover.stages import lock_stages
from services.events.gatherings import repository
from services.events.gatherings.local_time import local_of
from services.events.gatherings.repository import NewGathering, NewSession
from services.events.mirror.repository import EventsUnitOfWork
from services.events.seats import repository as seats
from services.events.seats.acts import Act
from services.events.seats.order import Order, Person, Request, as_id, new_id
from services.events.seats.room import Terms
from services.events.seats.states import ACTIVE_SQL
from services.events.usecases.linking import link
from services.events.usecases.ours import require_ours
from services.events.usecases.seating import decide
from services.operations.binding import Call
from shared.persistence.database import json_of, rows_of

log = structlog.get_logger()
ZONE: Final = "Europe/Paris"
"""Former systems say moments; this is where the clusters' gatherings take place."""
BY: Final = "take-over"
Row = tuple[Any, ...]

_TURN = "select pg_advisory_xact_lock(hashtext('take-over'), hashtext($1))"
_HOLDS = "('registered', 'attended', 'absent')"
# A gathering that was given back belongs to a former move: its former system went on with it.
_NEW = f"""
    select e.event_id, e.title, e.starts_at, e.ends_at, e.place, e.capacity, e.closes_at, n.seated, n.waiting
    from events e
    cross join lateral (
        select coalesce(sum(r.seats) filter (where r.status in {_HOLDS}), 0) as seated,
               count(*) filter (where r.status = 'waiting') as waiting
        from registrations r where r.cluster = e.cluster and r.event_id = e.event_id offset 0) n
    where e.cluster = $1 and e.status = 'planned' and coalesce(e.ends_at, e.starts_at) > $2
      and not exists (select from gatherings g
                      where g.cluster = e.cluster and g.event_id = e.event_id and g.state <> 'given-back')
    order by e.event_id limit $3
"""
# Former systems know no sessions of ours: of several, it is the first.
_NOT_TAKEN = f"""
    select s.session_id::text, r.registration_id, r.record_id, r.registered_at, r.status, r.seats, r.registrant
    from gatherings g
    cross join lateral (
        select session_id from sessions where gathering_id = g.gathering_id order by place, session_id limit 1) s
    join registrations r on r.cluster = g.cluster and r.event_id = coalesce(g.event_id, g.gathering_id::text)
    where g.cluster = $1 and g.state = 'planned' and r.status <> 'cancelled'
      and not exists (select from sessions o join bookings b using (session_id)
                      where o.gathering_id = g.gathering_id and b.former_id = r.registration_id)
      and not exists (select from bookings b join sessions o using (session_id)
                      where b.booking_id = {as_id("r.registration_id")} and o.gathering_id = g.gathering_id)
      and not exists (select from booking_log l
                      where l.session_id = s.session_id and l.key = '{BY}/' || r.registration_id)
    order by s.session_id, r.registered_at, r.registration_id
"""
_CALLED_OFF_LATE = f"""
    select b.session_id::text, b.booking_id::text, r.registration_id
    from gatherings g
    join sessions s using (gathering_id)
    join bookings b on b.session_id = s.session_id and b.state in {ACTIVE_SQL}
    join registrations r on r.cluster = g.cluster and r.registration_id = b.former_id
    where g.cluster = $1 and g.state = 'planned' and r.status = 'cancelled'
"""


class Event(NamedTuple):
    """A gathering of the former system. ``seated`` counts seats that are taken, ``waiting`` registrations that wait."""

    event_id: str
    title: str
    starts_at: datetime
    ends_at: datetime | None
    place: str | None
    capacity: int | None
    closes_at: datetime | None
    seated: int
    waiting: int

    @property
    def terms(self) -> Terms:
        """As many seats as it had; where it never said, those that it gave, if it let somebody wait."""
        capacity = self.seated if self.capacity is None and self.waiting else self.capacity
        # What the former system gave above the capacity is not given again.
        over = 0 if capacity is None else max(0, self.seated - capacity)
        closes_at = None if self.closes_at is None else min(self.closes_at, self.starts_at)
        return Terms(
            capacity=capacity,
            overbooked=over,
            shrinks=over > 0,
            starts_at=self.starts_at,
            zone=ZONE,
            closes_at=closes_at,
        )


async def take_over(call: Call[OfCluster]) -> TakenOver:
    """Take over what is not yet. Raises RefusedError where the former system is the authority."""
    await require_ours(call.uow.connection, call.arguments.cluster)
    return await take_over_cluster(call.uow, call.arguments.cluster)


async def take_over_cluster(uow: EventsUnitOfWork, cluster: str, *, at_most: int | None = None) -> TakenOver:
    """The same for whoever made sure that the cluster is ours: ``at_most`` so many gatherings in this transaction."""
    connection = uow.connection
    await connection.exec_driver_sql(_TURN, (cluster,))
    now = await seats.now(connection)
    epoch = (await lock_stages(connection, [cluster]))[cluster].epoch
    new = [Event(*row) for row in rows_of(await connection.exec_driver_sql(_NEW, (cluster, now, at_most)))]
    sessions: set[str] = set()
    for event in new:
        planned = _gathering(cluster, epoch, event, now)
        await repository.plan(connection, planned)
        sessions.update(session.session_id for session in planned.sessions)
    rows, late = await _not_taken(connection, cluster)
    turns = sessions.union(row[0] for row in (*rows, *late))
    if not turns:
        return TakenOver(gatherings=0, registrations=0, waiting=0)
    # The rows of the sessions are locked before their bookings, as by everybody who changes them.
    await seats.lock(connection, turns)
    await link(connection, cluster, turns)
    rows, late = ([row for row in each if row[0] in turns] for each in await _not_taken(connection, cluster))
    requests = [_request(cluster, sessions, now, row) for row in rows]
    requests += [_ended(session_id, booking_id, former_id) for session_id, booking_id, former_id in late]
    # Last, so that whoever waits and fits is offered what the former system left free.
    requests += [_settled(session_id) for session_id in sorted(sessions)]
    outcomes = await decide(uow, requests)
    refused = Counter(outcome.refusal for outcome in outcomes if outcome.refusal is not None)
    if refused:
        # Once for each: the log of the session has its key, so it is not tried again.
        log.warning("events.not_taken_over", cluster=cluster, refusals=dict(refused))
    waiting = sum(request.act.kind == "take-over" and request.act.asked for request in requests)
    taken = len(rows) - sum(outcome.refusal is not None for outcome in outcomes[: len(rows)])
    return TakenOver(gatherings=len(new), registrations=taken, waiting=waiting)


async def _not_taken(connection: AsyncConnection, cluster: str) -> tuple[list[Row], list[Row]]:
    """Registrations that are not taken over yet, and bookings that the former system cancelled since."""
    new = rows_of(await connection.exec_driver_sql(_NOT_TAKEN, (cluster,)))
    late = rows_of(await connection.exec_driver_sql(_CALLED_OFF_LATE, (cluster,)))
    return list(new), list(late)


def _gathering(cluster: str, epoch: int, event: Event, now: datetime) -> NewGathering:
    local, _ = local_of(event.starts_at, ZONE)
    session = NewSession(
        session_id=str(uuid4()), title=None, local_start=local, ends_at=event.ends_at, terms=event.terms
    )
    return NewGathering(
        gathering_id=str(uuid4()),
        cluster=cluster,
        key=f"{BY}/{epoch}/{event.event_id}",
        title=event.title,
        author=BY,
        reason=BY,
        version=int(now.timestamp() * 1_000_000),
        event_id=event.event_id,
        place=event.place,
        sessions=[session],
    )


def _request(cluster: str, new_sessions: set[str], now: datetime, row: Sequence[Any]) -> Request:
    """Of a gathering that is taken over now, as it was decided; of one that was before, as a registration of today."""
    session_id, former_id, record_id, registered_at, status, count, registrant = row
    said: Mapping[str, Any] = json_of(registrant) or {}
    order = Order(
        order_id=new_id(),
        session_id=session_id,
        author=BY,
        placed_at=registered_at,
        record=_record(cluster, record_id, said),
        name=said.get("name"),
        email=said.get("email"),
    )
    named = [Person(attendee_id=new_id(), name=said["name"], email=said.get("email"))] if said.get("name") else []
    act = Act(kind="take-over", booking_id=new_id(), seats=count, at=registered_at, asked=status == "waiting")
    if session_id not in new_sessions:
        act = replace(act, kind="register", asked=False, overruled=True, at=now)
    return Request(
        session_id=session_id,
        key=f"{BY}/{former_id}",
        act=act,
        author=BY,
        order=order,
        people=named,
        former_id=former_id,
    )


def _record(cluster: str, record_id: str | None, said: Mapping[str, Any]) -> Record | None:
    if record_id is not None:
        return Record(cluster, record_id)
    return Record(said.get("cluster") or cluster, said["record_id"]) if said.get("record_id") else None


def _ended(session_id: str, booking_id: str, former_id: str) -> Request:
    act = Act(kind="cancel", booking_id=booking_id, overruled=True)
    return Request(session_id=session_id, key=f"{BY}/{former_id}/cancelled", act=act, author=BY)


def _settled(session_id: str) -> Request:
    return Request(session_id=session_id, key=f"{BY}/settled", act=Act(kind="settle"), author=BY)
