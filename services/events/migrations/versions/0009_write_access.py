"""Which API keys may write, as membership announced it last."""

from services.common.migration_steps import drop_write_access, make_write_access

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    make_write_access()


def downgrade() -> None:
    drop_write_access()
