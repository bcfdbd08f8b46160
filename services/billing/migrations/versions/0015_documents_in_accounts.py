"""Documents that were issued here are part of the account of their record, and each account states its periods."""

from alembic import op

revision = "0015"
down_revision = "0014"

OF_DOCUMENTS = """
    create function mark_accounts_of_documents() returns trigger language plpgsql as $$
    begin
        perform pg_advisory_xact_lock(hashtext('sections'));
        insert into section_changes (cluster, record_id) select distinct cluster, record_id from changed;
        return null;
    end $$
"""
TRIGGER = """
    create trigger documents_inserted after insert on documents referencing new table as changed
    for each statement execute function mark_accounts_of_documents()
"""
ALL = """
    insert into section_changes (cluster, record_id)
    select cluster, record_id from invoices union select cluster, record_id from documents
"""
"""Periods are new in every account that names any."""
BY_NUMBER = "create index invoices_by_number on invoices (cluster, number)"


def upgrade() -> None:
    op.execute(BY_NUMBER)
    op.execute(OF_DOCUMENTS)
    op.execute(TRIGGER)
    op.execute(ALL)


def downgrade() -> None:
    op.execute("drop trigger documents_inserted on documents")
    op.execute("drop function mark_accounts_of_documents()")
    op.execute("drop index invoices_by_number")
