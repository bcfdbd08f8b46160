"""Stages of the former systems, their history, and what came after a switch."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

revision = "0003"
down_revision = "0002"

MOMENT = TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.create_table(
        "stages",
        sa.Column("cluster", sa.Text(), nullable=False, comment="no row: legacy, where everything begins"),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False, comment="counts the moves"),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.CheckConstraint("stage in ('legacy', 'mirror', 'live', 'retired')", name="stages_stage"),
        sa.PrimaryKeyConstraint("cluster"),
    )
    op.create_table(
        "stage_history",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("overruled", ARRAY(sa.Text()), nullable=False, comment="conditions of the gate that did not hold"),
        sa.PrimaryKeyConstraint("cluster", "epoch"),
    )
    op.create_table(
        "quarantine",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False, comment="of the stage in which it came too late"),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="the whole event, structured JSON"),
        sa.Column("received_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("decided_at", MOMENT),
        sa.Column("decided_by", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.CheckConstraint("state in ('waiting', 'applied', 'dismissed')", name="quarantine_state"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "quarantine_waiting", "quarantine", ["cluster", "id"], postgresql_where=sa.text("state = 'waiting'")
    )
    op.create_table(
        "backups",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False, comment="where it lies, or how it was made"),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    for table in ("backups", "quarantine", "stage_history", "stages"):
        op.drop_table(table)
