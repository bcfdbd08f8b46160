"""E-mail addresses as one key each: normalised, then hashed with a secret that the database does not hold.

A bare digest of an address is found by trying names; CNIL holds that it is no anonymisation (SAN-2020-003). So it is
an HMAC (RFC 2104), and the id of its key stands beside it: old keys are kept to read what they wrote.
"""

import hmac
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Self

import idna

from shared.runtime.toml_file import ConfigurationFileError

_INVISIBLE: Final = "\u00a0\u202f\ufeff\u200b\u200c\u200d\u2060"
_KEY: Final = re.compile(r"([a-z0-9][a-z0-9-]{0,31}):([0-9a-f]{32,128})")
LONGEST: Final = 254
"""Characters of an address (RFC 5321 §4.5.3.1.3, less its brackets)."""


class AddressError(ValueError):
    """This is no e-mail address; the message says why, without the address."""


class AddressKeysError(ConfigurationFileError):
    """The secret of addresses cannot be used; the message says what it should be."""


class AddressHash(NamedTuple):
    """One address under one key."""

    key_id: str
    value: bytes


def normalise(address: str) -> str:
    """``address`` in lower case (NFC), without what cannot be seen, its domain in ASCII (IDNA).

    No rule of a provider is applied: dots and what follows a plus make another address. Raises AddressError.
    """
    text = unicodedata.normalize("NFC", address.translate(dict.fromkeys(map(ord, _INVISIBLE)))).strip()
    local, at, domain = text.rpartition("@")
    if not (at and local and domain) or any(character.isspace() for character in text):
        raise AddressError("it is no e-mail address: it needs one name, an @ and a domain, without spaces")
    if len(text) > LONGEST:
        raise AddressError(f"it is longer than the {LONGEST} characters of an e-mail address")
    if not text.isprintable():
        raise AddressError("it holds characters that cannot be printed")
    try:
        domain = idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        raise AddressError("its domain is no name of the Internet") from None
    return f"{local.lower()}@{domain.lower()}"


@dataclass(frozen=True, slots=True)
class Keyring:
    """The secrets that addresses are hashed with: the first for writing, all of them for reading."""

    keys: tuple[tuple[str, bytes], ...] = field(repr=False)

    @classmethod
    def read(cls, text: str) -> Self:
        """From ``id:hex`` words, the newest first, such as ``2027:1f…`` (32 hexadecimal digits or more).

        Raises AddressKeysError.
        """
        found = [_KEY.fullmatch(word) for word in text.replace(",", " ").split()]
        keys = [(match[1], bytes.fromhex(match[2])) for match in found if match and len(match[2]) % 2 == 0]
        if not keys or len(keys) != len(found) or len(dict(keys)) != len(keys):
            raise AddressKeysError(
                "keys of addresses are words such as 2027:0123456789abcdef0123456789abcdef, the newest first: an id of "
                "its own each, and 32 hexadecimal digits or more (openssl rand -hex 32)"
            )
        return cls(tuple(keys))

    def current(self, normalised: str) -> AddressHash:
        """The hash to write, under the newest key."""
        return self.all(normalised)[0]

    def secret(self, key_id: str) -> bytes:
        """One of the keys. Raises AddressKeysError if it is there no more."""
        for name, key in self.keys:
            if name == key_id:
                return key
        raise AddressKeysError(f"the key {key_id} of addresses is missing: keep former keys after the newest")

    def all(self, normalised: str) -> tuple[AddressHash, ...]:
        """Its hash under every key, to look it up whenever it was written."""
        text = normalised.encode()
        return tuple(AddressHash(key_id, hmac.digest(key, text, "sha256")) for key_id, key in self.keys)
