"""Objections by links of mails that this database does not know: it was restored from before they went out."""

from alembic import op

revision = "0011"
down_revision = "0010"

TABLE = """
    create table unmatched_objections (
        token_hash bytea not null,
        act text not null,
        scope text not null,
        way text not null,
        received_at timestamptz not null,
        primary key (token_hash, act, scope, received_at)
    )
"""


def upgrade() -> None:
    op.execute(TABLE)


def downgrade() -> None:
    op.drop_table("unmatched_objections")
