"""What billing must know of each source record: which must be described anew, and what was described last."""

from alembic import op

from services.common.migration_steps import drop_section_tables, make_section_tables

revision = "0014"
down_revision = "0013"

# No lock here, unlike the other services' marks: a description is composed of committed rows alone, in one statement,
# and whoever commits later leaves a mark of their own.
OF_RECORDS = """
    create function mark_descriptions_of_source_records() returns trigger language plpgsql as $$
    begin
        insert into section_changes (cluster, record_id) select cluster, record_id from changed;
        return null;
    end $$
"""
# Offset 0 and execute: see billing's migration 0008.
OF_VIEWS = """
    create function mark_descriptions_of_views() returns trigger language plpgsql as $$
    begin
        execute $sql$
        insert into section_changes (cluster, record_id)
        select s.cluster, s.record_id from changed c cross join lateral
            (select * from source_records where member_id = c.member_id offset 0) s
        $sql$;
        return null;
    end $$
"""
ALL = "insert into section_changes (cluster, record_id) select cluster, record_id from source_records"
TABLES = ("source_records", "views")
WHEN = (("inserted", "insert"), ("updated", "update"))


def upgrade() -> None:
    make_section_tables()
    op.execute(OF_RECORDS)
    op.execute(OF_VIEWS)
    for table in TABLES:
        for name, when in WHEN:
            op.execute(
                f"create trigger {table}_{name} after {when} on {table} referencing new table as changed "
                f"for each statement execute function mark_descriptions_of_{table}()"
            )
    op.execute(ALL)


def downgrade() -> None:
    for table in TABLES:
        for name, _ in WHEN:
            op.execute(f"drop trigger {table}_{name} on {table}")
        op.execute(f"drop function mark_descriptions_of_{table}()")
    drop_section_tables()
