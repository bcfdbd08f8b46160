"""Steps of billing's migrations. Databases were made by what stands here, so it never changes."""

from collections.abc import Sequence

from alembic import op


def refuse_changes(tables: Sequence[str]) -> None:
    """Let no statement update, delete or truncate rows of these tables, whoever runs it."""
    op.execute(
        """
        create or replace function refuse_change() returns trigger language plpgsql as $$
        begin
            raise exception '% is never altered: what was decided or issued stays, and is corrected by what follows',
                tg_table_name;
        end $$
        """
    )
    for table in tables:
        op.execute(
            f"create trigger {table}_stay before update or delete or truncate on {table} "
            "for each statement execute function refuse_change()"
        )
