"""Who gets a seat of a session: the rule, pure. The live decision, the replay of the log and the rehearsal share it.

- Who comes first is served first, by the arrival number, which is taken under the session's lock.
- A booking is seated whole or waits whole. Who asks for more than is left waits; the next who fits is seated.
- Nobody waits who fits: each act first ends offers that are over, and last gives what is free to those who wait.
- An offer that lapses sends its booking to the end of the line, once; the second time it leaves.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from services.events.seats.offers import OfferTerms, at_most, offered_until
from services.events.seats.states import ACTIVE, HOLDS, State

LAPSES: Final = 2
"""The offer that ends a booking when it lapses."""


class NotPossibleError(Exception):
    """What was asked cannot be done; ``kind`` is a stable word. Nothing changed."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a session gives its seats. Without a capacity nobody waits.

    ``overbooked`` are seats above the capacity, which staff allowed; where it ``shrinks``, one that becomes free is
    not given again, for the room became too small. One may register from ``opens_at`` until
    ``closes_at``, and call off until ``cancel_until``: those moments are still in time.
    """

    capacity: int | None
    starts_at: datetime
    zone: str = "Europe/Paris"
    overbooked: int = 0
    shrinks: bool = False
    waiting_list: bool = True
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    cancel_until: datetime | None = None
    offers: OfferTerms = field(default_factory=OfferTerms)

    @property
    def limit(self) -> float:
        """How many seats may be held."""
        return float("inf") if self.capacity is None else self.capacity + self.overbooked

    @property
    def offers_end(self) -> datetime:
        """When nobody can be asked any more: the list closes, or the session begins."""
        return min(self.starts_at, self.closes_at or self.starts_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """Seats that are decided together. ``lapses`` counts offers that nobody answered."""

    booking_id: str
    seats: int
    arrival: int
    state: State
    offered_until: datetime | None = None
    lapses: int = 0


@dataclass(slots=True)
class Room:
    """A session while its lock is held: how many seats are held, the last arrival, and bookings by id.

    ``bookings`` may leave out those that no act can concern. ``changed`` are those that this transaction changed.
    """

    terms: Terms
    held: int = 0
    arrivals: int = 0
    bookings: dict[str, Booking] = field(default_factory=dict[str, Booking])
    changed: dict[str, Booking] = field(default_factory=dict[str, Booking])

    @property
    def free(self) -> float:
        """Seats that nobody holds."""
        return self.terms.limit - self.held

    def settle(self, now: datetime) -> None:
        """End offers that are over, and give what is free."""
        over = [b for b in self.bookings.values() if b.state == "offered" and (b.offered_until or now) <= now]
        for booking in sorted(over, key=_turn):
            self._lapse(booking)
        if over:
            self.promote(now)

    def in_time_to_register(self, at: datetime) -> None:
        """Raises NotPossibleError where the list is not open at this moment."""
        terms = self.terms
        if terms.opens_at is not None and at < terms.opens_at:
            raise NotPossibleError("not-open-yet", f"one may register from {terms.opens_at.isoformat()} on")
        if at > terms.offers_end:
            raise NotPossibleError("list-closed", f"one could register until {terms.offers_end.isoformat()}")

    def in_time_to_cancel(self, at: datetime) -> None:
        """Raises NotPossibleError after the last moment to call off."""
        last = self.terms.cancel_until or self.terms.starts_at
        if at > last:
            raise NotPossibleError("too-late-to-cancel", f"one could call off until {last.isoformat()}: ask staff")

    def register(self, booking_id: str, seats: int, *, asked: bool = False) -> Booking:
        """A new booking, which is seated, or waits. Raises NotPossibleError where nobody may wait."""
        if not asked and seats > self.free and not self.terms.waiting_list:
            raise NotPossibleError("session-full", f"{seats} seats are not free, and there is no waiting list")
        self.arrivals += 1
        state: State = "asked" if asked else "waiting"
        new = Booking(booking_id=booking_id, seats=seats, arrival=self.arrivals, state=state)
        # Nobody who waits fits, so whoever does passes nobody who could be seated.
        return self._keep(new) if asked else self._seat_or_wait(new)

    def take_over(self, booking_id: str, seats: int, *, seated: bool) -> Booking:
        """A booking as a former system decided it: it keeps its seats, or waits after those who waited before it."""
        self.arrivals += 1
        self.held += seats if seated else 0
        state: State = "registered" if seated else "waiting"
        return self._keep(Booking(booking_id=booking_id, seats=seats, arrival=self.arrivals, state=state))

    def answer(self, booking_id: str, now: datetime, *, accept: bool) -> Booking:
        """Take an offered seat, or leave it to the next. Raises NotPossibleError: it lapsed, or there is no offer."""
        booking = self._known(booking_id)
        if booking.state == "registered" and accept:
            return booking
        if booking.state != "offered":
            detail = "the offer lapsed" if booking.lapses else "no seat is offered to this booking"
            raise NotPossibleError("no-offer", detail)
        if accept:
            return self._keep(replace(booking, state="registered", offered_until=None))
        return self._leave(booking, "declined", now)

    def cancel(self, booking_id: str, now: datetime) -> Booking:
        """End a booking; what it held goes to those who wait. One that ended already stays as it is."""
        booking = self._known(booking_id)
        return self._leave(booking, "cancelled", now) if booking.state in ACTIVE else booking

    def reduce(self, booking_id: str, by: int, now: datetime) -> Booking:
        """Give up so many seats of a booking; with none left it is cancelled. Raises NotPossibleError."""
        booking = self._known(booking_id)
        if booking.state not in ACTIVE:
            raise NotPossibleError("booking-ended", f"the booking is {booking.state} already")
        if by >= booking.seats:
            return self.cancel(booking_id, now)
        if booking.state in HOLDS:
            self.held -= by
        self._keep(replace(booking, seats=booking.seats - by))
        self.promote(now)
        return self.bookings[booking_id]

    def decide(self, booking_id: str, now: datetime, *, same_people: bool) -> Booking:
        """Staff's answer about a booking that asks: the same people twice, or others. Raises NotPossibleError."""
        booking = self._known(booking_id)
        if booking.state != "asked":
            raise NotPossibleError("nothing-asked", f"the booking is {booking.state}: nothing is asked about it")
        if same_people:
            return self._leave(booking, "cancelled", now)
        return self._seat_or_wait(replace(booking, state="waiting"))

    def prefer(self, booking_id: str, now: datetime, *, above_capacity: bool) -> Booking:
        """Give a booking that waits its seats, out of turn. Raises NotPossibleError where it does not fit.

        Who waits never fits before the beginning, so staff allow seats ``above_capacity`` for it alone: these are not
        given again.
        """
        booking = self._known(booking_id)
        if booking.state != "waiting":
            raise NotPossibleError("not-waiting", f"the booking is {booking.state}: it does not wait for a seat")
        if booking.seats > self.free and above_capacity:
            lacking = booking.seats - int(self.free)
            self.terms = replace(self.terms, overbooked=self.terms.overbooked + lacking, shrinks=True)
        if booking.seats > self.free:
            detail = f"{booking.seats} seats are not free: make the session larger, or allow seats above its capacity"
            raise NotPossibleError("session-full", detail)
        return self._give(booking, now)

    def touch(self, booking_id: str) -> Booking:
        """A booking whose people changed: its seats stay as they are. Raises NotPossibleError."""
        return self._keep(self._known(booking_id))

    def change(self, terms: Terms, now: datetime) -> None:
        """Give seats by other terms from now on. Raises NotPossibleError where more is held than they allow."""
        if terms.limit < self.held:
            detail = (
                f"{self.held} seats are held, {self.held - int(terms.limit)} more than there would be: "
                "cancel so many, or allow them above the capacity"
            )
            raise NotPossibleError("capacity-below-held", detail)
        # Above the capacity already, they are too many: nobody is seated in their place.
        too_many = terms.capacity is not None and self.held > terms.capacity
        self.terms = replace(terms, shrinks=too_many)
        self._shorten_offers(now)
        self.promote(now)

    def call_off(self) -> None:
        """Cancel every booking: nobody comes."""
        for booking in [b for b in self.bookings.values() if b.state in ACTIVE]:
            self._keep(replace(booking, state="cancelled", offered_until=None))
        self.held = 0

    def promote(self, now: datetime) -> None:
        """Give what is free to those who wait, in the order of their arrival; who does not fit keeps waiting."""
        self._shrink()
        if now >= self.terms.starts_at:
            return
        for booking in self._line():
            if self.free <= 0:
                return
            if booking.seats <= self.free:
                self._give(booking, now)

    def _shorten_offers(self, now: datetime) -> None:
        """Let no open offer reach nearer to the end than one that is made now; who would have no time has the seat."""
        for booking in [b for b in self.bookings.values() if b.offered_until is not None]:
            until = at_most(booking.offered_until or now, now, self.terms.offers_end, self.terms.offers)
            if until != booking.offered_until:
                self._keep(replace(booking, state="registered" if until is None else "offered", offered_until=until))

    def _shrink(self) -> None:
        if self.terms.shrinks and self.terms.capacity is not None:
            self.terms = replace(self.terms, overbooked=max(0, self.held - self.terms.capacity))

    def _line(self) -> Iterator[Booking]:
        yield from sorted((b for b in self.bookings.values() if b.state == "waiting"), key=_turn)

    def _give(self, booking: Booking, now: datetime) -> Booking:
        until = offered_until(now, self.terms.offers_end, self.terms.zone, self.terms.offers)
        self.held += booking.seats
        return self._keep(replace(booking, state="registered" if until is None else "offered", offered_until=until))

    def _seat_or_wait(self, booking: Booking) -> Booking:
        if booking.seats > self.free:
            return self._keep(booking)
        self.held += booking.seats
        return self._keep(replace(booking, state="registered"))

    def _lapse(self, booking: Booking) -> None:
        self.held -= booking.seats
        lapses = booking.lapses + 1
        if lapses >= LAPSES:
            self._keep(replace(booking, state="lapsed", offered_until=None, lapses=lapses))
            return
        self.arrivals += 1
        again = replace(booking, state="waiting", offered_until=None, lapses=lapses, arrival=self.arrivals)
        self._keep(again)

    def _leave(self, booking: Booking, state: State, now: datetime) -> Booking:
        if booking.state in HOLDS:
            self.held -= booking.seats
        left = self._keep(replace(booking, state=state, offered_until=None))
        if booking.state in HOLDS:
            self.promote(now)
        return left

    def _known(self, booking_id: str) -> Booking:
        if (booking := self.bookings.get(booking_id)) is None:
            raise NotPossibleError("booking-unknown", "there is no such booking in this session")
        return booking

    def _keep(self, booking: Booking) -> Booking:
        self.bookings[booking.booking_id] = self.changed[booking.booking_id] = booking
        return booking


def _turn(booking: Booking) -> int:
    return booking.arrival
