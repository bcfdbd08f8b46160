"""TLS to the broker, the database and the management API, and at our own HTTP side.

``TRABOULE_TLS_CA_FILE`` names the certificate authority that all of these are checked against. Where it is set nothing
is sent in the clear, and no server is believed whose certificate is another authority's or another host's.
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from shared.runtime.variables import variable

CA_FILE = "TRABOULE_TLS_CA_FILE"
"""One variable for all services, and for the ``traboule`` command."""
_SCHEMES = {"amqp": "amqps", "http": "https"}


class TlsError(ValueError):
    """An address would be reached in the clear or unchecked, or a certificate cannot be used; holds no address."""


def ca_file() -> Path | None:
    """The authority that this process was told of. Raises TlsError if the file holds none."""
    named = os.environ.get(CA_FILE)
    return checked_ca(Path(named)) if named else None


def checked_ca(path: Path) -> Path:
    """The same path, once it is known to hold certificates. Raises TlsError."""
    # Found out only when connecting, it would look like a broker that is away for ever.
    try:
        ssl.create_default_context(cafile=path)
    except (OSError, ValueError) as error:
        raise TlsError(f"{path} cannot be used as a certificate authority ({type(error).__name__})") from None
    return path


def over_tls(url: str, ca: Path | None) -> str:
    """The same ``amqp``, ``postgresql`` or ``http`` address, checked against the authority; as it is without one.

    The authority is written into it, as those read it who connect: ``?cafile=`` for the broker and its management API,
    libpq's ``?sslmode=verify-full&sslrootcert=`` for the database. One that is there already stays. Raises TlsError.
    """
    if ca is None:
        return url
    parts = urlsplit(url)
    if clear := _SCHEMES.get(parts.scheme):
        raise TlsError(f"{CA_FILE} is set, so nothing may be sent in the clear: write {clear}:// for {parts.scheme}://")
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.scheme in ("amqps", "https"):
        if query.get("no_verify_ssl", "0") != "0":
            raise TlsError(f"{CA_FILE} is set, so no_verify_ssl may not be")
        if not query.keys() & {"cafile", "capath", "cadata"}:
            query["cafile"] = str(ca)
    elif parts.scheme in ("postgresql", "postgres"):
        if query.setdefault("sslmode", "verify-full") != "verify-full":
            raise TlsError(f"{CA_FILE} is set, so sslmode can only be verify-full")
        query.setdefault("sslrootcert", str(ca))
    return urlunsplit(parts._replace(query=urlencode(query, safe="/", quote_via=quote)))


def address(name: str) -> str | None:
    """The address in a variable, or in the file that ``<name>_FILE`` names. Raises TlsError, SecretFileError."""
    url = variable(name)
    return None if url is None else over_tls(url, ca_file())


def client_context(ca: Path | None) -> ssl.SSLContext:
    """What an HTTPS client checks a server with: this authority alone, or the system's own."""
    return ssl.create_default_context(cafile=ca)


class TlsCertificate:
    """A server's certificate, taken up anew when its files change, so that a renewal needs no restart."""

    def __init__(self, certificate: Path, key: Path | None = None) -> None:
        """Read the certificate and its key, which may be in the same file. Raises TlsError."""
        self._files = (certificate, key)
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._seen = self._stamp()
        self._load()

    def refresh(self) -> bool:
        """Take up what changed since the last time; whether anything did. Raises TlsError, and keeps the former."""
        stamp = self._stamp()
        if stamp == self._seen:
            return False
        # A file that is only half written is told of once, and looked at again when it changes again.
        self._seen = stamp
        # Tried apart first: a certificate without its key would leave the gateway with neither.
        TlsCertificate(*self._files)
        self._load()
        return True

    def _load(self) -> None:
        try:
            self.context.load_cert_chain(*self._files)
        except (OSError, ValueError) as error:
            names = " and ".join(str(path) for path in self._files if path)
            raise TlsError(f"{names} are no certificate with its key ({type(error).__name__})") from None

    def _stamp(self) -> tuple[tuple[int, int], ...]:
        try:
            stats = [path.stat() for path in self._files if path]
        except OSError:
            return ()
        return tuple((stat.st_mtime_ns, stat.st_ino) for stat in stats)


def own_certificate_context(certificate: Path) -> ssl.SSLContext:
    """What a client on this machine checks our own HTTP side with: this one certificate, under any host name."""
    context = ssl.create_default_context(cafile=certificate)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context
