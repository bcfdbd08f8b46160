"""Keys that more records share than are compared with each other, for those who review."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "match_crowds",
        sa.Column(
            "key",
            sa.Text(collation="C"),
            nullable=False,
            comment="of match_keys, which more records share than are compared with each other",
        ),
        sa.PrimaryKeyConstraint("key"),
    )


def downgrade() -> None:
    op.drop_table("match_crowds")
