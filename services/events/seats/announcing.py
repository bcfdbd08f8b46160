"""Announces what became of bookings: for other systems, for the consolidated view, and as letters to people."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.base import RecordRef
from schemas.events import Registrant, RegistrationChanged
from schemas.letters import Recipient, RegistrationCancelled, RegistrationConfirmed, SeatOffered
from services.events.mirror.repository import EventsUnitOfWork
from services.events.public.links import Holder, link_letters
from services.events.seats.known import Known
from services.events.seats.order import Person
from services.events.seats.pricing import announce_prices, announce_prices_again
from services.events.seats.repository import Session
from services.events.seats.room import Booking
from services.events.seats.states import HOLDS, STATUS
from shared.messaging.publishing import publish
from shared.persistence.database import json_of

_BOOKINGS = """
    select b.booking_id::text, coalesce(b.former_id, b.booking_id::text) as registration_id, b.seats, b.state,
           b.price, b.offered_until, b.version, o.cluster as of_cluster, o.record_id, o.name, o.email, o.language,
           o.placed_at,
           g.cluster, coalesce(g.event_id, g.gathering_id::text) as event_id, coalesce(s.title, g.title) as title,
           g.place, s.starts_at, s.terms->>'zone' as zone, s.session_id::text, s.sequence, s.ends_at, g.organiser,
           g.link as "join", g.state = 'cancelled' as called_off,
           (select json_agg(json_build_object('id', a.attendee_id, 'name', a.name, 'email', a.email,
                                              'left', a.left_at is not null, 'now', a.left_at = $2) order by a.place)
            from attendees a where a.booking_id = b.booking_id) as people
    from unnest($1::uuid[]) as n (booking_id)
    cross join lateral (select * from bookings where booking_id = n.booking_id offset 0) b
    cross join lateral (select * from orders where order_id = b.order_id offset 0) o
    join sessions s on s.session_id = b.session_id join gatherings g using (gathering_id)
    order by b.session_id, b.arrival
