"""Secrets of sessions and of sign-in links: 256 random bits, of which only a hash is kept."""

import secrets
from hashlib import blake2b


def new_token() -> str:
    """43 characters that fit into a cookie and an address."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> bytes:
    """What is kept. As with API keys: random bytes need no slow hash."""
    return blake2b(token.encode(), digest_size=32, person=b"traboule session").digest()
