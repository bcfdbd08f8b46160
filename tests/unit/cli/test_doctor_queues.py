"""What ``traboule doctor`` says of messages that do not go where they should, and of queues that fill."""

from collections.abc import Mapping
from typing import Any

import pytest

from services.cli.doctor import queues as doctor_queues
from services.cli.doctor.findings import Finding, Findings
from shared.messaging.management import Management

REPORT, VHOST = Findings("broker"), "house"


class Broker(Management):
    """Answers with the next of its looks at queues, and with its channels."""

    def __init__(self, looks: list[dict[str, int]], channels: list[Any] | None = None) -> None:
        super().__init__("http://127.0.0.1:1")
        self.looks, self.channels = looks, channels or []

    def call(self, method: str, path: str, body: Any = None) -> Any:
        return self.channels if path.startswith("/api/channels?") else queues(self.looks.pop(0))


def queues(dlx: Mapping[str, int]) -> list[dict[str, Any]]:
    return [{"name": name, "messages_dlx": count} for name, count in dlx.items()]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_queues, "PAUSE_SECONDS", 0)


def dead_lettering(*looks: dict[str, int]) -> list[str]:
    broker = Broker(list(looks[1:]))
    findings = list(doctor_queues.dead_lettering(REPORT, broker, VHOST, queues(looks[0])))
    assert broker.looks == [], "it looked as often as it had to"
    return [finding.found for finding in findings if finding.state == "fail"]


def test_what_goes_is_well_and_what_stays_is_told() -> None:
    assert dead_lettering({"a.dead": 0}) == []
    assert dead_lettering({"a.x": 3, "a.y": 1}, {"a.x": 0, "a.y": 0}) == []
    assert dead_lettering({"a.x": 3}, {"a.x": 5}, {"a.x": 2}) == [], "others came meanwhile, and went"
    assert dead_lettering({"a.x": 3, "a.y": 1}, {"a.x": 3, "a.y": 0}, {"a.x": 4}) == [
        "3 messages of a.x wait to be dead-lettered, and do not go"
    ]


def test_a_queue_of_which_the_broker_has_not_counted_yet_says_nothing() -> None:
    findings = list(doctor_queues.dead_lettering(REPORT, Broker([]), VHOST, [{"name": "billing.dead"}]))
    assert [finding.state for finding in findings] == ["ok"]


# --- room ----------------------------------------------------------------------------------------------------------

BINDINGS = [
    {"source": "", "destination": "billing.invoice-recorded", "routing_key": "billing.invoice-recorded"},
    {"source": "traboule", "destination": "billing.invoice-recorded", "routing_key": "*.billing.invoice-recorded"},
    {"source": "traboule.unrouted", "destination": "billing.unrouted", "routing_key": "numelink.billing.#"},
    {"source": "traboule.dead", "destination": "billing.dead", "routing_key": "billing"},
    {"source": "traboule", "destination": "membership.x", "routing_key": "traboule.billing.invoice-changed"},
]


def channel(user: str, rate: float, vhost: str = VHOST) -> dict[str, Any]:
    return {"user": user, "vhost": vhost, "message_stats": {"publish_details": {"rate": rate}}}


CHANNELS = [
    channel("numelink.billing", 20.0),
    channel("numelink.billing", 5.5),
    channel("clustr-numerique.billing", 30.0),
    channel("clustr-numerique.billing", 900.0, "elsewhere"),
    channel("numelink.events", 99.0),
    channel("traboule.billing", 7.0),
    {"user": "staff.billing", "vhost": VHOST},
    {"user": "admin", "vhost": VHOST, "message_stats": {}},
]


def full(name: str, number: int, most: int | None = 1_000) -> list[Finding]:
    theirs = {"name": name, "message_bytes": number, "effective_policy_definition": {"max-length-bytes": most}}
    if most is None:
        theirs["effective_policy_definition"] = {}
    return list(doctor_queues.room(REPORT, Broker([], CHANNELS), VHOST, [theirs], BINDINGS))


@pytest.mark.parametrize(
    ("name", "who"),
    [
        (
            "billing.invoice-recorded",
            "clustr-numerique.billing (30.0 a second), numelink.billing (25.5 a second), "
            "traboule.billing (7.0 a second)",
        ),
        ("billing.unrouted", "numelink.billing (25.5 a second)"),
        ("billing.dead", "clustr-numerique.billing (30.0 a second), numelink.billing (25.5 a second)"),
        ("membership.x", "traboule.billing (7.0 a second)"),
        ("events.dead", "numelink.events (99.0 a second)"),
        ("communications.y", "nobody who is connected now"),
    ],
)
def test_who_fills_a_queue_is_told_and_nobody_who_cannot(name: str, who: str) -> None:
    (finding,) = full(name, 800)
    assert finding.state == "warn"
    assert finding.found == f"{name} holds 800 B of 1.0 kB; most is published by {who}"


@pytest.mark.parametrize(("number", "most"), [(799, 1_000), (10**12, None)])
def test_a_queue_with_room_or_without_a_limit_is_well(number: int, most: int | None) -> None:
    (finding,) = full("billing.invoice-recorded", number, most)
    assert finding.state == "ok"
