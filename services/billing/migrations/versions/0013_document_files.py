"""The files of documents: made once after they were issued, and never again."""

from alembic import op

from services.billing.migration_steps import refuse_changes

revision = "0013"
down_revision = "0012"

TABLE = """
    create table document_files (
        document_id uuid not null references documents,
        kind text not null,
        content bytea not null,
        sha256 bytea not null,
        made_at timestamptz not null default now(),
        constraint document_files_pkey primary key (document_id, kind),
        constraint document_files_kind check (kind in ('pdf', 'xml'))
    )
"""


def upgrade() -> None:
    op.execute(TABLE)
    refuse_changes(("document_files",))


def downgrade() -> None:
    op.drop_table("document_files")
