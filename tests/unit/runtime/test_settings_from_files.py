"""Passwords may lie in files, as container engines hand them out, and a fault there is told by name alone."""

import os
from pathlib import Path

import pytest

from services.billing.settings import BillingSettings
from services.cli import environment
from services.cli import main as cli
from services.common.environment import NotConfigured, load_env_file
from services.membership.settings import MembershipSettings
from shared.runtime.variables import SecretFileError, variable

DATABASE = "TRABOULE_BILLING_DATABASE_URL"
BROKER = "TRABOULE_BILLING_BROKER_URL"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("TRABOULE_")]:
        monkeypatch.delenv(name)


def test_a_service_reads_its_addresses_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "database").write_text("postgresql://one:secret@db/traboule_billing\n")
    monkeypatch.setenv(f"{DATABASE}_FILE", str(tmp_path / "database"))
    monkeypatch.setenv(BROKER, "amqp://two@broker/traboule")

    settings = BillingSettings()  # pyright: ignore[reportCallIssue]

    assert settings.database_url == "postgresql://one:secret@db/traboule_billing"
    assert settings.broker_url == "amqp://two@broker/traboule"


def test_a_variable_whose_own_name_ends_in_file_is_still_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRABOULE_MEMBERSHIP_DATABASE_URL", "postgresql://db/members")
    monkeypatch.setenv("TRABOULE_MEMBERSHIP_BROKER_URL", "amqp://broker/traboule")
    monkeypatch.setenv("TRABOULE_CLUSTERS_FILE", "elsewhere/clusters.toml")
    monkeypatch.setenv("TRABOULE_MEMBERSHIP_SURVIVORSHIP_FILE", "elsewhere/rules.toml")

    settings = MembershipSettings()  # pyright: ignore[reportCallIssue]

    assert settings.clusters_file == Path("elsewhere/clusters.toml")
    assert settings.survivorship_file == Path("elsewhere/rules.toml")


def test_a_number_from_a_file_is_validated_like_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "prefetch").write_text("none at all")
    monkeypatch.setenv(DATABASE, "postgresql://db/x")
    monkeypatch.setenv(BROKER, "amqp://broker/traboule")
    monkeypatch.setenv("TRABOULE_BILLING_PREFETCH_FILE", str(tmp_path / "prefetch"))

    with pytest.raises(NotConfigured, match="TRABOULE_BILLING_PREFETCH: Input should be a valid integer"):
        environment.settings_of("billing")


def test_given_twice_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "database").write_text("postgresql://from-the-file")
    monkeypatch.setenv(DATABASE, "postgresql://from-the-environment")
    monkeypatch.setenv(f"{DATABASE}_FILE", str(tmp_path / "database"))

    with pytest.raises(SecretFileError) as refused:
        environment.settings_of("billing")
    assert str(refused.value) == f"{DATABASE} and {DATABASE}_FILE are both set: leave one of them out"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "which cannot be read (FileNotFoundError)"),
        (b"", "which is empty"),
        (b"\n", "which is empty"),
        (b"p\xe9ssword", "which cannot be read (UnicodeDecodeError)"),
    ],
)
def test_a_file_without_a_value_is_named(
    content: bytes | None, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv(f"{DATABASE}_FILE", str(path))

    with pytest.raises(SecretFileError) as refused:
        environment.configured()
    assert str(refused.value) == f"{DATABASE}_FILE names {path}, {text}"


def test_empty_counts_as_not_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRABOULE_BROKER_MANAGEMENT_URL", "")
    assert variable("TRABOULE_BROKER_MANAGEMENT_URL") is None
    (tmp_path / "management").write_text("http://admin:secret@broker:15672\r\n")
    monkeypatch.setenv("TRABOULE_BROKER_MANAGEMENT_URL_FILE", str(tmp_path / "management"))
    assert variable("TRABOULE_BROKER_MANAGEMENT_URL") == "http://admin:secret@broker:15672"


def test_the_command_says_it_in_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv(f"{DATABASE}_FILE", "/nowhere/at/all")
    monkeypatch.setattr("sys.argv", ["traboule", "serve", "billing"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err.strip() == (
        f"{DATABASE}_FILE names /nowhere/at/all, which cannot be read (FileNotFoundError)"
    )


def test_files_alone_tell_of_a_house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    services = tmp_path / "services.env"
    services.write_text(f"{DATABASE}=postgresql://another-house\n")
    monkeypatch.setenv(f"{BROKER}_FILE", "/run/secrets/billing-broker")
    load_env_file(services)
    assert variable(DATABASE) is None


@pytest.mark.parametrize(("written", "trusted"), [("10.0.0.0/8, 2001:db8::1", ("10.0.0.0/8", "2001:db8::1")), ("", ())])
def test_trusted_proxies_are_addresses_or_networks(
    monkeypatch: pytest.MonkeyPatch, written: str, trusted: tuple[str, ...]
) -> None:
    monkeypatch.setenv(DATABASE, "postgresql://db/billing")
    monkeypatch.setenv(BROKER, "amqp://broker/traboule")
    monkeypatch.setenv("TRABOULE_TRUSTED_PROXIES", written)
    assert BillingSettings().trusted_proxies == trusted  # pyright: ignore[reportCallIssue]
    monkeypatch.setenv("TRABOULE_TRUSTED_PROXIES", "*")
    with pytest.raises(ValueError, match=r"'\*' is no address or network, such as 10\.0\.0\.0/8"):
        BillingSettings()  # pyright: ignore[reportCallIssue]
