"""Gatherings that are organised here: sessions, orders, bookings, people, and the log of every act."""

from alembic import op

revision = "0011"
down_revision = "0010"

TABLES = (
    """
    create table gatherings (
        gathering_id uuid not null,
        cluster text not null,
        event_id text,
        title text not null,
        place text,
        link text,
        organiser text,
        visible_to jsonb default '[]' not null,
        member_price numeric(12, 2) default 0 not null,
        guest_price numeric(12, 2) default 0 not null,
        state text default 'planned' not null,
        version bigint default 0 not null,
        key text not null,
        author text not null,
        reason text not null,
        at timestamptz default now() not null,
        primary key (gathering_id),
        constraint gatherings_once unique (cluster, key),
        constraint gatherings_state check (state in ('planned', 'cancelled', 'given-back')),
        constraint gatherings_prices check (member_price >= 0 and guest_price >= 0)
    )
    """,
    "create index gatherings_by_event on gatherings (cluster, event_id)",
    """
    create table sessions (
        session_id uuid not null,
        gathering_id uuid not null,
        place bigint default 0 not null,
        title text,
        local_start text not null,
        starts_at timestamptz not null,
        ends_at timestamptz,
        terms jsonb not null,
        capacity bigint generated always as ((terms->>'capacity')::bigint) stored,
        overbooked bigint generated always as ((terms->>'overbooked')::bigint) stored,
        held bigint default 0 not null,
        arrivals bigint default 0 not null,
        logged bigint default 0 not null,
        sequence bigint default 0 not null,
        primary key (session_id),
        constraint sessions_never_overfull check (held >= 0 and (capacity is null or held <= capacity + overbooked)),
        foreign key (gathering_id) references gatherings (gathering_id)
    )
    """,
    "create index sessions_by_gathering on sessions (gathering_id, place)",
    """
    create table orders (
        order_id uuid not null,
        session_id uuid not null,
        cluster text,
        record_id text,
        name text,
        email text,
        language text,
        author text not null,
        placed_at timestamptz not null,
        primary key (order_id)
    )
    """,
    "create index orders_by_record on orders (cluster, record_id) where record_id is not null",
    "create index orders_by_session on orders (session_id) where record_id is not null",
    """
    create table bookings (
        booking_id uuid not null,
        order_id uuid not null,
        session_id uuid not null,
        seats bigint not null,
        arrival bigint not null,
        state text not null,
        offered_until timestamptz,
        lapses bigint default 0 not null,
        price numeric(12, 2) default 0 not null,
        former_id text,
        version bigint default 0 not null,
        written bigint default 0 not null,
        primary key (booking_id),
        constraint bookings_seats check (seats > 0),
        constraint bookings_state check (
            state in ('registered', 'offered', 'waiting', 'asked', 'cancelled', 'declined', 'lapsed')),
        constraint bookings_offers check ((state = 'offered') = (offered_until is not null)),
        constraint bookings_in_order unique (session_id, arrival),
        foreign key (order_id) references orders (order_id),
        foreign key (session_id) references sessions (session_id)
    )
    """,
    """
    create unique index bookings_taken_over_once on bookings (session_id, former_id) where former_id is not null
    """,
    "create index bookings_by_order on bookings (order_id)",
    "create index bookings_offered on bookings (offered_until) where state = 'offered'",
    "create index bookings_waiting on bookings (session_id, seats, arrival) where state = 'waiting'",
    """
    create table attendees (
        attendee_id uuid not null,
        session_id uuid not null,
        booking_id uuid,
        place bigint default 0 not null,
        name text not null,
        email text,
        person_key text,
        token_digest bytea,
        left_at timestamptz,
        attended_at timestamptz,
        attended_by text,
        attended_with text,
        primary key (attendee_id),
        foreign key (booking_id) references bookings (booking_id)
    )
    """,
    "create unique index attendees_by_token on attendees (token_digest) where token_digest is not null",
    "create index attendees_by_booking on attendees (booking_id)",
    "create index attendees_by_person on attendees (session_id, person_key)",
    """
    create table checkins (
        session_id uuid not null,
        key text not null,
        attendee_id uuid not null,
        at timestamptz not null,
        device text,
        author text not null,
        undone_at timestamptz,
        primary key (session_id, key),
        foreign key (session_id) references sessions (session_id),
        foreign key (attendee_id) references attendees (attendee_id)
    )
    """,
    "create index checkins_by_attendee on checkins (attendee_id)",
    """
    create table booking_log (
        session_id uuid not null,
        number bigint not null,
        key text not null,
        act text not null,
        booking_id uuid,
        seats bigint default 0 not null,
        asked_at timestamptz,
        asked boolean default false not null,
        overruled boolean default false not null,
        terms jsonb,
        decided_at timestamptz not null,
        refusal text,
        detail text,
        author text,
        reason text,
        primary key (session_id, number),
        constraint booking_log_once unique (session_id, key)
    )
    """,
)
# Marks alone: a task states these records from what is committed. To state them at once would let all sessions wait for
# one another.
OF_BOOKINGS = """
    create function mark_participations_of_bookings() returns trigger language plpgsql as $$
    begin
        insert into section_changes (cluster, record_id)
        select distinct o.cluster, o.record_id from changed c cross join lateral
            (select * from orders where order_id = c.order_id offset 0) o where o.record_id is not null;
        return null;
    end $$
"""
OF_SESSIONS = """
    create function mark_participations_of_gatherings() returns trigger language plpgsql as $$
    begin
        insert into section_changes (cluster, record_id)
        select distinct o.cluster, o.record_id
        from changed c join sessions s using (gathering_id) join orders o using (session_id)
        where o.record_id is not null;
        return null;
    end $$
"""
MARKS = (
    """
    create trigger mark_participations_inserted after insert on bookings referencing new table as changed
    for each statement execute function mark_participations_of_bookings()
    """,
    """
    create trigger mark_participations_updated after update on bookings referencing new table as changed
    for each statement execute function mark_participations_of_bookings()
    """,
    """
    create trigger mark_participations_updated after update on gatherings referencing new table as changed
    for each statement execute function mark_participations_of_gatherings()
    """,
)
FUNCTIONS = ("mark_participations_of_bookings", "mark_participations_of_gatherings")
NAMES = ("booking_log", "checkins", "attendees", "bookings", "orders", "sessions", "gatherings")


def upgrade() -> None:
    for statement in (*TABLES, OF_BOOKINGS, OF_SESSIONS, *MARKS):
        op.execute(statement)


def downgrade() -> None:
    for name in NAMES:
        op.execute(f"drop table {name}")
    for name in FUNCTIONS:
        op.execute(f"drop function {name}")
