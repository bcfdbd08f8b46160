"""Addresses of contacts as keyed hashes, so that a record's preferences name what keeps mail from it."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

# No turn is taken here, else somebody who suppresses would wait for an import. A mark and what it is about are
# committed at once, and whoever states takes marks before it reads.
OF_SUPPRESSIONS = """
    create function mark_preferences_of_suppressions() returns trigger language plpgsql as $$
    begin
        execute $sql$
        insert into section_changes (cluster, record_id)
        select r.cluster, r.record_id from changed c cross join lateral
            (select cluster, record_id from suppression_records where suppression_id = c.suppression_id offset 0) r
        union
        select k.cluster, k.record_id
        from (select distinct address_key from changed where address_key is not null) a cross join lateral
            (select cluster, record_id from contact_keys where address_key = a.address_key offset 0) k
        $sql$;
        return null;
    end $$
"""
OF_SUPPRESSION_RECORDS = """
    create function mark_preferences_of_suppression_records() returns trigger language plpgsql as $$
    begin
        insert into section_changes (cluster, record_id) select distinct cluster, record_id from changed;
        return null;
    end $$
"""
OF_CONTACT_KEYS = """
    create function mark_preferences_of_contact_keys() returns trigger language plpgsql as $$
    begin
        execute $sql$
        insert into section_changes (cluster, record_id)
        select distinct c.cluster, c.record_id from changed c
        where exists (select from suppressions s where s.address_key = c.address_key)
        $sql$;
        return null;
    end $$
"""
TRIGGERS = (
    ("suppressions", "insert", "new"),
    ("suppressions", "update", "new"),
    ("suppression_records", "insert", "new"),
    ("contact_keys", "insert", "new"),
    ("contact_keys", "delete", "old"),
)
ALL = "insert into section_changes (cluster, record_id) select distinct cluster, record_id from suppression_records"


def upgrade() -> None:
    op.create_table(
        "contact_keys",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("address_key", sa.LargeBinary(), nullable=False, comment="HMAC of an address that it has"),
        sa.Column("key_id", sa.Text(), nullable=False, comment="of the secret that address_key was made with"),
        sa.Column("shown", sa.Boolean(), nullable=False, comment="it is its member's, and not its own"),
        sa.ForeignKeyConstraint(["cluster", "record_id"], ["contacts.cluster", "contacts.record_id"]),
        sa.PrimaryKeyConstraint("cluster", "record_id", "address_key"),
    )
    op.create_index("contact_keys_by_address", "contact_keys", ["address_key"])
    for function in (OF_SUPPRESSIONS, OF_SUPPRESSION_RECORDS, OF_CONTACT_KEYS):
        op.execute(function)
    for table, when, rows in TRIGGERS:
        op.execute(
            f"create trigger {table}_{when} after {when} on {table} referencing {rows} table as changed "
            f"for each statement execute function mark_preferences_of_{table}()"
        )
    op.execute(ALL)


def downgrade() -> None:
    for table, when, _ in TRIGGERS:
        op.execute(f"drop trigger {table}_{when} on {table}")
    for table in dict.fromkeys(table for table, _, _ in TRIGGERS):
        op.execute(f"drop function mark_preferences_of_{table}()")
    op.drop_table("contact_keys")
