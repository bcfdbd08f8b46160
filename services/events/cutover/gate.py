"""What must hold of events before a cluster's gatherings are switched, and before they go back."""

from collections.abc import Sequence
from typing import Final

from services.cutover.preconditions import Condition
from services.events.cutover.write_back import count_unconfirmed
from services.events.mirror.repository import EventsUnitOfWork
from shared.persistence.database import rows_of

# A gathering that two clusters' former systems have under one title and moment is sold twice.
_SOLD_TWICE: Final = """
    select count(distinct e.event_id)
    from events e
    where e.cluster = $1 and e.status = 'planned' and e.starts_at > now()
      and (exists (select from events o where o.cluster <> e.cluster and o.status = 'planned'
                   and o.starts_at = e.starts_at and lower(o.title) = lower(e.title))
           or exists (select from gatherings g join sessions s using (gathering_id)
                      where g.cluster <> e.cluster and g.state = 'planned' and s.starts_at = e.starts_at
                        and lower(g.title) = lower(e.title)))
"""
_UNKNOWN_TO_FORMER: Final = """
    select count(*) from gatherings g
    cross join lateral (
        select min(starts_at) as starts_at, max(coalesce(ends_at, starts_at)) as ends_at
        from sessions where gathering_id = g.gathering_id) s
    where g.cluster = $1 and s.ends_at > now()
      and (g.state = 'planned' or g.state = 'cancelled' and g.event_id is not null)
      and not exists (
          select from events e
          where e.cluster = g.cluster and e.event_id = coalesce(g.event_id, g.gathering_id::text)
            and case when g.state = 'cancelled' then e.status = 'cancelled'
                     else e.status <> 'cancelled' and e.starts_at = s.starts_at end)
"""


# Nobody said which gathering they are for: so nothing of them would go on here.
_WITHOUT_GATHERING: Final = """
    select count(*) from registrations r
    where r.cluster = $1 and r.status in ('registered', 'waiting')
      and not exists (select from events e where e.cluster = r.cluster and e.event_id = r.event_id)
"""


async def for_switch(uow: EventsUnitOfWork, cluster: str) -> Sequence[Condition]:
    """That no planned gathering is sold by two systems, and that every registration goes on here."""
    lost = (await uow.connection.exec_driver_sql(_WITHOUT_GATHERING, (cluster,))).scalar_one()
    twice = (await uow.connection.exec_driver_sql(_SOLD_TWICE, (cluster,))).scalar_one()
    return [
        Condition(
            "sold-twice",
            twice == 0,
            f"{twice} planned gatherings are at the same moment, under the same title, in another cluster too"
            if twice
            else "no planned gathering is in another cluster too",
            "close one of the two forms, or give each an allotment (a capacity of its own); then --overrule sold-twice",
        ),
        Condition(
            "registrations-without-gathering",
            lost == 0,
            f"{lost} registrations are for gatherings that nobody stated: they would not be taken over"
            if lost
            else "every registration is for a gathering that is known",
            f"traboule import --as {cluster}/events a table of these gatherings (event_id, title, starts_at); if "
            "all are over, --overrule registrations-without-gathering",
        ),
    ]


async def for_rollback(uow: EventsUnitOfWork, cluster: str) -> Sequence[Condition]:
    """That the former system knows who has a seat, or it would give it to somebody else."""
    registrations = await count_unconfirmed(uow, cluster)
    ((gatherings,),) = rows_of(await uow.connection.exec_driver_sql(_UNKNOWN_TO_FORMER, (cluster,)))
    export = f"traboule cutover write-back {cluster}/events --export FILE.csv, enter each there, and import its export"
    return [
        Condition(
            "registrations",
            registrations == 0,
            f"{registrations} registrations were made or changed here, and the former system has not said them"
            if registrations
            else "the former system says every registration as it is here",
            export,
        ),
        Condition(
            "gatherings",
            gatherings == 0,
            f"{gatherings} gatherings were planned, moved or called off here, and the former system does not say so"
            if gatherings
            else "the former system has every gathering as it is here",
            f"enter each there (traboule events list --cluster {cluster}); then --overrule gatherings",
        ),
    ]
