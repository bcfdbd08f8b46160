"""Tables of what is organised here: gatherings, sessions, orders, bookings, people, and the log of every act."""

from typing import get_args

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

from services.events.seats.states import State

_SESSION = "sessions.session_id"
STATES = get_args(State)


def _text(name: str, *, always: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=not always)


def _id(name: str, refers: str | None = None, *, key: bool = False, always: bool = True) -> sa.Column[str]:
    references = [sa.ForeignKey(refers)] if refers else []
    return sa.Column(name, UUID(as_uuid=False), *references, primary_key=key, nullable=not always)


def _moment(name: str, *, always: bool = False) -> sa.Column[object]:
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=not always)


def _at(name: str = "at") -> sa.Column[object]:
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=False, server_default=sa.text("now()"))


def _number(name: str, default: int | None = None, *, always: bool = True) -> sa.Column[int]:
    given = None if default is None else sa.text(str(default))
    return sa.Column(name, sa.BigInteger, nullable=not always, server_default=given)


def _yes(name: str, default: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.text(default))


def seats_tables(metadata: sa.MetaData) -> None:
    """Define them in the metadata of events, so that its migrations own them.

    Whoever writes orders, people and the log holds the session's row: of these no reference to it is checked once more.
    """
    sa.Table(
        "gatherings",
        metadata,
        _id("gathering_id", key=True),
        _text("cluster"),
        _text("event_id", always=False),
        _text("title"),
        *(_text(name, always=False) for name in ("place", "link", "organiser")),
        sa.Column("visible_to", JSONB, nullable=False, server_default=sa.text("'[]'")),
        sa.Column("member_price", sa.Numeric(12, 2), nullable=False, server_default=sa.text("0")),
        sa.Column("guest_price", sa.Numeric(12, 2), nullable=False, server_default=sa.text("0")),
        sa.Column("state", sa.Text, nullable=False, server_default=sa.text("'planned'")),
        _number("version", 0),
        _text("key"),
        *(_text(name) for name in ("author", "reason")),
        _at(),
        sa.UniqueConstraint("cluster", "key", name="gatherings_once"),
        sa.CheckConstraint("state in ('planned', 'cancelled', 'given-back')", name="gatherings_state"),
        sa.CheckConstraint("member_price >= 0 and guest_price >= 0", name="gatherings_prices"),
        sa.Index("gatherings_by_event", "cluster", "event_id"),
    )
    _sessions(metadata)
    _bookings(metadata)
    sa.Table(
        "booking_log",
        metadata,
        _id("session_id", key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        _text("key"),
        _text("act"),
        _id("booking_id", always=False),
        _number("seats", 0),
        _moment("asked_at"),
        _yes("asked", "false"),
        _yes("overruled", "false"),
        sa.Column("terms", JSONB),
        _moment("decided_at", always=True),
        *(_text(name, always=False) for name in ("refusal", "detail", "author", "reason")),
        sa.UniqueConstraint("session_id", "key", name="booking_log_once"),
    )


def _sessions(metadata: sa.MetaData) -> None:
    sa.Table(
        "sessions",
        metadata,
        _id("session_id", key=True),
        _id("gathering_id", "gatherings.gathering_id"),
        _number("place", 0),
        _text("title", always=False),
        _text("local_start"),
        _moment("starts_at", always=True),
        _moment("ends_at"),
        sa.Column("terms", JSONB, nullable=False),
        sa.Column("capacity", sa.BigInteger, sa.Computed("(terms->>'capacity')::bigint", persisted=True)),
        sa.Column("overbooked", sa.BigInteger, sa.Computed("(terms->>'overbooked')::bigint", persisted=True)),
        *(_number(name, 0) for name in ("held", "arrivals", "logged", "sequence")),
        sa.CheckConstraint(
            "held >= 0 and (capacity is null or held <= capacity + overbooked)", name="sessions_never_overfull"
        ),
        sa.Index("sessions_by_gathering", "gathering_id", "place"),
    )


def _bookings(metadata: sa.MetaData) -> None:
    sa.Table(
        "orders",
        metadata,
        _id("order_id", key=True),
        _id("session_id"),
        *(_text(name, always=False) for name in ("cluster", "record_id", "name", "email", "language")),
        _text("author"),
        _moment("placed_at", always=True),
        sa.Index("orders_by_record", "cluster", "record_id", postgresql_where=sa.text("record_id is not null")),
        sa.Index("orders_by_session", "session_id", postgresql_where=sa.text("record_id is not null")),
        sa.Index("orders_by_address", sa.text("lower(email)"), postgresql_where=sa.text("email is not null")),
    )
    sa.Table(
        "bookings",
        metadata,
        _id("booking_id", key=True),
        _id("order_id", "orders.order_id"),
        _id("session_id", _SESSION),
        _number("seats"),
        _number("arrival"),
        _text("state"),
        _moment("offered_until"),
        _number("lapses", 0),
        sa.Column("price", sa.Numeric(12, 2), nullable=False, server_default=sa.text("0")),
        _text("former_id", always=False),
        *(_number(name, 0) for name in ("version", "written")),
        sa.CheckConstraint("seats > 0", name="bookings_seats"),
        sa.CheckConstraint(f"state in {STATES}", name="bookings_state"),
        sa.CheckConstraint("(state = 'offered') = (offered_until is not null)", name="bookings_offers"),
        sa.UniqueConstraint("session_id", "arrival", name="bookings_in_order"),
        sa.Index(
            "bookings_taken_over_once",
            "session_id",
            "former_id",
            unique=True,
            postgresql_where=sa.text("former_id is not null"),
        ),
        sa.Index("bookings_waiting", "session_id", "seats", "arrival", postgresql_where=sa.text("state = 'waiting'")),
        sa.Index("bookings_offered", "offered_until", postgresql_where=sa.text("state = 'offered'")),
        sa.Index("bookings_by_order", "order_id"),
    )
    sa.Table(
        "attendees",
        metadata,
        _id("attendee_id", key=True),
        _id("session_id"),
        _id("booking_id", "bookings.booking_id", always=False),
        _number("place", 0),
        _text("name"),
        *(_text(name, always=False) for name in ("email", "person_key")),
        sa.Column("token_digest", sa.LargeBinary),  # never filled: a person may have several tickets
        _moment("left_at"),
        _moment("attended_at"),
        *(_text(name, always=False) for name in ("attended_by", "attended_with")),
        sa.Index(
            "attendees_by_token", "token_digest", unique=True, postgresql_where=sa.text("token_digest is not null")
        ),
        sa.Index("attendees_by_booking", "booking_id"),
        sa.Index("attendees_by_person", "session_id", "person_key"),
        sa.Index("attendees_by_address", sa.text("lower(email)"), postgresql_where=sa.text("email is not null")),
    )
    sa.Table(
        "booking_bills",
        metadata,
        _id("booking_id", key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("amount", sa.Numeric(12, 2), nullable=False, comment="invoices less credit notes"),
        sa.Column("references", sa.ARRAY(sa.Text), nullable=False),
    )
    sa.Table(
        "checkins",
        metadata,
        _id("session_id", _SESSION, key=True),
        sa.Column("key", sa.Text, primary_key=True),
        _id("attendee_id", "attendees.attendee_id"),
        _moment("at", always=True),
        _text("device", always=False),
        _text("author"),
        _moment("undone_at"),
        sa.Index("checkins_by_attendee", "attendee_id"),
    )
    sa.Table(
        "checkin_passes",
        metadata,
        _id("pass_id", key=True),
        _id("session_id", _SESSION),
        sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
        _text("device", always=False),
        *(_text(name) for name in ("author", "reason")),
        _moment("made_at", always=True),
        _moment("ended_at"),
        *(_text(name, always=False) for name in ("ended_by", "end_reason")),
        sa.Index("checkin_passes_by_session", "session_id"),
    )
    sa.Table(
        "links",
        metadata,
        sa.Column("digest", sa.LargeBinary, primary_key=True),
        _id("booking_id", "bookings.booking_id"),
        _id("attendee_id", "attendees.attendee_id", always=False),
        _moment("at", always=True),
        sa.Column("feed_digest", sa.LargeBinary),  # SHA-256 of the token of the feed that came with it
        sa.Index("links_by_feed", "feed_digest", unique=True, postgresql_where=sa.text("feed_digest is not null")),
        sa.Index("links_by_booking", "booking_id"),
        sa.Index("links_by_attendee", "attendee_id"),
    )
    sa.Table(
        "tickets",
        metadata,
        sa.Column("digest", sa.LargeBinary, primary_key=True),  # SHA-256 of a token that was mailed
        _id("attendee_id", "attendees.attendee_id"),
        _moment("at", always=True),
        _text("former_name", always=False),  # whose it was, where somebody else comes instead: it lets nobody in
        sa.Index("tickets_by_attendee", "attendee_id"),
    )
