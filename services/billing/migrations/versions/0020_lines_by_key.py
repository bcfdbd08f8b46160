"""Each line's document is looked up by its key: the plan of an empty table read all documents for each chunk."""

from alembic import op

revision = "0020"
down_revision = "0019"

NAMED = """
    create or replace function refuse_nameless_credit() returns trigger language plpgsql {by_key} as $$
    begin
        if exists (select from changed c cross join lateral
                       (select corrects from documents where document_id = c.document_id offset 0) d
                   where (d.corrects is null) <> (c.corrects_place is null)) then
            raise exception 'each line of a credit note names the line that it corrects, and no other line does';
        end if;
        return null;
    end $$
"""


def upgrade() -> None:
    op.execute(NAMED.format(by_key="set enable_seqscan = off"))


def downgrade() -> None:
    """The function does the same, by whatever plan."""
    op.execute(NAMED.format(by_key=""))
