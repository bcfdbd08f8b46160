"""What recognising companies keeps: features and keys of each record, and the pairs that may be one company."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, BIT

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "match_state",
        sa.Column("id", sa.Boolean(), server_default=sa.true(), nullable=False, comment="there is one row"),
        sa.Column(
            "features", sa.Integer(), nullable=False, comment="the version of features.py that all of it was made by"
        ),
        sa.Column("weights", sa.Integer(), nullable=False, comment="the version of the weights that judged"),
        sa.CheckConstraint("id", name="match_state_once"),
        sa.PrimaryKeyConstraint("id"),
    )
    # Members that are here already have never been recognised: version 0 asks for a rebuild.
    op.execute("insert into match_state (features, weights) select 0, 0 where exists (select from source_records)")
    op.create_table(
        "match_features",
        sa.Column(
            "record", sa.BigInteger(), sa.Identity(always=True), nullable=False, comment="a number for match_keys"
        ),
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False, comment="how many trigrams its name has"),
        sa.Column("bits", BIT(128), nullable=False, comment="trigrams.bitmap of its name"),
        sa.Column("departement", sa.Text()),
        sa.Column("postcode", sa.Text()),
        sa.Column("town", sa.Text()),
        sa.Column("beginning", sa.Text(), nullable=False, comment="candidates.beginning of its name"),
        sa.Column("name", sa.Text(), nullable=False, comment="the key of its name, or empty"),
        sa.Column(
            "marks", ARRAY(sa.Integer()), nullable=False, comment="candidates.held: under which its name is found"
        ),
        sa.Column("keys", ARRAY(sa.Text()), nullable=False, comment="those that it has in match_keys"),
        sa.Column(
            "features", sa.JSON(), nullable=False, comment="what the record contributes to telling companies apart"
        ),
        sa.PrimaryKeyConstraint("record"),
        sa.UniqueConstraint("cluster", "record_id", name="match_features_once"),
    )
    op.create_index(
        "match_features_by_marks",
        "match_features",
        ["marks"],
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
    )
    op.create_table(
        "match_keys",
        sa.Column("key", sa.Text(collation="C"), nullable=False, comment="a letter for its kind, a colon, the value"),
        sa.Column("record", sa.BigInteger(), nullable=False, comment="its number in match_features"),
        sa.PrimaryKeyConstraint("key", "record"),
    )
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
    for table in ("match_pairs", "match_keys", "match_features", "match_state"):
        op.drop_table(table)
