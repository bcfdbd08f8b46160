"""The account of each source record: which must be stated anew, and what was stated last."""

import sqlalchemy as sa
from alembic import op

from services.common.migration_steps import drop_section_tables, make_section_tables, mark_changes, unmark_changes

revision = "0008"
down_revision = "0007"

# Offset 0 makes the planner look up each changed row by its key, and execute makes it plan each time: a plan that a
# function made while the table was empty reads much of it for each row, so an import would be quadratic.
OF_INVOICES = """
    create function mark_accounts_of_invoices() returns trigger language plpgsql as $$
    begin
        perform pg_advisory_xact_lock(hashtext('sections'));
        execute $sql$
        insert into section_changes (cluster, record_id)
        select cluster, record_id from changed
        union
        select i.cluster, i.record_id from changed c cross join lateral
            (select * from invoices where cluster = c.cluster and invoice_id = c.corrects offset 0) i
        union
        select i.cluster, i.record_id from changed c cross join lateral
            (select * from invoices where cluster = c.cluster and corrects = c.invoice_id offset 0) i
        $sql$;
        return null;
    end $$
"""
"""Whose account an invoice concerns: its own record's, and those of what it corrects and what corrects it."""
OF_PAYMENTS = """
    create function mark_accounts_of_payments() returns trigger language plpgsql as $$
    begin
        perform pg_advisory_xact_lock(hashtext('sections'));
        execute $sql$
        insert into section_changes (cluster, record_id)
        select cluster, record_id from changed
        union
        select i.cluster, i.record_id from changed c cross join lateral
            (select * from invoices where cluster = c.cluster and invoice_id = c.invoice_id offset 0) i
        $sql$;
        return null;
    end $$
"""
"""Whose account a payment concerns: its own record's, and that of the invoice that it pays."""
ALL = """
    insert into section_changes (cluster, record_id)
    select cluster, record_id from invoices union select cluster, record_id from payments
"""
TABLES = ("invoices", "payments")


def upgrade() -> None:
    make_section_tables()
    op.create_index(
        "invoices_by_corrected", "invoices", ["cluster", "corrects"], postgresql_where=sa.text("corrects is not null")
    )
    op.create_index(
        "payments_by_invoice", "payments", ["cluster", "invoice_id"], postgresql_where=sa.text("invoice_id is not null")
    )
    op.execute(OF_INVOICES)
    op.execute(OF_PAYMENTS)
    mark_changes("accounts", TABLES)
    op.execute(ALL)


def downgrade() -> None:
    unmark_changes("accounts", TABLES)
    op.drop_index("payments_by_invoice", "payments")
    op.drop_index("invoices_by_corrected", "invoices")
    drop_section_tables()
