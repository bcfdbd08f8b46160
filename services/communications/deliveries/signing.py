"""DKIM signatures (RFC 6376) by dkimpy, with the RSA operation of OpenSSL.

dkimpy multiplies in Python: 8 ms a mail, and the loop stands still. OpenSSL needs one, outside Python's lock. dkimpy
has no place to hand a signer in, so its function is replaced by one that makes the same bytes.

By default it signs List-Unsubscribe and not List-Unsubscribe-Post, which RFC 8058 §4 asks for, and keeps a body's
trailing space significant; so headers and canonicalisation are named here.
"""

from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self, cast

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from shared.runtime.toml_file import ConfigurationFileError

SIGNED: Final = (
    "from", "to", "subject", "date", "message-id", "mime-version", "content-type", "reply-to", "auto-submitted",
    "list-id", "list-unsubscribe", "list-unsubscribe-post", "feedback-id",
)  # fmt: skip
LEAST_BITS: Final = 2048
"""RFC 8301 §3.2."""
_MAKE: Final = "make one with openssl genrsa -out dkim.pem 2048"


class DkimKeyError(ConfigurationFileError):
    """The key cannot sign; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs for one domain. Read the key once: it is kept in memory, as the relay's password is."""

    domain: str
    selector: str
    key: RSAPrivateKey = field(repr=False)

    @classmethod
    def read(cls, domain: str, selector: str, path: Path) -> Self:
        """From a PEM file without a passphrase. Raises DkimKeyError."""
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), None)
        except OSError as error:
            raise DkimKeyError(f"{path}: the DKIM key of {domain} cannot be read: {error.strerror}") from None
        except (ValueError, TypeError):
            raise DkimKeyError(f"{path}: this is no private key without a passphrase (PEM): {_MAKE}") from None
        if not isinstance(key, RSAPrivateKey) or key.key_size < LEAST_BITS:
            raise DkimKeyError(f"{path}: DKIM needs an RSA key of {LEAST_BITS} bits or more: {_MAKE}")
        return cls(domain, selector, key)

    def sign(self, message: bytes, headers: Iterable[str] = SIGNED) -> bytes:
        """The message with its signature in front. Headers that it does not have are not signed."""
        there = {line.partition(b":")[0].strip().lower() for line in message.partition(b"\r\n\r\n")[0].split(b"\r\n")}
        included = [name.encode() for name in headers if name.encode() in there]
        signature = dkim.DKIM(message).sign(
            self.selector.encode(),
            self.domain.encode(),
            self.key,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=included,
        )
        return cast("bytes", signature) + message

    def record(self) -> str:
        """What the TXT record ``SELECTOR._domainkey.DOMAIN`` must hold (RFC 6376 §3.6.1)."""
        der = self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return f"v=DKIM1; k=rsa; p={b64encode(der).decode()}"


def _use_openssl() -> None:
    parse, multiply = dkim.parse_pem_private_key, dkim.RSASSA_PKCS1_v1_5_sign

    def parsed(key: Any) -> Any:
        return key if isinstance(key, RSAPrivateKey) else parse(key)

    def signed(digest: Any, key: Any) -> bytes:
        if isinstance(key, RSAPrivateKey):
            return key.sign(digest.digest(), PKCS1v15(), Prehashed(SHA256()))
        return cast("bytes", multiply(digest, key))

    dkim.parse_pem_private_key, dkim.RSASSA_PKCS1_v1_5_sign = parsed, signed


_use_openssl()
