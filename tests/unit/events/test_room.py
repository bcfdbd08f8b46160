"""The rule of seats: what holds after every act, in whatever order they come, and that its log leads to the same."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.events.seats.acts import Act, Kind, Logged, do, replay
from services.events.seats.offers import OfferTerms, offered_until
from services.events.seats.room import Booking, NotPossibleError, Room, Terms
from services.events.seats.states import ACTIVE, HOLDS

MONDAY = datetime(2027, 3, 1, 9, tzinfo=UTC)
STARTS = MONDAY + timedelta(days=24)


def terms(capacity: int | None = 3, **more: object) -> Terms:
    usual: dict[str, object] = {"starts_at": STARTS, "zone": "UTC"}
    return Terms(capacity=capacity, **{**usual, **more})  # type: ignore[arg-type]


class Seats(RuleBasedStateMachine):
    """Anything that may happen to a session, by a clock that only goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.first = terms(4)
        self.room = Room(self.first)
        self.now = MONDAY
        self.log: list[Logged] = []
        self.count = 0
        self.preferred: set[str] = set()
        self.last_arrival = 0

    def act(self, act: Act) -> None:
        """Carry it out, and log it as it was: done, or refused."""
        refusal = None
        try:
            do(self.room, act, self.now)
        except NotPossibleError as error:
            refusal = error.kind
        self.log.append(Logged(act, self.now, refusal))

    def some(self, number: int) -> str:
        """A booking, or one that does not exist."""
        ids = list(self.room.bookings)
        return ids[number % len(ids)] if ids else "nobody"

    @rule(seats=st.integers(1, 4), asked=st.booleans())
    def register(self, seats: int, *, asked: bool) -> None:
        self.count += 1
        self.act(Act(kind="register", booking_id=f"b{self.count}", seats=seats, asked=asked and self.count % 5 == 0))

    @rule(
        number=st.integers(0, 50),
        kind=st.sampled_from(["cancel", "accept", "decline", "same-people", "other-people", "prefer"]),
        overruled=st.booleans(),
    )
    def decide(self, number: int, kind: Kind, *, overruled: bool) -> None:
        if kind == "prefer":
            self.preferred.add(self.some(number))
        self.act(Act(kind=kind, booking_id=self.some(number), overruled=overruled))

    @rule(number=st.integers(0, 50), by=st.integers(1, 3))
    def reduce(self, number: int, by: int) -> None:
        self.act(Act(kind="reduce", booking_id=self.some(number), seats=by))

    @rule(capacity=st.none() | st.integers(0, 8), over=st.integers(0, 3), earlier=st.integers(0, 24 * 23))
    def change(self, capacity: int | None, over: int, earlier: int) -> None:
        starts_at = STARTS - timedelta(hours=earlier)
        self.act(Act(kind="change", terms=terms(capacity, overbooked=over, starts_at=starts_at)))

    @rule(hours=st.integers(1, 60))
    @precondition(lambda self: self.now < STARTS)
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        self.act(Act(kind="settle"))

    @invariant()
    def no_seat_is_given_twice(self) -> None:
        held = sum(booking.seats for booking in self.room.bookings.values() if booking.state in HOLDS)
        assert held == self.room.held
        assert 0 <= held <= self.room.terms.limit

    @invariant()
    def nobody_waits_who_fits(self) -> None:
        if self.now < self.room.terms.starts_at:
            waiting = [booking for booking in self.room.bookings.values() if booking.state == "waiting"]
            assert all(booking.seats > self.room.free for booking in waiting)

    @invariant()
    def arrivals_only_grow(self) -> None:
        arrivals = [booking.arrival for booking in self.room.bookings.values()]
        assert len(set(arrivals)) == len(arrivals)
        assert max(arrivals, default=0) <= self.room.arrivals
        assert self.room.arrivals >= self.last_arrival
        self.last_arrival = self.room.arrivals

    @invariant()
    def an_offer_has_an_end_and_nothing_else_has(self) -> None:
        for booking in self.room.bookings.values():
            assert (booking.state == "offered") == (booking.offered_until is not None)
            latest = self.room.terms.offers_end - self.room.terms.offers.at_once_within
            assert booking.offered_until is None or self.now < booking.offered_until <= latest

    @invariant()
    def the_log_leads_to_the_same(self) -> None:
        again = replay(self.first, self.log)
        assert (again.bookings, again.held, again.arrivals) == (self.room.bookings, self.room.held, self.room.arrivals)


TestSeats = Seats.TestCase


def filled(*seats: int, capacity: int = 3) -> Room:
    """Bookings b1, b2… of so many seats."""
    room = Room(terms(capacity))
    for number, each in enumerate(seats, start=1):
        room.register(f"b{number}", each)
    return room


def states(room: Room) -> list[str]:
    return [booking.state for booking in sorted(room.bookings.values(), key=lambda booking: booking.arrival)]


