"""Gatherings with capacity, a last day and sessions; registrations of guests and of other clusters' records."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0010"
down_revision = "0009"

OF_EVENTS = """
    create or replace function mark_participations_of_events() returns trigger language plpgsql as $$
    begin
        perform pg_advisory_xact_lock(hashtext('sections'));
        execute $sql$
        insert into section_changes (cluster, record_id)
        select distinct r.cluster, r.record_id from changed c cross join lateral
            (select * from registrations where cluster = c.cluster and event_id = c.event_id offset 0) r{}
        $sql$;
        return null;
    end $$
"""
OF_REGISTRATIONS = """
    create or replace function mark_participations_of_registrations() returns trigger language plpgsql as $$
    begin
        perform pg_advisory_xact_lock(hashtext('sections'));
        insert into section_changes (cluster, record_id) select distinct cluster, record_id from changed{};
        return null;
    end $$
"""


def upgrade() -> None:
    op.add_column("events", sa.Column("capacity", sa.Integer()))
    op.add_column("events", sa.Column("closes_at", TIMESTAMP(timezone=True)))
    op.add_column("events", sa.Column("sessions", sa.JSON()))
    op.add_column("registrations", sa.Column("registrant", sa.JSON()))
    op.alter_column("registrations", "record_id", nullable=True)
    op.execute(OF_EVENTS.format(" where r.record_id is not null"))
    op.execute(OF_REGISTRATIONS.format(" where record_id is not null"))


def downgrade() -> None:
    op.execute(OF_EVENTS.format(""))
    op.execute(OF_REGISTRATIONS.format(""))
    op.execute("delete from registrations where record_id is null")
    op.alter_column("registrations", "record_id", nullable=False)
    op.drop_column("registrations", "registrant")
    op.drop_column("events", "sessions")
    op.drop_column("events", "closes_at")
    op.drop_column("events", "capacity")
