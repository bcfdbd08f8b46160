"""What waits for a person: as membership announced it last, and as the gateway keeps it of every service."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

from services.common.migration_steps import drop_waiting, make_waiting

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    make_waiting()
    op.create_table(
        "waiting_counts",
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="of what the service announced"),
        sa.Column("parked", sa.BigInteger(), nullable=False),
        sa.Column("parked_since", TIMESTAMP(timezone=True)),
        sa.Column("late", sa.BigInteger(), nullable=False),
        sa.Column("differences", sa.BigInteger(), nullable=False),
        sa.Column("clusters", sa.JSON(), nullable=False, comment="late and differences of each"),
        sa.PrimaryKeyConstraint("service"),
        comment="what waits for a person in each service, as it announced; our own among them",
    )
    op.create_index(
        "merge_conflicts_open", "merge_conflicts", ["responsible"], postgresql_where=sa.text("gone_at is null")
    )


def downgrade() -> None:
    op.drop_index("merge_conflicts_open")
    op.drop_table("waiting_counts")
    drop_waiting()
