"""Tables of suppressions: what must not be written to, since when, by whose word; and what lifted it."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TIMESTAMP


def suppression_tables(metadata: sa.MetaData) -> None:
    """Define them in the service's metadata, so that its migrations own them."""
    sa.Table(
        "suppressions",
        metadata,
        sa.Column("suppression_id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("cause", sa.Text, nullable=False),  # what it was learned from: each cause makes one
        sa.Column("key_id", sa.Text),  # of the secret that address_key was made with
        sa.Column("address_key", sa.LargeBinary),  # HMAC of the normalised address; null: its records alone
        sa.Column("covers", sa.Text, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False, server_default="*"),  # of bulk mail; * for every purpose
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("at", TIMESTAMP(timezone=True), nullable=False),
        sa.Column("lifted_at", TIMESTAMP(timezone=True)),
        sa.Column("lifted_by", sa.Text),
        sa.Column("proof", sa.Text),  # where the proof is kept that it may be lifted
        sa.CheckConstraint("covers in ('everything', 'bulk')", name="suppressions_covers"),
        sa.CheckConstraint("(key_id is null) = (address_key is null)", name="suppressions_key"),
        sa.CheckConstraint("(lifted_at is null) = (lifted_by is null)", name="suppressions_lifted"),
        sa.UniqueConstraint("cause", name="suppressions_cause"),
        sa.Index("suppressions_by_address", "address_key"),
    )
    sa.Table(
        "suppression_records",
        metadata,
        sa.Column("suppression_id", sa.BigInteger, sa.ForeignKey("suppressions.suppression_id"), primary_key=True),
        sa.Column("cluster", sa.Text, primary_key=True),
        sa.Column("record_id", sa.Text, primary_key=True),
        sa.Index("suppression_records_by_record", "cluster", "record_id"),
    )
    sa.Table(
        "unmatched_objections",
        metadata,
        sa.Column("token_hash", sa.LargeBinary, primary_key=True),
        sa.Column("act", sa.Text, primary_key=True),
        sa.Column("scope", sa.Text, primary_key=True),
        sa.Column("way", sa.Text, nullable=False),
        sa.Column("received_at", TIMESTAMP(timezone=True), primary_key=True),
        sa.Index("unmatched_objections_by_time", "received_at"),
    )
