"""How many late messages were applied to a record, so that whoever is told of it knows what came after."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

COUNTED = {
    "related": "late messages about it that its own service applied: counts before the version",
}
"""Tables, and what the count of each is."""


def upgrade() -> None:
    for table, comment in COUNTED.items():
        op.add_column(
            table, sa.Column("applied_late", sa.BigInteger(), server_default="0", nullable=False, comment=comment)
        )


def downgrade() -> None:
    for table in COUNTED:
        op.drop_column(table, "applied_late")
