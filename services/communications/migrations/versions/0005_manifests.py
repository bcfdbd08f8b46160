"""What former systems say that they hold, and rehearsals beside comparisons."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP

revision = "0005"
down_revision = "0004"

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


def downgrade() -> None:
    op.drop_column("parity_runs", "manifest")
    op.drop_column("parity_runs", "subject")
    op.drop_table("manifests")
