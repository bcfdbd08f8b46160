"""Invoices of former systems with lines, VAT of each rate and what was written off; payments of several invoices."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0017"
down_revision = "0016"

MARK = """
    create or replace function mark_accounts_of_payments() returns trigger language plpgsql as $$
    begin
        perform pg_advisory_xact_lock(hashtext('sections'));
        execute $sql$
        insert into section_changes (cluster, record_id)
        select cluster, record_id from changed
        union
        select i.cluster, i.record_id from changed c cross join lateral
            (select * from invoices where cluster = c.cluster and invoice_id = c.invoice_id offset 0) i
        {allocated}
        $sql$;
        return null;
    end $$
"""
ALLOCATED = """
        union
        select i.cluster, i.record_id from changed c
        cross join lateral jsonb_to_recordset(c.allocations) as a (invoice_id text)
        cross join lateral (select * from invoices where cluster = c.cluster and invoice_id = a.invoice_id offset 0) i
"""
"""And of those whose invoices a payment pays a part of."""


def upgrade() -> None:
    none = "none: the former system said none"
    op.add_column("invoices", sa.Column("lines", JSONB(), comment=none))
    op.add_column("invoices", sa.Column("vat_rates", JSONB(), comment=none))
    op.add_column("invoices", sa.Column("written_off", sa.Numeric(12, 2)))
    op.add_column(
        "payments", sa.Column("allocations", JSONB(), comment="the invoices that it pays, where it pays several")
    )
    op.execute(
        "create index payments_by_allocation on payments using gin (allocations jsonb_path_ops) "
        "where allocations is not null"
    )
    op.execute(MARK.format(allocated=ALLOCATED))


def downgrade() -> None:
    op.execute(MARK.format(allocated=""))
    op.drop_index("payments_by_allocation", "payments")
    op.drop_column("payments", "allocations")
    for column in ("written_off", "vat_rates", "lines"):
        op.drop_column("invoices", column)
