"""What each source record registered for: which must be stated anew, and what was stated last."""

from alembic import op

from services.common.migration_steps import drop_section_tables, make_section_tables, mark_changes, unmark_changes

revision = "0008"
down_revision = "0007"

# Offset 0 makes the planner look up each changed row by its key, and execute makes it plan each time: a plan that a
# function made while the table was empty reads much of it for each row, so an import would be quadratic.
OF_EVENTS = """
    create function mark_participations_of_events() returns trigger language plpgsql as $$
    begin
        perform pg_advisory_xact_lock(hashtext('sections'));
        execute $sql$
        insert into section_changes (cluster, record_id)
        select distinct r.cluster, r.record_id from changed c cross join lateral
            (select * from registrations where cluster = c.cluster and event_id = c.event_id offset 0) r
        $sql$;
        return null;
    end $$
"""
OF_REGISTRATIONS = """
    create function mark_participations_of_registrations() returns trigger language plpgsql as $$
    begin
        perform pg_advisory_xact_lock(hashtext('sections'));
        insert into section_changes (cluster, record_id) select distinct cluster, record_id from changed;
        return null;
    end $$
"""
ALL = "insert into section_changes (cluster, record_id) select distinct cluster, record_id from registrations"
TABLES = ("events", "registrations")


def upgrade() -> None:
    make_section_tables()
    op.execute(OF_EVENTS)
    op.execute(OF_REGISTRATIONS)
    mark_changes("participations", TABLES)
    op.execute(ALL)


def downgrade() -> None:
    unmark_changes("participations", TABLES)
    drop_section_tables()
