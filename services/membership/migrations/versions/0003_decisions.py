"""Decisions of staff, overrides, the history of identities, and conflicts that merges bring."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP, UUID

revision = "0003"
down_revision = "0002"
# The version before writes source records without the two columns that are asked for here.
phase = "post"

NOW = sa.text("now()")


def upgrade() -> None:
    # A removed record keeps what it last said: what is owed or refused under its id stays with its member.
    op.add_column("source_records", sa.Column("written_version", sa.BigInteger(), nullable=True))
    op.add_column("source_records", sa.Column("written_digest", sa.LargeBinary(), nullable=True))
    op.execute(
        "update source_records set written_version = case when removed then -1 else version end,"
        " written_digest = case when removed then '' else digest end"
    )
    op.alter_column(
        "source_records", "written_version", nullable=False, comment="of what is written; -1: nothing ever was"
    )
    op.alter_column("source_records", "written_digest", nullable=False)
    op.alter_column("source_records", "removed", comment="its former system has it no more")
    op.alter_column("source_records", "written", comment="what the former system last wrote")
    op.create_table(
        "decisions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), comment="the API key that it came with; null from the command line"),
        sa.Column("decided_at", TIMESTAMP(timezone=True), server_default=NOW, nullable=False),
        sa.Column("taken_back_at", TIMESTAMP(timezone=True)),
        sa.Column("taken_back_by", sa.Text()),
        sa.Column("taken_back_reason", sa.Text()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "decision_pairs",
        sa.Column("decision_id", sa.BigInteger(), nullable=False),
        sa.Column("a_cluster", sa.Text(), nullable=False),
        sa.Column("a_record_id", sa.Text(), nullable=False),
        sa.Column("b_cluster", sa.Text(), nullable=False),
        sa.Column("b_record_id", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.CheckConstraint("verdict in ('confirmed', 'rejected')", name="decision_pairs_verdict"),
        sa.CheckConstraint("(a_cluster, a_record_id) < (b_cluster, b_record_id)", name="decision_pairs_order"),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"]),
        sa.PrimaryKeyConstraint("decision_id", "a_cluster", "a_record_id", "b_cluster", "b_record_id"),
    )
    op.create_index("decision_pairs_by_a", "decision_pairs", ["a_cluster", "a_record_id"])
    op.create_index("decision_pairs_by_b", "decision_pairs", ["b_cluster", "b_record_id"])
    op.create_table(
        "overrides",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False, comment="the source record that it goes with"),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False, comment="as staff wrote it"),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text()),
        sa.Column("at", TIMESTAMP(timezone=True), server_default=NOW, nullable=False),
        sa.Column("taken_back_at", TIMESTAMP(timezone=True)),
        sa.Column("taken_back_by", sa.Text()),
        sa.Column("taken_back_reason", sa.Text()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "overrides_in_force",
        "overrides",
        ["cluster", "record_id", "field"],
        unique=True,
        postgresql_where=sa.text("taken_back_at is null"),
    )
    op.execute("create sequence identity_version")
    op.create_table(
        "identity_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("at", TIMESTAMP(timezone=True), server_default=NOW, nullable=False),
        sa.Column("what", sa.Text(), nullable=False, comment="merged or separated"),
        sa.Column("member_ids", ARRAY(UUID(as_uuid=False)), nullable=False, comment="every id that it concerns"),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("identity_history_by_member", "identity_history", ["member_ids"], postgresql_using="gin")
    op.create_table(
        "merge_conflicts",
        sa.Column("conflict_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("responsible", sa.Text(), nullable=False, comment="the service that must resolve it"),
        sa.Column("a_cluster", sa.Text(), nullable=False),
        sa.Column("a_record_id", sa.Text(), nullable=False),
        sa.Column("b_cluster", sa.Text(), nullable=False),
        sa.Column("b_record_id", sa.Text(), nullable=False),
        sa.Column("member_id", UUID(as_uuid=False), nullable=False),
        sa.Column("overlaps", sa.JSON(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="of what was told of it last"),
        sa.Column("found_at", TIMESTAMP(timezone=True), server_default=NOW, nullable=False),
        sa.Column("gone_at", TIMESTAMP(timezone=True)),
        sa.PrimaryKeyConstraint("conflict_id"),
    )
    op.create_index("merge_conflicts_by_member", "merge_conflicts", ["member_id"])


def downgrade() -> None:
    for table in ("merge_conflicts", "identity_history", "overrides", "decision_pairs", "decisions"):
        op.drop_table(table)
    op.execute("drop sequence identity_version")
    for column in ("written_version", "written_digest"):
        op.drop_column("source_records", column)
