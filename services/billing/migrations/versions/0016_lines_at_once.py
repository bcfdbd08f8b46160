"""Lines that correct nothing are looked at once a statement, and not one by one: a run issues thousands."""

from alembic import op

revision = "0016"
down_revision = "0015"

NAMED = """
    create function refuse_nameless_credit() returns trigger language plpgsql as $$
    begin
        if exists (select from changed c join documents d using (document_id)
                   where (d.corrects is null) <> (c.corrects_place is null)) then
            raise exception 'each line of a credit note names the line that it corrects, and no other line does';
        end if;
        return null;
    end $$
"""
BY_STATEMENT = """
    create trigger document_lines_name after insert on document_lines referencing new table as changed
    for each statement execute function refuse_nameless_credit()
"""
# One at a time: of two credits of one line the second is compared with what the first left.
BY_LINE = """
    create or replace trigger document_lines_fit before insert on document_lines
    for each row {when} execute function refuse_excessive_credit()
"""


def upgrade() -> None:
    # First the new one: no line may be looked at by neither.
    op.execute(NAMED)
    op.execute(BY_STATEMENT)
    op.execute(BY_LINE.format(when="when (new.corrects_place is not null)"))


def downgrade() -> None:
    op.execute(BY_LINE.format(when=""))
    op.execute("drop trigger document_lines_name on document_lines")
    op.execute("drop function refuse_nameless_credit()")
