"""The ticket of one guest: a token that means nothing, and its address.

A token holds no data, so that its QR code is small enough for a phone's screen. Only its digest is stored.
"""

import re
import secrets
from base64 import b32encode
from typing import Final

from schemas.tickets import LENGTH, PATH, code_digest, is_code, plain_code
from services.common.qr_code import LONGEST
from services.events.translated import TranslatedError

_BYTES: Final = 15
_BASE: Final = re.compile(r"https?://([a-z0-9.-]+(?::[0-9]+)?)/?", re.IGNORECASE)


class TicketError(TranslatedError):
    """What was scanned or typed is no token; nothing repeats it."""


class TicketAddressError(ValueError):
    """The address under which tickets are to be reached fits no ticket; the message says why."""


def new_token() -> str:
    """A token that nobody can guess: 24 capitals and digits. It goes into the mail, and is stored nowhere."""
    return b32encode(secrets.token_bytes(_BYTES)).decode()


def digest_of(token: str) -> bytes:
    """The SHA-256 of the token's ASCII characters: what is stored, and what a phone compares off-line."""
    return code_digest(token)


def token_in(text: str) -> str:
    """The token in what a camera read or a person typed: an address or the code, in any case, with spaces or hyphens.

    A 0 is an O and an 8 a B, for base32 has neither digit. A 1 may be an I or an L, so it is refused.
    Raises TicketError.
    """
    if is_code(code := plain_code(text)):
        return code
    raise _refused(code)


def ticket_url(base: str, token: str) -> str:
    """The ticket's address, in capitals: a QR code holds those in fewer squares. Raises TicketAddressError.

    ``base`` is such as ``https://evenements.example.org``: hosts may be written in capitals, paths may not.
    """
    match = _BASE.fullmatch(base)
    if match is None:
        raise TicketAddressError("it is no bare host: write it like https://events.example.org, in ASCII")
    url = f"{base.rstrip('/')}{PATH}{token}".upper()
    if (surplus := len(url) - LONGEST) > 0:
        raise TicketAddressError(f"its host has {len(match[1])} characters: {len(match[1]) - surplus} are the most")
    return url


def _refused(code: str) -> TicketError:
    if len(code) == LENGTH and "1" in code:
        return TicketError(
            "un code ne contient pas de 1 : c'est un I ou un L, regardez le billet",
            "a code has no 1: it is an I or an L, look at the ticket",
        )
    return TicketError(
        f"ce n'est pas un code de billet : il a {LENGTH} lettres et chiffres (de 2 à 7). Cherchez par le nom",
        f"this is no code of a ticket: it has {LENGTH} letters and digits (2 to 7). Look up the name",
    )
