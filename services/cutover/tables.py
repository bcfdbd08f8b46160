"""The tables that every service's database holds for moving its former systems over."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP


@dataclass(frozen=True, slots=True)
class CutoverTables:
    """Stages, their history, the quarantine of one service, and the backups that operators noted."""

    stages: sa.Table
    stage_history: sa.Table
    quarantine: sa.Table
    backups: sa.Table


def cutover_tables(metadata: sa.MetaData) -> CutoverTables:
    """Define them in a service's metadata, so that its migrations own them."""
    moment, now = TIMESTAMP(timezone=True), sa.text("now()")
    known = "stage in ('legacy', 'mirror', 'live', 'retired')"
    stages = sa.Table(
        "stages",
        metadata,
        sa.Column("cluster", sa.Text, primary_key=True, comment="no row: legacy, where everything begins"),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False, comment="counts the moves"),
        sa.Column("since", moment, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.CheckConstraint(known, name="stages_stage"),
    )
    stage_history = sa.Table(
        "stage_history",
        metadata,
        sa.Column("cluster", sa.Text, primary_key=True),
        sa.Column("epoch", sa.BigInteger, primary_key=True),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("overruled", ARRAY(sa.Text), nullable=False, comment="conditions of the gate that did not hold"),
    )
    quarantine = sa.Table(
        "quarantine",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("cluster", sa.Text, nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False, comment="of the stage in which it came too late"),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False, comment="the whole event, structured JSON"),
        sa.Column("received_at", moment, nullable=False, server_default=now),
        sa.Column("state", sa.Text, nullable=False, server_default="waiting"),
        sa.Column("decided_at", moment),
        sa.Column("decided_by", sa.Text),
        sa.Column("reason", sa.Text),
        sa.CheckConstraint("state in ('waiting', 'applied', 'dismissed')", name="quarantine_state"),
        sa.Index("quarantine_waiting", "cluster", "id", postgresql_where=sa.text("state = 'waiting'")),
    )
    backups = sa.Table(
        "backups",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("at", moment, nullable=False, server_default=now),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False, comment="where it lies, or how it was made"),
    )
    sa.Table(
        "write_access",
        metadata,
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False, comment="there is one row"),
        sa.Column("version", sa.BigInteger, nullable=False, comment="of the newest announcement"),
        sa.Column("expires_at", ARRAY(moment), nullable=False, comment="of each API key that may write"),
        sa.CheckConstraint("id = 1", name="write_access_one_row"),
    )
    sa.Table(
        "waiting_announced",
        metadata,
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False, comment="there is one row"),
        sa.Column("version", sa.BigInteger, nullable=False, comment="of the newest announcement"),
        sa.Column("content", sa.Text, nullable=False, comment="what waits for a person here, as it was announced"),
        sa.CheckConstraint("id = 1", name="waiting_announced_one_row"),
    )
    return CutoverTables(stages, stage_history, quarantine, backups)
