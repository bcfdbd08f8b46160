"""Tickets: the digest of each token that was mailed, and who comes in with it."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.execute(
        """
        create table tickets (
            digest bytea not null,
            attendee_id uuid not null,
            at timestamptz not null,
            former_name text,
            primary key (digest),
            foreign key (attendee_id) references attendees (attendee_id)
        )
        """
    )
    op.execute("create index tickets_by_attendee on tickets (attendee_id)")


def downgrade() -> None:
    op.execute("drop table tickets")
