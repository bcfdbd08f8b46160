"""Seats that cost something: what events says of them, and the documents that bill them."""

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.execute(
        """
        create table charges (
            registration_id uuid primary key,
            version bigint not null,
            cluster text not null,
            title text not null,
            day date not null,
            record_cluster text,
            record_id text,
            name text,
            email text,
            seats integer not null,
            amount numeric(12, 2) not null,
            ours boolean not null default true,
            settled numeric(12, 2),
            settled_by text,
            settled_at timestamptz,
            "references" text[] not null default '{}',
            constraint charges_amount check (amount >= 0 and seats > 0)
        )
        """
    )
    op.execute("comment on column charges.settled is 'what staff entered as billed elsewhere'")
    op.execute("""comment on column charges."references" is 'where it was billed'""")
    op.execute("create index charges_by_day on charges (day, registration_id)")
    op.execute("alter table documents add column last date, add column charge_id uuid")
    op.execute("comment on column documents.last is 'none: the last day of the year that begins on first'")
    op.execute("comment on column documents.charge_id is 'the registration whose seats it bills; none: dues'")
    op.execute(
        "create unique index documents_by_charge on documents (charge_id) "
        "where charge_id is not null and corrects is null"
    )


def downgrade() -> None:
    op.drop_index("documents_by_charge", "documents")
    op.execute("alter table documents drop column last, drop column charge_id")
    op.drop_table("charges")