def test_whoever_waits_longest_and_fits_is_offered_first() -> None:
    room = filled(2, 1, 2, 1, 1)
    do(room, Act(kind="cancel", booking_id="b2"), MONDAY)
    assert states(room) == ["registered", "cancelled", "waiting", "offered", "waiting"]


def test_a_lapsed_offer_is_looked_at_before_a_later_registration() -> None:
    room = filled(3, 2)
    do(room, Act(kind="cancel", booking_id="b1"), MONDAY)
    assert room.bookings["b2"].offered_until == MONDAY + timedelta(days=2)
    new = do(room, Act(kind="register", booking_id="b3", seats=3), MONDAY + timedelta(days=3))
    # The lapsed booking is at the end of the line, and nobody else waits: it is asked once more.
    assert new is not None
    assert (new.state, room.bookings["b2"].state, room.bookings["b2"].lapses) == ("waiting", "offered", 1)


def test_an_offer_that_is_answered_a_moment_too_late_is_none() -> None:
    room = filled(3, 1)
    do(room, Act(kind="cancel", booking_id="b1"), MONDAY)
    room.register("b3", 3)
    ends = room.bookings["b2"].offered_until
    assert ends is not None
    with pytest.raises(NotPossibleError, match="the offer lapsed"):
        # Both wait now, and b3 came before it in the new line: it fits, and is offered the seats.
        do(room, Act(kind="accept", booking_id="b2"), ends)
    assert room.bookings["b3"].state == "offered"


@pytest.mark.parametrize(
    ("at", "kind"),
    [
        (MONDAY - timedelta(days=1, seconds=1), "not-open-yet"),
        (MONDAY - timedelta(days=1), None),
        (MONDAY + timedelta(days=1), None),
        (MONDAY + timedelta(days=1, seconds=1), "list-closed"),
    ],
)
def test_a_second_after_the_deadline_is_late(at: datetime, kind: str | None) -> None:
    room = Room(terms(opens_at=MONDAY - timedelta(days=1), closes_at=MONDAY + timedelta(days=1)))
    act = Act(kind="register", booking_id="b1", seats=1, at=at)
    if kind is None:
        assert do(room, act, MONDAY)
        return
    with pytest.raises(NotPossibleError) as error:
        do(room, act, MONDAY)
    assert error.value.kind == kind


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (MONDAY, MONDAY + timedelta(days=2)),
        (datetime(2027, 3, 4, 18, tzinfo=UTC), datetime(2027, 3, 8, 12, tzinfo=UTC)),  # would end on Saturday
        (
            datetime(2027, 3, 2, 20, tzinfo=UTC),
            datetime(2027, 3, 5, 12, tzinfo=UTC),
        ),  # would end at eight in the evening
        (datetime(2027, 3, 2, 7, tzinfo=UTC), datetime(2027, 3, 4, 12, tzinfo=UTC)),  # would end before people work
        (STARTS - timedelta(days=1), STARTS - timedelta(hours=6)),
        (STARTS - timedelta(hours=8), STARTS - timedelta(hours=6)),
        (STARTS - timedelta(hours=7, minutes=59), None),
    ],
)
def test_an_offer_ends_while_people_work_and_long_enough_before_the_beginning(
    now: datetime, until: datetime | None
) -> None:
    assert offered_until(now, STARTS, "UTC", OfferTerms()) == until


def test_twenty_five_offers_of_a_friday_evening_do_not_lapse_over_the_weekend() -> None:
    # The first year, case 8: Friday 18:00, the gathering is on Tuesday 8:30, and nobody reads.
    friday = datetime(2027, 3, 5, 17, tzinfo=UTC)
    until = offered_until(friday, datetime(2027, 3, 9, 7, 30, tzinfo=UTC), "Europe/Paris", OfferTerms())
    assert until == datetime(2027, 3, 8, 11, tzinfo=UTC)


def test_a_session_without_a_capacity_lets_nobody_wait() -> None:
    room = Room(terms(None))
    assert {room.register(f"b{number}", 20).state for number in range(50)} == {"registered"}


def test_what_the_log_says_and_the_rule_does_not_is_noticed() -> None:
    full = Act(kind="register", booking_id="b1", seats=1)
    with pytest.raises(ValueError, match="the rule does it"):
        replay(terms(), [Logged(full, MONDAY, "session-full")])
    with pytest.raises(ValueError, match="the rule says no-offer"):
        replay(terms(), [Logged(full, MONDAY, None), Logged(Act(kind="decline", booking_id="b1"), MONDAY, "x")])


def test_states_that_hold_are_active() -> None:
    assert HOLDS < ACTIVE
    assert Booking(booking_id="b", seats=1, arrival=1, state="asked").state in ACTIVE - HOLDS
