"""Finds what is to be forgotten of mails: recipients, texts, what came back, and objections that nothing matched."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_index("deliveries_by_content", "deliveries", ["content_id"])
    op.create_index(
        "deliveries_to_forget",
        "deliveries",
        ["ended_at"],
        postgresql_where=sa.text("address is not null and ended_at is not null"),
    )
    op.create_index("contents_to_forget", "contents", ["created_at"], postgresql_where=sa.text("document <> '{}'"))
    op.create_index(
        "bounces_to_forget", "bounces", ["received_at"], postgresql_where=sa.text("raw is not null or words <> ''")
    )
    op.create_index("unmatched_objections_by_time", "unmatched_objections", ["received_at"])


def downgrade() -> None:
    op.drop_index("unmatched_objections_by_time", "unmatched_objections")
    op.drop_index("bounces_to_forget", "bounces")
    op.drop_index("contents_to_forget", "contents")
    op.drop_index("deliveries_to_forget", "deliveries")
    op.drop_index("deliveries_by_content", "deliveries")
