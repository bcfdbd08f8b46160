"""What billing billed of bookings that cost something."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.execute(
        """
        create table booking_bills (
            booking_id uuid primary key,
            version bigint not null,
            amount numeric(12, 2) not null,
            "references" text[] not null
        )
        """
    )
    op.execute("comment on column booking_bills.amount is 'invoices less credit notes'")


def downgrade() -> None:
    op.execute("drop table booking_bills")
