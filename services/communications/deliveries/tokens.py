"""Tokens of a delivery: in its links, in its return path, in a test mail. Derived, and kept as digests alone.

They are an HMAC of the delivery's id, so that a mail that is sent again has the same bytes, and the database cannot
give them away. Digests stay when keys turn, so a link works as long as its delivery is kept.
"""

import base64
import hmac
from typing import Literal

from schemas.objections import TOKEN_LENGTH, link_digest

Use = Literal["links", "return", "seen"]


def token_of(key: bytes, delivery_id: str, use: Use) -> str:
    """The token; ``key`` is the secret of addresses."""
    digest = hmac.digest(key, f"{use}:{delivery_id}".encode(), "sha256")
    return base64.b32encode(digest).decode().lower()[:TOKEN_LENGTH]


def digest_of(token: str) -> bytes:
    """What is kept of it."""
    return bytes.fromhex(link_digest(token))
