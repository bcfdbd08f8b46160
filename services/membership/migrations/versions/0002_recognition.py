"""What recognising companies keeps: features and keys of each record, and the pairs that may be one company."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "match_features",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="the key of its name, or empty"),
        sa.Column("departement", sa.Text()),
        sa.Column(
            "features", JSONB(), nullable=False, comment="what the record contributes to telling companies apart"
        ),
        sa.PrimaryKeyConstraint("cluster", "record_id"),
    )
    op.create_index(
        "match_features_by_name",
        "match_features",
        ["name"],
        postgresql_using="gin",
        postgresql_ops={"name": "gin_trgm_ops"},
        postgresql_with={"fastupdate": "off"},
    )
    op.create_table(
        "match_keys",
        sa.Column("key", sa.Text(), nullable=False, comment="a letter for its kind, a colon, the value"),
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", "cluster", "record_id"),
    )
    op.create_index("match_keys_by_record", "match_keys", ["cluster", "record_id"])
    op.create_table(
        "match_pairs",
        sa.Column("a_cluster", sa.Text(), nullable=False),
        sa.Column("a_record_id", sa.Text(), nullable=False),
        sa.Column("b_cluster", sa.Text(), nullable=False),
        sa.Column("b_record_id", sa.Text(), nullable=False),
        sa.Column("score", sa.REAL(), nullable=False, comment="log2 odds that the two are one company"),
        sa.Column("verdict", sa.Text(), nullable=False, comment="auto or review; pairs that stay apart are not kept"),
        sa.Column("refused", sa.Text(), comment="why it is not merged without a person though it scores high enough"),
        sa.Column("levels", ARRAY(sa.Text()), nullable=False, comment="in the order of levels.FIELDS"),
        sa.Column("weights", sa.Integer(), nullable=False, comment="the version that judged"),
        sa.PrimaryKeyConstraint("a_cluster", "a_record_id", "b_cluster", "b_record_id"),
    )
    op.create_index("match_pairs_by_b", "match_pairs", ["b_cluster", "b_record_id"])
    op.create_index("match_pairs_for_review", "match_pairs", ["score"], postgresql_where=sa.text("verdict = 'review'"))


def downgrade() -> None:
    for table in ("match_pairs", "match_keys", "match_features"):
        op.drop_table(table)
