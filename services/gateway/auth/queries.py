"""API keys, read for the cache."""

from collections.abc import Sequence
from typing import Any

from services.membership.rows import Rows

_KEYS = """
    select id, hash, name, role, extract(epoch from expires_at - now())::float as seconds
    from api_keys where revoked_at is null and expires_at > now()
"""


async def usable_keys(rows: Rows) -> Sequence[Any]:
    """API keys that are neither revoked nor expired: ``id``, ``hash``, ``name``, ``role``, ``expires_at``."""
    return await rows.fetch(_KEYS)
