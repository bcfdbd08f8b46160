"""What people are written about their bookings: pure."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from schemas.letters import Recipient, RegistrationCancelled, RegistrationConfirmed, RegistrationWaiting, SeatOffered
from services.events.seats.known import Known
from services.events.seats.room import Booking
from services.events.seats.states import ACTIVE

Letters = list[tuple[Any, list[Any]]]


def letters_of(
    bookings: Iterable[Known], before: Mapping[str, Booking], lines: Mapping[str, int], twice: Collection[str]
) -> Letters:
    """What people are written. ``lines`` are places among those who wait, ``twice`` bookings of the same people.

    Each who comes gets a confirmation, and each who comes no more a cancellation. Whoever ordered hears of what is no
    seat yet: that they wait, that a seat is offered, and that they wait no more.
    """
    confirmed: list[RegistrationConfirmed] = []
    waiting: list[RegistrationWaiting] = []
    offered: list[SeatOffered] = []
    cancelled: list[RegistrationCancelled] = []
    for each in bookings:
        was = before.get(each.booking_id)
        newly = was is None or was.state != each.state
        if newly and each.state == "registered":
            confirmed += [RegistrationConfirmed(**to) for to in to_each(each, expected(each))]
        elif newly and each.state == "waiting":
            waiting += _waiting(each, lines, lapsed=was is not None and was.state == "offered")
        elif each.state == "offered" and each.offered_until != (was and was.offered_until):
            offered += [_offer(each, was, to) for to in to_each(each, [_whole(each)])]
        if was is not None and was.state in ACTIVE:
            cancelled += _cancelled(each, was, twice=each.booking_id in twice)
    return [
        (RegistrationConfirmed, confirmed),
        (RegistrationWaiting, waiting),
        (SeatOffered, offered),
        (RegistrationCancelled, cancelled),
    ]


def _waiting(known: Known, lines: Mapping[str, int], *, lapsed: bool) -> list[RegistrationWaiting]:
    line = lines[known.booking_id]
    return [
        RegistrationWaiting(**without_join(to), line=line, offer_lapsed=lapsed)
        for to in to_each(known, [_whole(known)])
    ]


def _cancelled(known: Known, was: Booking, *, twice: bool) -> list[RegistrationCancelled]:
    """To who comes no more of a booking. Who leaves an offered seat has just said so."""
    seated = was.state == "registered"
    if known.state in ("cancelled", "lapsed"):
        leaving = expected(known) if seated else [_whole(known)]
    else:
        leaving = [who for who in known.people if who["now"]]
    reason = "registered-twice" if twice else "offer-lapsed" if known.state == "lapsed" else None
    return [
        RegistrationCancelled(**without_join(to), gathering_cancelled=known.called_off, seated=seated, reason=reason)
        for to in to_each(known, leaving)
    ]


def _coming(known: Known) -> list[dict[str, Any]]:
    """The people of a booking who did not leave; its order, where it names nobody."""
    return [person for person in known.people if not person["left"] or person["now"]] or [_whole(known)]


def expected(known: Known) -> list[dict[str, Any]]:
    """The same, and whoever ordered where they are none of these: they asked, and wait for an answer."""
    coming = _coming(known)
    addresses = {(person["email"] or known.email or "").casefold() for person in coming}
    return [*coming, _whole(known)] if known.email and known.email.casefold() not in addresses else coming


def _whole(known: Known) -> dict[str, Any]:
    """Whoever ordered, for all seats of the booking."""
    name = known.name or (known.people[0]["name"] if known.people else None)
    return {"id": known.booking_id, "name": name, "email": known.email}


def to_each(known: Known, people: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
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
        "price": known.price or None,
        "seats": known.seats if person["id"] == known.booking_id else 1,
    }


def without_join(to: dict[str, Any]) -> dict[str, Any]:
    """The same without the address on line, which is for whoever has a seat."""
    return {**to, "join": None}


def _offer(known: Known, was: Booking | None, to: dict[str, Any]) -> SeatOffered:
    assert known.offered_until is not None
    before = was.offered_until if was else None
    return SeatOffered(
        **without_join(to),
        offer_id=f"{known.booking_id}/{known.version}",
        offered_until=known.offered_until,
        shortened=before is not None and known.offered_until < before,
    )
