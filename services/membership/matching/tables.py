"""Matching's tables: repository.py alone writes them, and all of them can be computed from the source records."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BIT, TIMESTAMP

from services.membership.matching.trigrams import BITS


def matching_tables(metadata: sa.MetaData) -> list[sa.Table]:
    """Define the tables in a service's metadata, so that its migrations own them."""
    return [
        sa.Table(
            "match_state",
            metadata,
            sa.Column("id", sa.Boolean, primary_key=True, server_default=sa.true(), comment="there is one row"),
            sa.Column(
                "features", sa.Integer, nullable=False, comment="the version of features.py that all of it was made by"
            ),
            sa.Column("weights", sa.Integer, nullable=False, comment="the version of the weights that judged"),
            sa.Column(
                "revision",
                sa.BigInteger,
                nullable=False,
                server_default="0",
                comment="how many links there were, and other changes with the turn",
            ),
            sa.CheckConstraint("id", name="match_state_once"),
        ),
        sa.Table(
            "match_features",
            metadata,
            sa.Column(
                "record", sa.BigInteger, sa.Identity(always=True), primary_key=True, comment="a number for match_keys"
            ),
            sa.Column("cluster", sa.Text, nullable=False),
            sa.Column("record_id", sa.Text, nullable=False),
            # What is read to compare names comes first, and what is long last.
            sa.Column("size", sa.Integer, nullable=False, comment="how many trigrams its name has"),
            sa.Column("bits", BIT(BITS), nullable=False, comment="trigrams.bitmap of its name"),
            sa.Column("departement", sa.Text),
            sa.Column("postcode", sa.Text),
            sa.Column("town", sa.Text),
            sa.Column("beginning", sa.Text, nullable=False, comment="candidates.beginning of its name"),
            sa.Column("name", sa.Text, nullable=False, comment="the key of its name, or empty"),
            sa.Column(
                "marks", ARRAY(sa.Integer), nullable=False, comment="candidates.held: under which its name is found"
            ),
            sa.Column("keys", ARRAY(sa.Text), nullable=False, comment="those that it has in match_keys"),
            sa.Column(
                "features", sa.JSON, nullable=False, comment="what the record contributes to telling companies apart"
            ),
            sa.Column(
                "revision",
                sa.BigInteger,
                nullable=False,
                server_default="0",
                comment="of match_state when it was written with the turn; 0: it is as it was published",
            ),
            sa.UniqueConstraint("cluster", "record_id", name="match_features_once"),
            sa.Index("match_features_by_revision", "revision", postgresql_where=sa.text("revision > 0")),
            # Not fast to update: the next batch looks things up at once, and would do what it puts off.
            sa.Index("match_features_by_marks", "marks", postgresql_using="gin", postgresql_with={"fastupdate": "off"}),
        ),
        sa.Table(
            "match_keys",
            metadata,
            sa.Column(
                "key", sa.Text(collation="C"), primary_key=True, comment="a letter for its kind, a colon, the value"
            ),
            sa.Column("record", sa.BigInteger, primary_key=True, comment="its number in match_features"),
        ),
        sa.Table(
            "match_pairs",
            metadata,
            sa.Column("a_cluster", sa.Text, primary_key=True),
            sa.Column("a_record_id", sa.Text, primary_key=True),
            sa.Column("b_cluster", sa.Text, primary_key=True),
            sa.Column("b_record_id", sa.Text, primary_key=True),
            sa.Column("score", sa.REAL, nullable=False, comment="log2 odds that the two are one company"),
            sa.Column("verdict", sa.Text, nullable=False, comment="auto or review; pairs that stay apart are not kept"),
            sa.Column("refused", sa.Text, comment="why it is not merged without a person though it scores high enough"),
            sa.Column("levels", ARRAY(sa.Text), nullable=False, comment="in the order of levels.FIELDS"),
            sa.Column("weights", sa.Integer, nullable=False, comment="the version that judged"),
            sa.Index("match_pairs_by_b", "b_cluster", "b_record_id"),
            sa.Index("match_pairs_for_review", "score", postgresql_where=sa.text("verdict = 'review'")),
        ),
        sa.Table(
            "match_pending",
            metadata,
            sa.Column(
                "record",
                sa.BigInteger,
                primary_key=True,
                autoincrement=False,
                comment="of match_features: published, and not linked yet",
            ),
            sa.Column("at", TIMESTAMP(timezone=True), nullable=False, server_default=sa.text("now()")),
        ),
        sa.Table(
            "match_classes",
            metadata,
            sa.Column(
                "key", sa.Text(collation="C"), primary_key=True, comment="of match_keys; one without was always rare"
            ),
            sa.Column(
                "class", sa.Integer, nullable=False, comment="0 rare, 1 common, 2 crowded: pairs were judged by it"
            ),
            sa.Column("hubs", ARRAY(sa.BigInteger), nullable=False, comment="with whom a crowd is compared"),
            sa.Column("revision", sa.BigInteger, nullable=False, comment="of match_state when it moved last"),
        ),
        sa.Table(
            "match_crowds",
            metadata,
            sa.Column(
                "key",
                sa.Text(collation="C"),
                primary_key=True,
                comment="of match_keys, which more records share than are compared with each other",
            ),
        ),
    ]
