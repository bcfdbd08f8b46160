"""What each source record agreed to: which must be stated anew, and what was stated last."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

OF_CONSENTS = """
    create function mark_preferences_of_consents() returns trigger language plpgsql as $$
    begin
        perform pg_advisory_xact_lock(hashtext('sections'));
        insert into section_changes (cluster, record_id) select distinct cluster, record_id from changed;
        return null;
    end $$
"""
ALL = "insert into section_changes (cluster, record_id) select distinct cluster, record_id from consents"
TABLES = ("consents",)


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
    op.execute(OF_CONSENTS)
    for table in TABLES:
        # What a row was, too: it may have been another record's.
        for name, when, rows in (
            ("inserted", "insert", "new"),
            ("updated", "update", "new"),
            ("replaced", "update", "old"),
        ):
            op.execute(
                f"create trigger {table}_{name} after {when} on {table} referencing {rows} table as changed "
                f"for each statement execute function mark_preferences_of_{table}()"
            )
    op.execute(ALL)


def downgrade() -> None:
    for table in TABLES:
        for name in ("inserted", "updated", "replaced"):
            op.execute(f"drop trigger {table}_{name} on {table}")
        op.execute(f"drop function mark_preferences_of_{table}()")
    op.drop_table("section_changes")
    op.drop_table("section_versions")
