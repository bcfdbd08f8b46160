"""The other records of a member, found by its id: each mail is looked at with all of them."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_index("member_records_by_member", "member_records", ["member_id"])


def downgrade() -> None:
    op.drop_index("member_records_by_member", "member_records")
