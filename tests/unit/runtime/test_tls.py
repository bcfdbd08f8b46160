"""Where an authority is named, no address may lead to a server that is not checked against it."""

import ssl
from pathlib import Path

import pytest

from deploy.local.authority import certificates
from deploy.provisioning.external import NamedBroker
from services.cli import environment
from services.common.environment import NotConfigured
from shared.runtime.tls import CA_FILE, TlsCertificate, TlsError, ca_file, checked_ca, over_tls

CA = Path("/etc/own ca.pem")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("amqps://u:p%40ss@host:5671/traboule", "amqps://u:p%40ss@host:5671/traboule?cafile=/etc/own%20ca.pem"),
        ("amqps://host/v?heartbeat=5&cafile=/its/own", "amqps://host/v?heartbeat=5&cafile=/its/own"),
        ("https://u:p@host:15671", "https://u:p@host:15671?cafile=/etc/own%20ca.pem"),
        ("postgresql://host/db", "postgresql://host/db?sslmode=verify-full&sslrootcert=/etc/own%20ca.pem"),
        (
            "postgresql://a:1,b:2/db?sslmode=verify-full&sslrootcert=/its/own",
            "postgresql://a:1,b:2/db?sslmode=verify-full&sslrootcert=/its/own",
        ),
    ],
)
def test_the_authority_is_written_into_an_address(url: str, expected: str) -> None:
    assert over_tls(url, CA) == expected
    assert over_tls(expected, CA) == expected


@pytest.mark.parametrize(
    "url",
    [
        "amqp://u:secret@host/traboule",
        "http://u:secret@host:15672",
        "amqps://u:secret@host/traboule?no_verify_ssl=1",
        "postgresql://u:secret@host/db?sslmode=require",
        "postgresql://u:secret@host/db?sslmode=disable",
    ],
)
def test_what_is_clear_or_unchecked_is_refused(url: str) -> None:
    with pytest.raises(TlsError) as refused:
        over_tls(url, CA)
    assert "secret" not in str(refused.value)
    assert over_tls(url, None) == url


def test_a_service_says_which_of_its_addresses_is_clear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = certificates(tmp_path, "localhost").ca
    monkeypatch.setenv(CA_FILE, str(authority))
    monkeypatch.setenv("TRABOULE_BILLING_DATABASE_URL", "postgresql://u:secret@db/billing?sslmode=require")
    monkeypatch.setenv("TRABOULE_BILLING_BROKER_URL", "amqp://u:secret@broker/traboule")
    with pytest.raises(NotConfigured) as refused:
        environment.settings_of("billing")
    answer = str(refused.value)
    assert "TRABOULE_BILLING_DATABASE_URL" in answer
    assert "sslmode can only be verify-full" in answer
    assert "write amqps:// for amqp://" in answer
    assert "secret" not in answer


def test_an_authority_that_is_none_is_told_before_anything_connects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty.pem").write_text("no certificate")
    for path in (tmp_path / "empty.pem", tmp_path / "missing.pem", tmp_path):
        with pytest.raises(TlsError, match="cannot be used as a certificate authority"):
            checked_ca(path)
    monkeypatch.setenv(CA_FILE, "")
    assert ca_file() is None


def test_a_renewed_certificate_is_taken_up_and_a_broken_one_is_not(tmp_path: Path) -> None:
    first = certificates(tmp_path, "localhost")
    gateway = TlsCertificate(first.certificate, first.key)
    assert gateway.refresh() is False
    first.certificate.write_text("half written")
    with pytest.raises(TlsError):
        gateway.refresh()
    assert gateway.refresh() is False, "told once, not every five seconds"
    certificates(tmp_path, "localhost")
    assert gateway.refresh() is True
    assert isinstance(gateway.context, ssl.SSLContext)


def test_the_management_api_of_a_named_broker_is_asked_as_the_broker_is() -> None:
    assert NamedBroker("amqp://u:p@host:5672/v").management_url == "http://u:p@host:15672"
    assert NamedBroker("amqps://u:p@host:5671/v?cafile=/ca").management_url == "https://u:p@host:15671?cafile=/ca"