"""
_SEATED = "select booking_id::text from bookings where session_id = $1::uuid and state = 'registered'"


async def announce(
    uow: EventsUnitOfWork,
    sessions: Collection[Session],
    before: Mapping[str, Booking],
    at: datetime,
    cause: str | None = None,
) -> None:
    """Tell of every booking that these sessions changed, when the transaction commits."""
    ids = [booking_id for session in sessions for booking_id in session.room.changed]
    if not ids:
        return
    bookings = await _known(uow.connection, ids, at)
    publish(uow, RegistrationChanged, [(_registration(each), cause) for each in bookings])
    announce_prices(uow, bookings, before, cause)
    # Whom a former system seated was told by it.
    taken_over = {
        request.act.booking_id for each in sessions for request in each.new if request.act.kind == "take-over"
    }
    letters = _letters([each for each in bookings if not _is_as_before(each, taken_over)], before)
    for fact_type, facts in await _linked(uow, bookings, letters, at):
        if facts:
            publish(uow, fact_type, [(fact, cause) for fact in facts])


async def announce_again(uow: EventsUnitOfWork, booking_ids: Collection[str], cause: str) -> None:
    """Tell other systems of these bookings as they are now; people are written to once."""
    bookings = await _known(uow.connection, booking_ids, None)
    publish(uow, RegistrationChanged, [(_registration(each), cause) for each in bookings])
    announce_prices_again(uow, bookings, cause)


async def announce_rescheduled(uow: EventsUnitOfWork, session_id: str, version: int) -> None:
    """Write to everybody who has a seat that the session has another time."""
    ids = list((await uow.connection.exec_driver_sql(_SEATED, (session_id,))).scalars())
    bookings = [replace(each, version=version) for each in await _known(uow.connection, ids, None)]
    letters = [
        RegistrationConfirmed(**to, rescheduled=True) for each in bookings for to in _to_each(each, _expected(each))
    ]
    at = datetime.fromtimestamp(version / 1_000_000, UTC)
    [(_, facts)] = await _linked(uow, bookings, [(RegistrationConfirmed, letters)], at)
    publish(uow, RegistrationConfirmed, [(fact, None) for fact in facts])


async def announce_replaced(
    uow: EventsUnitOfWork, booking_id: str, person: Person, former: Person, at: datetime
) -> None:
    """Write to who comes now, and to who came before; a name that stays is one person, whose address was corrected."""
    [known] = await _known(uow.connection, [booking_id], None)
    if known.state != "registered":
        return
    confirmed = [RegistrationConfirmed(**to) for to in _to_each(known, [_as_row(person)])]
    is_other = former.folded_name != person.folded_name
    leaving = [_as_row(former)] if is_other and former.email else []
    cancelled = [RegistrationCancelled(**_without_join(to)) for to in _to_each(known, leaving)]
    for fact_type, facts in await _linked(uow, [known], [(RegistrationConfirmed, confirmed)], at):
        publish(uow, fact_type, [(fact, None) for fact in facts])
    publish(uow, RegistrationCancelled, [(fact, None) for fact in cancelled])


def _as_row(person: Person) -> dict[str, Any]:
    return {"id": person.attendee_id, "name": person.name, "email": person.email}


async def _linked(
    uow: EventsUnitOfWork, bookings: Iterable[Known], letters: list[tuple[Any, list[Any]]], at: datetime
) -> list[tuple[Any, list[Any]]]:
    """The letters with a personal link each, where it is known under which address people reach the gateway."""
    if not uow.public_url:
        return letters
    holders = {
        person["id"]: Holder(each.booking_id, person["id"], each.email) for each in bookings for person in each.people
    }
    holders |= {each.booking_id: Holder(each.booking_id, None, each.email) for each in bookings}
    return await link_letters(uow.connection, uow.public_url, holders, letters, at)


async def _known(connection: AsyncConnection, ids: Collection[str], at: datetime | None) -> list[Known]:
    rows = (await connection.exec_driver_sql(_BOOKINGS, (list(ids), at))).mappings()
    return [_of_row(dict(row)) for row in rows]


def _of_row(row: dict[str, Any]) -> Known:
    cluster, record_id = row.pop("of_cluster"), row.pop("record_id")
    record = RecordRef(cluster=cluster, record_id=record_id) if cluster else None
    people = json_of(row.pop("people")) or []
    return Known(**row, record=record, people=people)


def _registration(known: Known) -> RegistrationChanged:
    own = known.record is not None and known.record.cluster == known.cluster
    return RegistrationChanged(
        version=known.version,
        cluster=known.cluster,
        registration_id=known.registration_id,
        event_id=known.event_id,
        record_id=known.record.record_id if known.record and own else None,
        registered_at=known.placed_at,
        status=STATUS[known.state],
        seats=known.seats,
        registrant=None if own else _registrant(known),
    )


def _registrant(known: Known) -> Registrant:
    if known.record is not None:
        return Registrant(kind="record", cluster=known.record.cluster, record_id=known.record.record_id)
    return Registrant(kind="guest", name=known.name, email=known.email)


def _letters(bookings: Iterable[Known], before: Mapping[str, Booking]) -> list[tuple[Any, list[Any]]]:
    """What people are written: each who comes their confirmation, whoever ordered the offer, each who came no more."""
    confirmed: list[RegistrationConfirmed] = []
    offered: list[SeatOffered] = []
    cancelled: list[RegistrationCancelled] = []
    for each in bookings:
        was = before.get(each.booking_id)
        held = was is not None and was.state in HOLDS
        newly = was is None or was.state != each.state
        if newly and each.state == "registered":
            confirmed += [RegistrationConfirmed(**to) for to in _to_each(each, _expected(each))]
        elif each.state == "offered" and each.offered_until != (was and was.offered_until):
            offered += [_offer(each, to) for to in _to_each(each, [_whole(each)])]
        if held:
            leaving = _expected(each) if each.state == "cancelled" else [who for who in each.people if who["now"]]
            over = each.called_off
            cancelled += [
                RegistrationCancelled(**_without_join(to), gathering_cancelled=over) for to in _to_each(each, leaving)
            ]
    return [(RegistrationConfirmed, confirmed), (SeatOffered, offered), (RegistrationCancelled, cancelled)]


def _is_as_before(known: Known, taken_over: Collection[str]) -> bool:
    return known.booking_id in taken_over and known.state == "registered"


def _coming(known: Known) -> list[dict[str, Any]]:
    """The people of a booking who did not leave; its order, where it names nobody."""
    return [person for person in known.people if not person["left"] or person["now"]] or [_whole(known)]


def _expected(known: Known) -> list[dict[str, Any]]:
    """The same, and whoever ordered where they are none of these: they asked, and wait for an answer."""
    coming = _coming(known)
    addresses = {(person["email"] or known.email or "").casefold() for person in coming}
    return [*coming, _whole(known)] if known.email and known.email.casefold() not in addresses else coming


def _whole(known: Known) -> dict[str, Any]:
    """Whoever ordered, for all seats of the booking."""
    name = known.name or (known.people[0]["name"] if known.people else None)
    return {"id": known.booking_id, "name": name, "email": known.email}


def _to_each(known: Known, people: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What a letter says, to each of these people. A record may have an address that events does not know.

    Somebody without both, whom staff registered, gets no letter.
    """
    return [
        _letter(known, person, email)
        for person in people
        if (email := person["email"] or known.email) or known.record is not None
    ]


def _letter(known: Known, person: Mapping[str, Any], email: str | None) -> dict[str, Any]:
    records = () if known.record is None else (known.record,)
    return {
        "version": known.version,
        "cluster": known.cluster,
        "recipient": Recipient(
            name=person["name"] or known.title, email=email, language=known.language, records=records
        ),
        "registration_id": person["id"],
        "title": known.title,
        "starts_at": known.starts_at,
        "zone": known.zone,
        "place": known.place,
        "session_id": known.session_id,
        "sequence": known.sequence,
        "ends_at": known.ends_at,
        "organiser": known.organiser,
        "join": known.join,
        "seats": known.seats if person["id"] == known.booking_id else 1,
    }


def _without_join(to: dict[str, Any]) -> dict[str, Any]:
    """The same without the address on line, which is for whoever has a seat."""
    return {**to, "join": None}


def _offer(known: Known, to: dict[str, Any]) -> SeatOffered:
    assert known.offered_until is not None
    return SeatOffered(
        **_without_join(to), offer_id=f"{known.booking_id}/{known.version}", offered_until=known.offered_until
    )
