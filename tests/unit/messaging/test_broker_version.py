"""No former system publishes to a broker before 4.0, but for private nodes that are named so."""

from typing import Any

import pytest

from shared.messaging.broker_version import PRIVATE_BROKER, OldBrokerError, is_old, require
from shared.messaging.management import Management


class Broker(Management):
    """A management API that tells its version, and nothing else."""

    def __init__(self, version: str, url: str = "http://admin:secret@broker.example:15672") -> None:
        super().__init__(url)
        self.version = version

    def call(self, method: str, path: str, body: Any = None) -> Any:
        assert (method, path.partition("?")[0]) == ("GET", "/api/overview")
        return {"rabbitmq_version": self.version}


@pytest.fixture(autouse=True)
def foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is everywhere but in tests."""
    monkeypatch.delenv(PRIVATE_BROKER, raising=False)


@pytest.mark.parametrize(
    ("version", "old"),
    [
        ("3.10.8", True),
        ("3.13.7", True),
        ("4.0.0", False),
        ("4.0.0-rc.1", False),
        ("4.3.6", False),
        ("10.1", False),
        ("4", True),
        ("unknown", True),
        ("", True),
    ],
)
def test_a_version_is_read_by_its_numbers(version: str, old: bool) -> None:
    assert is_old(version) is old


def test_an_old_broker_is_refused_and_told_why() -> None:
    with pytest.raises(OldBrokerError) as refused:
        require(Broker("3.10.8"))
    published = str(refused.value)
    assert all(word in published for word in ("3.10.8", "4.0", "BCC", "x-death", PRIVATE_BROKER))
    assert "secret" not in published
    require(Broker("4.0.5"))


def test_a_node_that_we_started_is_let_pass_and_one_that_is_named_only_where_it_is_said_to_be_private(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours = "http://admin:secret@127.0.0.1:15672"
    require(Broker("3.10.8"), private=True)
    with pytest.raises(OldBrokerError):
        require(Broker("3.10.8", ours))
    monkeypatch.setenv(PRIVATE_BROKER, "yes")
    require(Broker("3.10.8", ours))
    with pytest.raises(OldBrokerError):
        require(Broker("3.10.8"))  # the variable is left from trying, and the broker is a real one
    monkeypatch.setenv(PRIVATE_BROKER, "no")
    with pytest.raises(OldBrokerError):
        require(Broker("3.10.8", ours))
