"""What comes back: bounces and complaints, and objections by links of mails that this database does not know.

It may have been restored from before these mails went out.
"""

from alembic import op

revision = "0011"
down_revision = "0010"

TABLES = (
    """
    create table unmatched_objections (
        token_hash bytea not null,
        act text not null,
        scope text not null,
        way text not null,
        received_at timestamptz not null,
        primary key (token_hash, act, scope, received_at)
    )
    """,
    """
    create table bounces (
        digest bytea primary key,
        delivery_id uuid references deliveries,
        kind text not null,
        meaning text not null,
        enhanced text,
        words text not null,
        raw bytea,
        received_at timestamptz not null default now()
    )
    """,
    """
    create table mail_databases (
        single boolean primary key default true check (single),
        fingerprint text not null
    )
    """,
    "create index bounces_by_delivery on bounces (delivery_id)",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("mail_databases")
    op.drop_table("bounces")
    op.drop_table("unmatched_objections")
