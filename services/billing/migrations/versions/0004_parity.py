"""Comparisons with what former systems hold, their differences, and what of these is accepted."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

revision = "0004"
down_revision = "0003"

MOMENT = TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.create_table(
        "parity_runs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("source", ARRAY(sa.Text()), nullable=False, comment="the files that say what is there"),
        sa.Column("counts", sa.JSON(), nullable=False, comment="per kind: there, here"),
        sa.Column("sums", sa.JSON(), nullable=False, comment="money per kind and year: there, here"),
        sa.Column("open", sa.BigInteger(), nullable=False, comment="differences, when it ran"),
        sa.Column("accepted", sa.BigInteger(), nullable=False, comment="differences, when it ran"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("parity_runs_by_cluster", "parity_runs", ["cluster", "id"])
    op.create_table(
        "parity_differences",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False, comment="of all that makes it up"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("fields", ARRAY(sa.Text()), nullable=False),
        sa.Column("there", sa.JSON()),
        sa.Column("here", sa.JSON()),
        sa.Column("why", sa.JSON(), comment="what is wrong with each field of a row that cannot be read"),
        sa.Column("owner", sa.Text(), comment="who sees to it; stays with the record from run to run"),
        sa.CheckConstraint(
            "what in ('missing-here', 'missing-there', 'different', 'unreadable')", name="parity_differences_what"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["parity_runs.id"]),
        sa.PrimaryKeyConstraint("run_id", "digest"),
    )
    op.create_index(
        "parity_differences_owned",
        "parity_differences",
        ["run_id"],
        postgresql_where=sa.text("owner is not null"),
    )
    op.create_table(
        "parity_acceptances",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False, comment="of the difference, in whatever run it is found"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.Column("taken_back_at", MOMENT),
        sa.Column("taken_back_by", sa.Text()),
        sa.Column("taken_back_reason", sa.Text()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "parity_acceptances_in_force",
        "parity_acceptances",
        ["cluster", "digest"],
        unique=True,
        postgresql_where=sa.text("taken_back_at is null"),
    )


def downgrade() -> None:
    for table in ("parity_acceptances", "parity_differences", "parity_runs"):
        op.drop_table(table)
