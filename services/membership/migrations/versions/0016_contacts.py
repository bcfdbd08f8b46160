"""Who is written to for each source record: which must be announced again, and what was announced last."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

# As in 0014, with no lock: a contact is composed of committed rows alone, in one statement.
OF_RECORDS = """
    create function mark_contacts_of_source_records() returns trigger language plpgsql as $$
    begin
        insert into contact_changes (cluster, record_id) select cluster, record_id from changed;
        return null;
    end $$
"""
# Offset 0 and execute: see billing's migration 0008.
OF_VIEWS = """
    create function mark_contacts_of_views() returns trigger language plpgsql as $$
    begin
        execute $sql$
        insert into contact_changes (cluster, record_id)
        select s.cluster, s.record_id from changed c cross join lateral
            (select * from source_records where member_id = c.member_id offset 0) s
        $sql$;
        return null;
    end $$
"""
ALL = "insert into contact_changes (cluster, record_id) select cluster, record_id from source_records"
TABLES = ("source_records", "views")
WHEN = (("inserted", "insert"), ("updated", "update"))


def upgrade() -> None:
    op.create_table(
        "contact_versions",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False, comment="of the newest statement"),
        sa.Column("stated", sa.LargeBinary(), comment="digest of what was stated last"),
        sa.PrimaryKeyConstraint("cluster", "record_id"),
    )
    op.create_table(
        "contact_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("transaction", sa.BigInteger(), server_default=sa.text("txid_current()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("contact_changes_by_transaction", "contact_changes", ["transaction"])
    op.execute(OF_RECORDS)
    op.execute(OF_VIEWS)
    for table in TABLES:
        for name, when in WHEN:
            op.execute(
                f"create trigger {table}_{name}_contacts after {when} on {table} referencing new table as changed "
                f"for each statement execute function mark_contacts_of_{table}()"
            )
    op.execute(ALL)


def downgrade() -> None:
    for table in TABLES:
        for name, _ in WHEN:
            op.execute(f"drop trigger {table}_{name}_contacts on {table}")
        op.execute(f"drop function mark_contacts_of_{table}()")
    op.drop_table("contact_changes")
    op.drop_table("contact_versions")
