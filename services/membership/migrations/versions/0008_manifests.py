"""What former systems say that they hold, and rehearsals beside comparisons; requests to other services."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP

revision = "0008"
down_revision = "0007"

MOMENT = TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.create_table(
        "manifests",
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False, comment="of how many parts, from 1"),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("received_at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False, comment="records that the former system holds, by kind"),
        sa.Column("records", sa.JSON(), nullable=False, comment="kind, id, version and digest of each"),
        sa.PrimaryKeyConstraint("cluster", "version", "part"),
    )
    op.add_column(
        "parity_runs",
        sa.Column(
            "subject",
            sa.Text(),
            server_default="mirror",
            nullable=False,
            comment="mirror: what both hold; rehearsal: what it did, and what we would have done",
        ),
    )
    op.create_check_constraint("parity_runs_subject", "parity_runs", "subject in ('mirror', 'rehearsal')")
    op.add_column(
        "parity_runs", sa.Column("manifest", sa.BigInteger(), comment="the version of the manifest compared with")
    )
    op.create_table(
        "cutover_requests",
        sa.Column("id", sa.Text(), nullable=False, comment="a UUIDv7"),
        sa.Column("cluster", sa.Text(), comment="null: about no former system alone"),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False, comment="the API key that it came with"),
        sa.Column("reason", sa.Text()),
        sa.Column("at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.Column("outcome", sa.Text(), comment="null until the service answers"),
        sa.Column("answer", sa.JSON()),
        sa.Column("answered_at", MOMENT),
        sa.CheckConstraint("outcome in ('done', 'refused')", name="cutover_requests_outcome"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("key_id", sa.Text(), nullable=False, comment="the API key that it came with"),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="of what was asked"),
        sa.Column("results", ARRAY(sa.Text()), nullable=False, comment="ids of what it made"),
        sa.Column("at", MOMENT, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("key_id", "idempotency_key"),
    )


def downgrade() -> None:
    op.drop_table("idempotency_keys")
    op.drop_table("cutover_requests")
    op.drop_column("parity_runs", "manifest")
    op.drop_column("parity_runs", "subject")
    op.drop_table("manifests")
