"""Ids of records that were never in a former system: UUIDv7, so that they sort by when they were made."""

import secrets
from datetime import datetime
from uuid import UUID


def new_id(now: datetime) -> str:
    """A new UUIDv7 (RFC 9562, 5.7): 48 bits of milliseconds, and 74 that nobody can guess."""
    milliseconds = int(now.timestamp() * 1_000)
    number = milliseconds << 80 | 7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(UUID(int=number))
