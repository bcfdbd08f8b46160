"""Certificates that servers show us: whether they are accepted, and until when they are good."""

from __future__ import annotations

import socket
import ssl
import struct
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from services.cli.doctor.findings import Finding, Findings
from shared.runtime.tls import client_context, own_certificate_context

SOON_DAYS = 21
"""A certificate that ends sooner should have been renewed by now."""
_DAY = 86_400
_PORTS = {"amqps": 5671, "https": 443, "postgresql": 5432, "postgres": 5432}
_SSL_REQUEST = struct.pack("!ii", 8, 80_877_103)
"""What PostgreSQL is sent before TLS begins; it answers with one byte, S."""


def of_server(report: Findings, check: str, url: str) -> list[Finding]:
    """The certificate of the server at a broker's, a database's or the management API's address; none in the clear."""
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if parts.scheme not in _PORTS or not parts.hostname or not _checked(parts.scheme, query):
        return []
    try:
        authority = query.get("sslrootcert") or query.get("cafile")
        context = client_context(Path(authority) if authority else None)
    except (OSError, ValueError) as error:
        return [
            report.fail(check, f"the authority's file cannot be used ({type(error).__name__})", "name one that can")
        ]
    port = parts.port or _PORTS[parts.scheme]
    before = _SSL_REQUEST if parts.scheme.startswith("postgres") else b""
    return [_verdict(report, check, parts.hostname, port, context, before)]


def of_http_server(report: Findings, url: str, certificate: Path) -> Finding:
    """The certificate of our own HTTP side."""
    parts = urlsplit(url)
    assert parts.hostname is not None, "the gateway has an address"
    return _verdict(
        report, "certificate", parts.hostname, parts.port or 443, own_certificate_context(certificate), b""
    )  # fmt: skip


def _checked(scheme: str, query: Mapping[str, str]) -> bool:
    return not scheme.startswith("postgres") or query.get("sslmode") == "verify-full"


def _verdict(report: Findings, check: str, host: str, port: int, context: ssl.SSLContext, before: bytes) -> Finding:
    mend = "renew it; the services take up a renewed one without a restart"
    try:
        certificate = _shown(host, port, context, before)
    except ssl.SSLCertVerificationError as error:
        return report.fail(check, f"the certificate is not accepted: {error.verify_message}", mend)
    except (OSError, ValueError) as error:
        return report.warn(
            check, f"no certificate was shown at {host}:{port} ({type(error).__name__})", "is it running?"
        )
    days = (ssl.cert_time_to_seconds(str(certificate["notAfter"])) - time.time()) / _DAY
    detail = f"the certificate is good for {days:.0f} days more"
    return report.warn(check, detail, mend) if days < SOON_DAYS else report.ok(check, detail)


def _shown(host: str, port: int, context: ssl.SSLContext, before: bytes) -> Mapping[str, Any]:
    with socket.create_connection((host, port), timeout=5) as plain:
        if before:
            plain.sendall(before)
            if plain.recv(1) != b"S":
                raise ConnectionError("it does not speak TLS")
        with context.wrap_socket(plain, server_hostname=host) as secured:
            return secured.getpeercert() or {}
