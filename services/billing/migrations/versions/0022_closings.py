"""Books are closed: until a day, no entry is added to those of an issuer any more."""

from alembic import op

from services.billing.migration_steps import refuse_changes

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.execute(
        """
        create table closings (
            issuer text not null,
            last_on date not null,
            closed_by text not null,
            closed_key text,
            reason text not null,
            at timestamptz not null default now(),
            constraint closings_pkey primary key (issuer, last_on)
        )
        """
    )
    op.execute(
        """
        create function refuse_closed_days() returns trigger language plpgsql as $$
        begin
            if exists (
                select from changed e
                join (select issuer, max(last_on) as last_on from closings group by issuer) c using (issuer)
                where e.booked_on <= c.last_on
            ) then
                raise exception 'the books are closed on this day: book it on a day after';
            end if;
            return null;
        end $$
        """
    )
    op.execute(
        "create trigger entries_of_open_days after insert on entries referencing new table as changed "
        "for each statement execute function refuse_closed_days()"
    )
    refuse_changes(("closings",))


def downgrade() -> None:
    op.execute("drop trigger entries_of_open_days on entries")
    op.execute("drop function refuse_closed_days()")
    op.drop_table("closings")
