"""What membership says of source records: name and département, by which attendance is counted."""

from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.execute(
        """
        create table described_records (
            cluster text not null,
            record_id text not null,
            version bigint not null,
            name text,
            departement text,
            primary key (cluster, record_id)
        )
        """
    )


def downgrade() -> None:
    op.execute("drop table described_records")
