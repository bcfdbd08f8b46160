"""What a command says where a database is away, or an address is none: which one, what is wrong, and no password."""

import pytest

from services.cli.environment import configured
from services.common.environment import NotConfigured
from shared.messaging.management import Management, ManagementError
from tests.support.command import traboule

PASSWORD = "geheim-4711"
AWAY = f"postgresql://somebody:{PASSWORD}@127.0.0.1:1/none"
BROKER = f"amqp://somebody:{PASSWORD}@127.0.0.1:1/none"


@pytest.fixture(autouse=True)
def two_services(monkeypatch: pytest.MonkeyPatch) -> None:
    for service in ("MEMBERSHIP", "BILLING"):
        monkeypatch.setenv(f"TRABOULE_{service}_DATABASE_URL", AWAY)
        monkeypatch.setenv(f"TRABOULE_{service}_BROKER_URL", BROKER)


@pytest.mark.parametrize(
    "command",
    ["keys list", "rebuild", "migrate membership", "migrate --all --check", "dead-letters list", "cutover status"],
)
async def test_a_database_that_is_away_is_named_without_a_traceback(command: str) -> None:
    answer = await traboule(*command.split())
    assert answer.exit_code == 2
    assert "the membership service's database: ConnectionRefusedError" in answer.err
    assert PASSWORD not in answer.err + answer.out


async def test_every_database_that_is_away_is_told() -> None:
    answer = await traboule("migrate", "--all")
    assert "the membership service's database" in answer.err
    assert "the billing service's database" in answer.err


async def test_what_is_not_configured_is_told_beside_what_is() -> None:
    answer = await traboule("status", "--json")
    assert [item["name"] for item in answer.json["services"]] == ["membership", "billing"]
    assert "left out: the events service is not configured: TRABOULE_EVENTS_DATABASE_URL" in answer.err
    assert "left out: the communications service" in answer.err


@pytest.mark.parametrize(
    ("variable", "written"),
    [
        ("DATABASE_URL", f"postgresql://somebody:{PASSWORD}@127.0.0.1:not/none"),
        ("DATABASE_URL", f"mysql://somebody:{PASSWORD}@127.0.0.1/none"),
        ("BROKER_URL", f"http://somebody:{PASSWORD}@127.0.0.1/none"),
        ("HTTP_PORT", "abc"),
    ],
)
def test_a_service_with_an_address_that_is_none_does_not_disappear(
    variable: str, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"TRABOULE_BILLING_{variable}", written)
    with pytest.raises(NotConfigured, match=f"billing service is not configured: TRABOULE_BILLING_{variable}") as info:
        configured()
    assert PASSWORD not in str(info.value)


@pytest.mark.parametrize("written", [f"htp:///admin:{PASSWORD}@broker", f"http://admin:{PASSWORD}", "broker:15672"])
def test_a_management_address_that_is_none_is_not_repeated(written: str) -> None:
    with pytest.raises(ManagementError, match="TRABOULE_BROKER_MANAGEMENT_URL is no address") as refused:
        Management(written).call("GET", "/api/whoami")
    assert PASSWORD not in str(refused.value)
