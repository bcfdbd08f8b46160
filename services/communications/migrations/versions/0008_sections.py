"""What each source record agreed to: which must be stated anew, and what was stated last."""

from alembic import op

from services.common.migration_steps import drop_section_tables, make_section_tables, mark_changes, unmark_changes

revision = "0008"
down_revision = "0007"

OF_CONSENTS = """
    create function mark_preferences_of_consents() returns trigger language plpgsql as $$
    begin
        perform pg_advisory_xact_lock(hashtext('sections'));
        insert into section_changes (cluster, record_id) select distinct cluster, record_id from changed;
        return null;
    end $$
"""
ALL = "insert into section_changes (cluster, record_id) select distinct cluster, record_id from consents"
TABLES = ("consents",)


def upgrade() -> None:
    make_section_tables()
    op.execute(OF_CONSENTS)
    mark_changes("preferences", TABLES)
    op.execute(ALL)


def downgrade() -> None:
    unmark_changes("preferences", TABLES)
    drop_section_tables()
