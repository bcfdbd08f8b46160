"""When somebody registered, where the former system's export does not say it."""

from datetime import UTC, datetime
from typing import Final

UNDATED: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""Registrations at this moment have no order among themselves."""
