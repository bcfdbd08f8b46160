"""What waits for a person here, as it was announced last."""

from services.common.migration_steps import drop_waiting, make_waiting

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    make_waiting()


def downgrade() -> None:
    drop_waiting()
