"""Steps that the migrations of several services take alike.

Databases were made by what stands here, so it never changes: a further step is a further function.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

# What a row was, too: it may have been another record's.
_TRIGGERS = (("inserted", "insert", "new"), ("updated", "update", "new"), ("replaced", "update", "old"))


def make_section_tables() -> None:
    """Which source records must be stated anew, and what was stated last."""
    op.create_table(
        "section_versions",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False, comment="of the newest statement"),
        sa.Column("stated", sa.LargeBinary(), comment="digest of what was stated last"),
        sa.PrimaryKeyConstraint("cluster", "record_id"),
    )
    op.create_table(
        "section_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("transaction", sa.BigInteger(), server_default=sa.text("txid_current()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("section_changes_by_transaction", "section_changes", ["transaction"])


def drop_section_tables() -> None:
    """Undo :func:`make_section_tables`."""
    op.drop_table("section_changes")
    op.drop_table("section_versions")


def mark_changes(section: str, tables: Sequence[str]) -> None:
    """Call ``mark_<section>_of_<table>()`` after each statement that changes a table. The functions must be there."""
    for table in tables:
        for name, when, rows in _TRIGGERS:
            op.execute(
                f"create trigger {table}_{name} after {when} on {table} referencing {rows} table as changed "
                f"for each statement execute function mark_{section}_of_{table}()"
            )


def unmark_changes(section: str, tables: Sequence[str]) -> None:
    """Undo :func:`mark_changes`, and drop the functions."""
    for table in tables:
        for name, _, _ in _TRIGGERS:
            op.execute(f"drop trigger {table}_{name} on {table}")
        op.execute(f"drop function mark_{section}_of_{table}()")


def make_write_access() -> None:
    """Which API keys may write, as membership announced it last."""
    op.create_table(
        "write_access",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False, comment="there is one row"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="of the newest announcement"),
        sa.Column(
            "expires_at", ARRAY(TIMESTAMP(timezone=True)), nullable=False, comment="of each API key that may write"
        ),
        sa.CheckConstraint("id = 1", name="write_access_one_row"),
        sa.PrimaryKeyConstraint("id"),
    )


def drop_write_access() -> None:
    """Undo :func:`make_write_access`."""
    op.drop_table("write_access")


def make_waiting() -> None:
    """What waits for a person here, as it was announced last."""
    op.create_table(
        "waiting_announced",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False, comment="there is one row"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="of the newest announcement"),
        sa.Column("content", sa.Text(), nullable=False, comment="what waits for a person here, as it was announced"),
        sa.CheckConstraint("id = 1", name="waiting_announced_one_row"),
        sa.PrimaryKeyConstraint("id"),
    )


def drop_waiting() -> None:
    """Undo :func:`make_waiting`."""
    op.drop_table("waiting_announced")
