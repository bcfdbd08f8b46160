"""What each source record registered for: which must be stated anew, and what was stated last."""

import sqlalchemy as sa
from alembic import op

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
    op.create_table(
        "section_versions",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False, comment="of the newest statement"),
        sa.Column("stated", sa.LargeBinary(), comment="digest of what was stated last"),
        sa.PrimaryKeyConstraint("cluster", "record_id"),
    )
    op.create_table(
        "section_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("transaction", sa.BigInteger(), server_default=sa.text("txid_current()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("section_changes_by_transaction", "section_changes", ["transaction"])
    op.execute(OF_EVENTS)
    op.execute(OF_REGISTRATIONS)
    for table in TABLES:
        # What a row was, too: it may have been another record's.
        for name, when, rows in (
            ("inserted", "insert", "new"),
            ("updated", "update", "new"),
            ("replaced", "update", "old"),
        ):
            op.execute(
                f"create trigger {table}_{name} after {when} on {table} referencing {rows} table as changed "
                f"for each statement execute function mark_participations_of_{table}()"
            )
    op.execute(ALL)


def downgrade() -> None:
    for table in TABLES:
        for name in ("inserted", "updated", "replaced"):
            op.execute(f"drop trigger {table}_{name} on {table}")
        op.execute(f"drop function mark_participations_of_{table}()")
    op.drop_table("section_changes")
    op.drop_table("section_versions")
