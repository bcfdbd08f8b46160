"""Consents and recipients that are known by an address alone, and the history of consents, which is only added to."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

from services.common.migration_steps import mark_changes, unmark_changes

revision = "0013"
down_revision = "0012"

OF_RECORDS = """
    create or replace function mark_preferences_of_consents() returns trigger language plpgsql as $$
    begin
        perform pg_advisory_xact_lock(hashtext('sections'));
        insert into section_changes (cluster, record_id) select distinct cluster, record_id from changed;
        return null;
    end $$
"""
# Offset 0 and execute: see billing's migration 0008.
OF_RECORDS_AND_ADDRESSES = """
    create or replace function mark_preferences_of_consents() returns trigger language plpgsql as $$
    begin
        perform pg_advisory_xact_lock(hashtext('sections'));
        insert into section_changes (cluster, record_id)
        select distinct cluster, record_id from changed where record_id is not null;
        execute $sql$
        insert into section_changes (cluster, record_id)
        select c.cluster, c.record_id
        from (select distinct address_key from changed where address_key is not null) a cross join lateral (
            select cluster, record_id from contacts where address = a.address_key
            union select cluster, record_id from contacts where shown_address = a.address_key offset 0) c
        $sql$;
        return null;
    end $$
"""
OF_CONTACTS = """
    create function mark_preferences_of_contacts() returns trigger language plpgsql as $$
    begin
        perform pg_advisory_xact_lock(hashtext('sections'));
        execute $sql$
        insert into section_changes (cluster, record_id)
        select c.cluster, c.record_id from changed c
        where exists (select from consents k where k.address_key = c.address)
           or exists (select from consents k where k.address_key = c.shown_address)
        $sql$;
        return null;
    end $$
"""
COLUMNS = "cluster, consent_id, {}, version, record_id, channel, purpose, status, brand, decided_at, proof"
HISTORY = f"""
    insert into consent_history ({COLUMNS.format("content")}) select {COLUMNS.format("digest")} from consents
"""


def upgrade() -> None:
    op.alter_column("consents", "record_id", nullable=True)
    op.add_column("consents", sa.Column("address", sa.Text()))
    op.add_column("consents", sa.Column("wording", sa.Text()))
    op.add_column("consents", sa.Column("source", sa.Text()))
    op.add_column("consents", sa.Column("address_key", sa.Text(), comment="address, normalised"))
    op.create_index(
        "consents_by_address", "consents", ["address_key"], postgresql_where=sa.text("address_key is not null")
    )
    op.create_table(
        "consent_history",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("consent_id", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="digest of what was said, whatever its version"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="of the telling that said it first"),
        sa.Column("record_id", sa.Text()),
        sa.Column("address_key", sa.Text(), comment="the address, normalised"),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("brand", sa.Text()),
        sa.Column("decided_at", TIMESTAMP(timezone=True), nullable=False),
        sa.Column("proof", sa.Text()),
        sa.Column("wording", sa.Text()),
        sa.Column("source", sa.Text()),
        sa.Column("received_at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "suppressed", sa.Boolean(), server_default=sa.false(), nullable=False, comment="if it objects: it is"
        ),
        sa.PrimaryKeyConstraint("cluster", "consent_id", "content"),
    )
    op.create_index("consent_history_by_record", "consent_history", ["cluster", "record_id"])
    op.create_index(
        "consent_history_waiting",
        "consent_history",
        ["cluster", "consent_id"],
        postgresql_where=sa.text("not suppressed and status in ('refused', 'withdrawn')"),
    )
    op.create_index(
        "consent_history_by_address",
        "consent_history",
        ["address_key"],
        postgresql_where=sa.text("address_key is not null"),
    )
    op.create_table(
        "address_recipients",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("mailing_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False, comment="as written"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="of the newest telling that names it"),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column(
            "applied_late",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="of its mailing, when that telling came",
        ),
        sa.Column("address_key", sa.Text(), comment="normalised; null if it is no address"),
        sa.PrimaryKeyConstraint("cluster", "mailing_id", "address"),
    )
    op.create_index("address_recipients_by_address", "address_recipients", ["address_key"])
    op.execute(OF_RECORDS_AND_ADDRESSES)
    op.execute(OF_CONTACTS)
    mark_changes("preferences", ("contacts",))
    op.execute(HISTORY)


def downgrade() -> None:
    unmark_changes("preferences", ("contacts",))
    op.execute(OF_RECORDS)
    op.execute("delete from consents where record_id is null")
    op.drop_table("address_recipients")
    op.drop_table("consent_history")
    op.drop_index("consents_by_address", "consents")
    for column in ("address_key", "source", "wording", "address"):
        op.drop_column("consents", column)
    op.alter_column("consents", "record_id", nullable=False)
