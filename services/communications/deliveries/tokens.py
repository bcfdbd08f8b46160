"""Tokens of a delivery: one in its links, one in its return path. Derived, and kept as digests alone.

They are an HMAC of the delivery's id, so that a mail that is sent again has the same bytes, and the database cannot
give them away. Digests stay when keys turn, so a link works as long as its delivery is kept.
"""

import base64
import hmac
from hashlib import sha256
from typing import Final, Literal

Use = Literal["links", "return"]
_BITS: Final = 130
LENGTH: Final = _BITS // 5
"""Letters of a token: 130 bits in base32, in lower case, for a mail server may change the case of a local part."""


def token_of(key: bytes, delivery_id: str, use: Use) -> str:
    """The token; ``key`` is the secret of addresses."""
    digest = hmac.digest(key, f"{use}:{delivery_id}".encode(), "sha256")
    return base64.b32encode(digest).decode().lower()[:LENGTH]


def digest_of(token: str) -> bytes:
    """What is kept of it."""
    return sha256(token.lower().encode()).digest()
