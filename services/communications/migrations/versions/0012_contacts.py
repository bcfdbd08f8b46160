"""Source records as membership describes them to communications: who is written to, under which address."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "contacts",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="of the newest description"),
        sa.Column("member_id", sa.Text(), comment="as the description says; merges told later come first"),
        sa.Column("address", sa.Text(), comment="its own, normalised; null if it has none that could be written to"),
        sa.Column("shown_address", sa.Text(), comment="its member's, normalised, as it is shown"),
        sa.Column("document", sa.JSON(), nullable=False, comment="the fact, as membership announced it"),
        sa.PrimaryKeyConstraint("cluster", "record_id"),
    )
    op.create_index("contacts_by_address", "contacts", ["address"])
    op.create_index("contacts_by_shown_address", "contacts", ["shown_address"])
    op.create_index("contacts_by_member", "contacts", ["member_id"])


def downgrade() -> None:
    op.drop_table("contacts")
