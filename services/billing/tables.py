"""Billing's tables: mirrors of invoices and payments under the former systems' own ids, and the messaging tables."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from services.billing.charges.tables import charges_tables
from services.billing.documents.tables import documents_tables
from services.billing.dues.tables import dues_tables
from services.billing.ledger.tables import ledger_tables
from services.billing.payments.tables import payments_tables
from services.billing.reminders.tables import reminders_tables
from services.common.member_records import member_records_table
from services.common.sections import section_tables
from services.conflicts.tables import merge_conflicts_table
from services.cutover.parity.tables import parity_tables
from services.cutover.tables import cutover_tables
from shared.messaging.tables import messaging_tables
from shared.persistence.mirror import mirror_columns

metadata = sa.MetaData()
messaging = messaging_tables(metadata)
cutover = cutover_tables(metadata)
parity = parity_tables(metadata)
member_records = member_records_table(metadata)
merge_conflicts = merge_conflicts_table(metadata)
section_tables(metadata)

descriptions = sa.Table(
    "descriptions",
    metadata,
    sa.Column("cluster", sa.Text, primary_key=True),
    sa.Column("record_id", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False, comment="of the newest description"),
    sa.Column("document", sa.JSON, nullable=False, comment="the fact, as membership announced it"),
)

dues_tables(metadata)
documents_tables(metadata)
payments_tables(metadata)
ledger_tables(metadata)
reminders_tables(metadata)
charges_tables(metadata)

invoices = sa.Table(
    "invoices",
    metadata,
    *mirror_columns("invoice_id"),
    sa.Column("record_id", sa.Text, nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("corrects", sa.Text),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("label", sa.Text),
    sa.Column("issued_on", sa.Date, nullable=False),
    sa.Column("due_on", sa.Date),
    sa.Column("period_starts_on", sa.Date),
    sa.Column("period_ends_on", sa.Date),
    sa.Column("net", sa.Numeric(12, 2), nullable=False),
    sa.Column("vat", sa.Numeric(12, 2), nullable=False),
    sa.Column("gross", sa.Numeric(12, 2), nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("lines", JSONB, comment="none: the former system said none"),
    sa.Column("vat_rates", JSONB, comment="none: the former system said none"),
    sa.Column("written_off", sa.Numeric(12, 2)),
    sa.Index("invoices_by_record", "cluster", "record_id"),
    sa.Index("invoices_by_number", "cluster", "number"),
    sa.Index("invoices_by_corrected", "cluster", "corrects", postgresql_where=sa.text("corrects is not null")),
)

payments = sa.Table(
    "payments",
    metadata,
    *mirror_columns("payment_id"),
    sa.Column("record_id", sa.Text, nullable=False),
    sa.Column("invoice_id", sa.Text),
    sa.Column("paid_on", sa.Date, nullable=False),
    sa.Column("amount", sa.Numeric(12, 2), nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("method", sa.Text),
    sa.Column("allocations", JSONB, comment="the invoices that it pays, where it pays several"),
    sa.Index("payments_by_record", "cluster", "record_id"),
    sa.Index("payments_by_invoice", "cluster", "invoice_id", postgresql_where=sa.text("invoice_id is not null")),
    sa.Index(
        "payments_by_allocation",
        "allocations",
        postgresql_using="gin",
        postgresql_ops={"allocations": "jsonb_path_ops"},
        postgresql_where=sa.text("allocations is not null"),
    ),
)
