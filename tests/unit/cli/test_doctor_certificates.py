"""What ``traboule doctor`` says of certificates, shown by servers of this process."""

import socket
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.authority import DAYS, Certificates, certificates
from services.cli.doctor import certificates as doctor_certificates
from services.cli.doctor.findings import Findings

REPORT = Findings("billing")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("own"), "localhost")


@contextmanager
def server(own: Certificates, *, database: bool = False, tls: bool = True) -> Generator[int]:
    """A port where one client is shown the certificate, after PostgreSQL's question if it is a database."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(own.certificate, own.key)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            plain, _ = listening.accept()
            with plain:
                try:
                    if database:
                        assert len(plain.recv(8)) == 8
                        plain.sendall(b"S" if tls else b"N")
                    with context.wrap_socket(plain, server_side=True) as secured:
                        secured.recv(1)
                except OSError:
                    return  # the client did not like it, and went

        thread = threading.Thread(target=answer)
        thread.start()
        yield int(listening.getsockname()[1])
        thread.join(10)


def test_a_certificate_that_is_good_and_one_that_ends_soon(own: Certificates, monkeypatch: pytest.MonkeyPatch) -> None:
    with server(own) as port:
        (finding,) = doctor_certificates.of_server(REPORT, "broker", f"amqps://localhost:{port}/v?cafile={own.ca}")
    assert (finding.state, finding.mend) == ("ok", "")
    assert finding.found == f"the certificate is good for {int(DAYS)} days more"
    monkeypatch.setattr(doctor_certificates, "SOON_DAYS", int(DAYS) + 1)
    url = f"?sslmode=verify-full&sslrootcert={own.ca}"
    with server(own, database=True) as port:
        (finding,) = doctor_certificates.of_server(REPORT, "database", f"postgresql://localhost:{port}/d{url}")
    assert finding.state == "warn"
    assert "renew it" in finding.mend
    with server(own) as port:
        assert doctor_certificates.of_http_server(REPORT, f"https://127.0.0.1:{port}", own.certificate).state == "warn"


def test_a_certificate_of_another_authority_or_host_fails(own: Certificates, tmp_path: Path) -> None:
    other = certificates(tmp_path, "elsewhere.example")
    with server(own) as port:
        (finding,) = doctor_certificates.of_server(REPORT, "broker", f"amqps://localhost:{port}/v?cafile={other.ca}")
    assert finding.state == "fail"
    assert "not accepted" in finding.found
    with server(other) as port:
        (finding,) = doctor_certificates.of_server(REPORT, "broker", f"amqps://localhost:{port}/v?cafile={other.ca}")
    assert finding.state == "fail"
    assert "localhost" in finding.found, "it names the host that it is not for"


def test_a_server_that_shows_none_is_told_and_one_in_the_clear_is_not_asked(own: Certificates) -> None:
    with server(own, database=True, tls=False) as port:
        url = f"postgresql://localhost:{port}/d?sslmode=verify-full&sslrootcert={own.ca}"
        (finding,) = doctor_certificates.of_server(REPORT, "database", url)
    assert (finding.state, finding.mend) == ("warn", "is it running?")
    for url in ("amqp://localhost:9/v", "postgresql://localhost:9/d", "http://localhost:9"):
        assert doctor_certificates.of_server(REPORT, "broker", url) == []
    (finding,) = doctor_certificates.of_server(REPORT, "broker", "amqps://localhost:9/v?cafile=/nowhere/ca.pem")
    assert finding.state == "fail"
