"""The code of a ticket as people scan or type it, and what is kept of it."""

import re
from hashlib import sha256
from typing import Final

LENGTH: Final = 24
"""Characters of a code: 120 bits in base32 (RFC 4648), which has no 0, 1, 8 and 9."""
PATH: Final = "/C/"
"""Before the code in the address that a ticket shows."""
_CODE: Final = re.compile(f"[A-Z2-7]{{{LENGTH}}}")
_ADDRESS: Final = re.compile(rf"https?://[^/]+{PATH}([^/?#]*)", re.IGNORECASE)
_LOOKALIKES: Final = str.maketrans("08", "OB")


def plain_code(text: str) -> str:
    """What a camera read or a person typed, an address or the code, without spaces and hyphens and in capitals.

    A 0 is an O and an 8 a B, for base32 has neither digit.
    """
    match = _ADDRESS.match(text.strip())
    return re.sub(r"[\s\u200b\ufeff._-]", "", match[1] if match else text).upper().translate(_LOOKALIKES)


def is_code(code: str) -> bool:
    """Whether it may be a ticket's. A 1 is refused, for it may be an I or an L."""
    return _CODE.fullmatch(code) is not None


def code_digest(code: str) -> bytes:
    """The SHA-256 of the code's ASCII characters: what is stored, and what a phone compares off-line."""
    return sha256(code.encode("ascii")).digest()
