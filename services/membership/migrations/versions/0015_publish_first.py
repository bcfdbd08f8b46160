"""Records are published before they are linked: which are pending, and by which classes pairs were judged.

What is recognised is of a new version, so it is computed again once, and the version before waits meanwhile.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.add_column(
        "match_state",
        sa.Column(
            "revision",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="how many links there were, and other changes with the turn",
        ),
    )
    op.add_column(
        "match_features",
        sa.Column(
            "revision",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="of match_state when it was written with the turn; 0: it is as it was published",
        ),
    )
    op.create_index(
        "match_features_by_revision", "match_features", ["revision"], postgresql_where=sa.text("revision > 0")
    )
    op.create_table(
        "match_pending",
        sa.Column(
            "record",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="of match_features: published, and not linked yet",
        ),
        sa.Column("at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("record"),
    )
    op.create_table(
        "match_classes",
        sa.Column(
            "key",
            sa.Text(collation="C"),
            nullable=False,
            comment="of match_keys; one without was always rare",
        ),
        sa.Column(
            "class", sa.Integer(), nullable=False, comment="0 rare, 1 common, 2 crowded: pairs were judged by it"
        ),
        sa.Column("hubs", ARRAY(sa.BigInteger()), nullable=False, comment="with whom a crowd is compared"),
        sa.Column("revision", sa.BigInteger(), nullable=False, comment="of match_state when it moved last"),
        sa.PrimaryKeyConstraint("key"),
    )


def downgrade() -> None:
    op.drop_table("match_classes")
    op.drop_table("match_pending")
    op.drop_index("match_features_by_revision", "match_features")
    op.drop_column("match_features", "revision")
    op.drop_column("match_state", "revision")
