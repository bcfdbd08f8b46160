"""Tables of the ledger. Triggers write entries with their cause (migrations 0019, 0022); nothing is ever altered."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TIMESTAMP, UUID


def ledger_tables(metadata: sa.MetaData) -> None:
    """Define them in billing's metadata, so that its migrations own them."""
    sa.Table(
        "entries",
        metadata,
        sa.Column("entry_id", UUID(as_uuid=False), primary_key=True),
        sa.Column("place", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("journal", sa.Text, nullable=False),
        sa.Column("booked_on", sa.Date, nullable=False),
        sa.Column("piece", sa.Text, nullable=False),
        sa.Column("piece_on", sa.Date, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("at", TIMESTAMP(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Index("entries_by_day", "issuer", "booked_on"),
        sa.Index("entries_by_place", "issuer", "place"),
    )
    sa.Table(
        "entry_lines",
        metadata,
        sa.Column("entry_id", UUID(as_uuid=False), sa.ForeignKey("entries.entry_id"), primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("auxiliary", sa.Text),
        sa.Column("debit", sa.Numeric(12, 2), nullable=False),
        sa.Column("credit", sa.Numeric(12, 2), nullable=False),
        sa.CheckConstraint("debit >= 0 and credit >= 0 and (debit = 0) <> (credit = 0)", name="entry_lines_one_side"),
    )
    sa.Table(
        "closings",
        metadata,
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("last_on", sa.Date, nullable=False),
        sa.Column("closed_by", sa.Text, nullable=False),
        sa.Column("closed_key", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", TIMESTAMP(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.PrimaryKeyConstraint("issuer", "last_on", name="closings_pkey"),
    )
