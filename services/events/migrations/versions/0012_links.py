"""Personal links of registrations: the digest of each token that was mailed, and what it leads to."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.execute(
        """
        create table links (
            digest bytea not null,
            booking_id uuid not null,
            attendee_id uuid,
            at timestamptz not null,
            primary key (digest),
            foreign key (booking_id) references bookings (booking_id),
            foreign key (attendee_id) references attendees (attendee_id)
        )
        """
    )
    op.execute("create index links_by_booking on links (booking_id)")
    op.execute("create index links_by_attendee on links (attendee_id)")


def downgrade() -> None:
    op.execute("drop table links")
