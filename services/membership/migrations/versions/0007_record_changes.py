"""Who changed which source record by a command, when and why."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column(
        "source_records",
        sa.Column(
            "written_here",
            sa.Boolean(),
            nullable=False,
            server_default=sa.false(),
            comment="by a command, while its former system was no authority: whatever that says next is newer",
        ),
    )
    op.create_table(
        "record_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="the one that it made"),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), comment="the API key that it came with; null by the broker"),
        sa.Column("reason", sa.Text()),
        sa.Column("at", TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("fields", ARRAY(sa.Text()), nullable=False, comment="names of what changed, never the values"),
        sa.CheckConstraint("command in ('create', 'change', 'end', 'contact')", name="record_changes_command"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("record_changes_by_record", "record_changes", ["cluster", "record_id", "id"])


def downgrade() -> None:
    op.drop_table("record_changes")
    op.drop_column("source_records", "written_here")
