"""A certificate authority for one's own machine, and certificates of it: for trying TLS, and for the tests.

``python -m deploy.local.authority FOLDER HOST…`` writes ``ca.pem``, ``server.pem`` (for these host names or IP
addresses) and ``server.key``. Whoever trusts ``ca.pem`` trusts whoever has ``ca.key``, so it is not kept.
"""

from __future__ import annotations

import argparse
import ipaddress
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import NodeError

DAYS = "825"
_CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", DAYS]
# OpenSSL's own file adds extensions that differ from one system to the next.
_CONFIG = "[req]\ndistinguished_name = dn\n[dn]\n"


@dataclass(frozen=True)
class Certificates:
    """Files of one server: whom its clients trust, its certificate, its key."""

    ca: Path
    certificate: Path
    key: Path


def certificates(folder: Path, *hosts: str) -> Certificates:
    """An authority and a certificate for these host names or addresses, in a folder. Raises NodeError."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Certificates(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    with tempfile.TemporaryDirectory() as secret:
        config, ca_key = Path(secret, "openssl.cnf"), Path(secret, "ca.key")
        config.write_text(_CONFIG)
        _openssl(config, ca_key, made.ca, "/CN=Traboule's local authority", [
            "basicConstraints=critical,CA:TRUE,pathlen:0",
            "keyUsage=critical,keyCertSign,cRLSign",
            "subjectKeyIdentifier=hash",
        ])  # fmt: skip
        _openssl(config, made.key, made.certificate, f"/CN={hosts[0]}", [
            "basicConstraints=critical,CA:FALSE",
            "keyUsage=critical,digitalSignature",
            "extendedKeyUsage=serverAuth",
            "subjectKeyIdentifier=hash",
            "authorityKeyIdentifier=keyid",
            "subjectAltName=" + ",".join(_named(host) for host in hosts),
        ], "-CA", str(made.ca), "-CAkey", str(ca_key))  # fmt: skip
    made.key.chmod(0o600)
    return made


def _openssl(config: Path, key: Path, certificate: Path, subject: str, extensions: list[str], *options: str) -> None:
    added = [word for extension in extensions for word in ("-addext", extension)]
    command = ["openssl", "req", "-x509", "-config", str(config), *_CURVE, "-keyout", str(key), "-out"]
    try:
        done = subprocess.run(
            [*command, str(certificate), "-subj", subject, *added, *options],
            check=False,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError:
        raise NodeError("missing: openssl. Install with: apt-get install openssl") from None
    if done.returncode != 0:
        raise NodeError(f"openssl made no certificate: {done.stderr.strip()}")


def _named(host: str) -> str:
    try:
        return f"IP:{ipaddress.ip_address(host)}"
    except ValueError:
        return f"DNS:{host}"


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.authority", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("hosts", nargs="+", metavar="HOST")
    arguments = parser.parse_args()
    try:
        certificates(arguments.folder, *arguments.hosts)
    except NodeError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
