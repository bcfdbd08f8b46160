"""What people are written about their bookings: pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from schemas.letters import Recipient, RegistrationCancelled, RegistrationConfirmed, SeatOffered
from services.events.seats.known import Known
from services.events.seats.room import Booking
from services.events.seats.states import HOLDS


def letters_of(bookings: Iterable[Known], before: Mapping[str, Booking]) -> list[tuple[Any, list[Any]]]:
    """What people are written: each who comes their confirmation, whoever ordered the offer, each who came no more."""
    confirmed: list[RegistrationConfirmed] = []
    offered: list[SeatOffered] = []
    cancelled: list[RegistrationCancelled] = []
    for each in bookings:
        was = before.get(each.booking_id)
        held = was is not None and was.state in HOLDS
        newly = was is None or was.state != each.state
        if newly and each.state == "registered":
            confirmed += [RegistrationConfirmed(**to) for to in to_each(each, expected(each))]
        elif each.state == "offered" and each.offered_until != (was and was.offered_until):
            offered += [_offer(each, to) for to in to_each(each, [_whole(each)])]
        if held:
            leaving = expected(each) if each.state == "cancelled" else [who for who in each.people if who["now"]]
            over = each.called_off
            cancelled += [
                RegistrationCancelled(**without_join(to), gathering_cancelled=over) for to in to_each(each, leaving)
            ]
    return [(RegistrationConfirmed, confirmed), (SeatOffered, offered), (RegistrationCancelled, cancelled)]


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
        "seats": known.seats if person["id"] == known.booking_id else 1,
    }


def without_join(to: dict[str, Any]) -> dict[str, Any]:
    """The same without the address on line, which is for whoever has a seat."""
    return {**to, "join": None}


def _offer(known: Known, to: dict[str, Any]) -> SeatOffered:
    assert known.offered_until is not None
    return SeatOffered(
        **without_join(to), offer_id=f"{known.booking_id}/{known.version}", offered_until=known.offered_until
    )
