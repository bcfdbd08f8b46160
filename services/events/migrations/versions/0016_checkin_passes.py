"""Check-in passes of sessions: the digest of each token, which nobody keeps; who made it, and until when it holds."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.execute(
        """
        create table checkin_passes (
            pass_id uuid not null,
            session_id uuid not null,
            digest bytea not null unique,
            device text,
            author text not null,
            reason text not null,
            made_at timestamptz not null,
            ended_at timestamptz,
            ended_by text,
            end_reason text,
            primary key (pass_id),
            foreign key (session_id) references sessions (session_id)
        )
        """
    )
    op.execute("create index checkin_passes_by_session on checkin_passes (session_id)")


def downgrade() -> None:
    op.execute("drop table checkin_passes")
