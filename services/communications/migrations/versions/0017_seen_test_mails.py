"""Test mails that a person saw arrive: asked for before a cluster's communications are switched."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "seen_test_mails",
        sa.Column("delivery_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("seen_by", sa.Text(), nullable=False),
        sa.Column("seen_at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("delivery_id"),
    )
    op.create_index("seen_test_mails_by_brand", "seen_test_mails", ["brand", "seen_at"])


def downgrade() -> None:
    op.drop_table("seen_test_mails")
