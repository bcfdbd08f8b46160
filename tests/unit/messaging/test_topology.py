"""The broker's definitions: who may do what, and that nothing can fall out."""

import re
from typing import Any

import pytest

from deploy.demo import settling
from services import SERVICES
from services.cli import inspection
from shared.messaging import topology
from shared.messaging.failures import RETRY_DELAYS
from shared.messaging.topology import DEAD, EXCHANGE, UNROUTED, Queue, definitions

QUEUES = [Queue("billing.invoice-recorded", "*.billing.invoice-recorded"), Queue("billing.paid", "*.billing.paid")]
FORMER = {"numelink.billing": "n", "clustr-numerique.billing": "c"}


@pytest.fixture
def tree() -> dict[str, Any]:
    return definitions(QUEUES, {"billing": "secret"}, FORMER, vhost="house")


def allows(pattern: str, name: str) -> bool:
    """As the broker searches; Python's word for the end of a text, before 3.14, is another."""
    return re.search(pattern.replace(r"\z", r"\Z"), name) is not None


def by_name(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in rows}


def test_everything_lies_in_the_one_virtual_host(tree: dict[str, Any]) -> None:
    parts = ("exchanges", "queues", "bindings", "permissions", "topic_permissions")
    assert {row["vhost"] for part in parts for row in tree[part]} == {"house"}


def test_every_queue_is_kept_on_disk_and_pushes_back_when_full(tree: dict[str, Any]) -> None:
    for queue in tree["queues"]:
        assert queue["durable"]
        assert queue["arguments"]["x-queue-type"] == "quorum"
        assert queue["arguments"]["x-overflow"] == "reject-publish"


def test_what_is_returned_too_often_is_never_dropped(tree: dict[str, Any]) -> None:
    for name in ("billing.invoice-recorded", "billing.paid"):
        arguments = by_name(tree["queues"])[name]["arguments"]
        assert arguments["x-delivery-limit"] == 20
        assert arguments["x-dead-letter-strategy"] == "at-least-once"
        (binding,) = (b for b in tree["bindings"] if b["source"] == arguments["x-dead-letter-exchange"])
        assert binding["routing_key"] == arguments["x-dead-letter-routing-key"]
        assert binding["destination"] == "billing.dead"


def test_what_no_queue_wants_is_kept(tree: dict[str, Any]) -> None:
    alternate = by_name(tree["exchanges"])[EXCHANGE]["arguments"]["alternate-exchange"]
    result = {(b["destination"], b["routing_key"]) for b in tree["bindings"] if b["source"] == alternate}
    # Of every former system; not of our own services, whose unheard facts stay in the outbox.
    assert result == {("billing.unrouted", f"{former}.#") for former in FORMER}


@pytest.mark.parametrize("delay", RETRY_DELAYS)
def test_a_retry_waits_and_goes_back_by_its_own_routing_key(tree: dict[str, Any], delay: int) -> None:
    name = f"traboule.retry.{delay}s"
    arguments = by_name(tree["queues"])[name]["arguments"]
    assert arguments["x-message-ttl"] == delay * 1000
    assert arguments["x-dead-letter-exchange"] == ""
    assert "x-dead-letter-routing-key" not in arguments
    assert by_name(tree["exchanges"])[name]["type"] == "fanout"


@pytest.mark.parametrize(
    ("user", "key", "may"),
    [
        ("numelink.billing", "numelink.billing.invoice-recorded", True),
        ("numelink.billing", "clustr-numerique.billing.invoice-recorded", False),
        ("numelink.billing", "numelink.events.event-recorded", False),
        ("numelink.billing", "numelinkxbilling.invoice-recorded", False),
        ("numelink.billing", "traboule.billing.invoice-changed", False),
        ("traboule.billing", "traboule.billing.invoice-changed", True),
        ("traboule.billing", "traboule.events.event-changed", False),
    ],
)
def test_each_publishes_under_its_own_name_alone(tree: dict[str, Any], user: str, key: str, may: bool) -> None:
    (right,) = (row for row in tree["topic_permissions"] if row["user"] == user)
    assert allows(right["write"], key) is may


def test_a_right_ends_where_the_name_ends(tree: dict[str, Any]) -> None:
    """What ends with a line break would pass "$", and no queue wants such a routing key."""
    for row in [*tree["permissions"], *tree["topic_permissions"]]:
        for right in {"configure", "write", "read"} & row.keys():
            assert row[right] == "^$" or row[right].endswith(r"\z"), row
    (numelink,) = (row for row in tree["topic_permissions"] if row["user"] == "numelink.billing")
    assert not allows(numelink["write"], "numelink.billing.invoice-recorded\n")


def test_a_former_system_may_publish_and_read_its_way_back_and_nothing_else(tree: dict[str, Any]) -> None:
    queues = [queue["name"] for queue in tree["queues"]]
    for row in tree["permissions"]:
        assert row["configure"] == "^$"
        if row["user"] in FORMER:
            assert row["write"] == r"^traboule\z"
            assert [name for name in queues if allows(row["read"], name)] == [f"{row['user']}.way-back"]
            assert not allows(row["read"], f"x{row['user']}.way-back")
            assert not allows(row["read"], f"{row['user'].replace('.', '-')}.way-back")


def test_what_is_written_here_goes_to_the_one_former_system(tree: dict[str, Any]) -> None:
    bound = {b["destination"]: b["routing_key"] for b in tree["bindings"] if b["destination"].endswith(".way-back")}
    assert bound == {
        "numelink.billing.way-back": "traboule.billing.*.numelink",
        "clustr-numerique.billing.way-back": "traboule.billing.*.clustr-numerique",
    }
    arguments = by_name(tree["queues"])["numelink.billing.way-back"]["arguments"]
    assert arguments["x-dead-letter-routing-key"] == "billing", "what it gives back is parked by the service"
    assert not any(allows(row["read"], "numelink.billing.way-back") for row in tree["permissions"]
                   if row["user"] == "traboule.billing")  # fmt: skip


def test_staff_tools_read_nothing() -> None:
    tree = definitions([], {}, {"staff.membership": "s"})
    assert [row["read"] for row in tree["permissions"]] == ["^$"]
    assert [item["name"] for item in tree["queues"] if item["name"].endswith("way-back")] == []


def test_what_a_new_former_system_needs_is_told_from_its_name_alone() -> None:
    tree = definitions([], {}, {"grandlyon.membership": "g"})
    names = [item["name"] for item in tree["queues"] if item["name"].startswith("grandlyon.membership.")]
    assert names == ["grandlyon.membership.way-back"]
    result = {(b["destination"], b["routing_key"]) for b in tree["bindings"] if "grandlyon" in b["routing_key"]}
    assert result == {
        ("grandlyon.membership.way-back", "traboule.membership.*.grandlyon"),
        ("membership.unrouted", "grandlyon.membership.#"),
    }


def test_a_service_reads_its_own_queues_alone(tree: dict[str, Any]) -> None:
    (right,) = (row for row in tree["permissions"] if row["user"] == "traboule.billing")
    assert allows(right["read"], "billing.invoice-recorded")
    assert not allows(right["read"], "membership.invoice-changed")
    assert not allows(right["write"], "traboule.dead"), "only the broker puts messages there"


@pytest.mark.parametrize(
    ("name", "limited"),
    [
        ("billing.invoice-recorded", True),
        ("membership.members-merged", True),
        ("billing.unrouted", True),
        ("billing.dead", True),
        ("numelink.membership.way-back", False),
        ("traboule.retry.5s", False),
        ("somebody-elses", False),
        ("somebody.elses", True),
    ],
)
def test_whatever_a_former_system_can_fill_can_be_full(tree: dict[str, Any], name: str, limited: bool) -> None:
    (policy,) = tree["policies"]
    assert (re.search(policy["pattern"], name) is not None) is limited
    # Whoever's it is: what was confirmed is not dropped for what comes after.
    assert policy["definition"] == {"max-length-bytes": 1_073_741_824, "overflow": "reject-publish"}
    assert policy["apply-to"] == "queues"


def test_nobody_can_open_connections_without_end(tree: dict[str, Any]) -> None:
    users = by_name(tree["users"])
    assert users["numelink.billing"]["limits"] == {"max-connections": 50, "max-channels": 200}
    assert users["traboule.billing"]["limits"] == {"max-connections": 64, "max-channels": 1024}
    assert len(users) == 3


def test_a_service_has_some_right_to_the_way_back_of_its_own_former_systems_and_of_no_other() -> None:
    """From RabbitMQ 4.0 on it could not count what waits there otherwise; 3.10, which most tests use, does not ask."""
    made = definitions([], {"membership": "-", "billing": "-"}, {"numelink.membership": "-", "numelink.billing": "-"})
    rights = {item["user"]: item for item in made["permissions"]}
    for service, other in (("membership", "billing"), ("billing", "membership")):
        mine = rights[f"traboule.{service}"]
        assert allows(mine["write"], f"numelink.{service}.way-back")
        assert not allows(mine["write"], f"numelink.{other}.way-back")
        assert not allows(mine["read"], f"numelink.{service}.way-back")


def test_nobody_may_publish_where_only_the_broker_puts_messages(tree: dict[str, Any]) -> None:
    """By rights, since an exchange that RabbitMQ calls internal would be missing in a backup (from 4.0 on)."""
    assert not any(item["internal"] for item in tree["exchanges"])
    for item in tree["permissions"]:
        assert not allows(item["write"], UNROUTED), item["user"]
        assert not allows(item["write"], DEAD), item["user"]


def test_a_reader_of_the_topology_keeps_no_copy_of_its_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module first imported beside shortened delays asked for their queues for as long as the process ran."""
    monkeypatch.setattr(topology, "RETRY_DELAYS", (1,))
    assert topology.retry_queues() == ["traboule.retry.1s"]
    monkeypatch.undo()
    assert topology.retry_queues() == [f"traboule.retry.{delay}s" for delay in RETRY_DELAYS]
    assert not {"RETRY_DELAYS", "retry_exchange"} & {*vars(inspection), *vars(settling)}


def test_whoever_waits_until_all_is_settled_asks_each_service_of_what_it_may_know() -> None:
    """From RabbitMQ 4.0 on the others' queues answer with ACCESS_REFUSED; 3.10, which most tests use, tells anybody."""
    made = definitions([], dict.fromkeys(SERVICES, "-"), {})
    rights = {item["user"]: item for item in made["permissions"]}
    for service in SERVICES:
        mine = rights[f"traboule.{service}"]
        for name in [*settling.queues_of(service), *topology.retry_queues()]:
            assert allows(mine["read"], name) or allows(mine["write"], name), (service, name)
    assert len({name for service in SERVICES for name in settling.queues_of(service)}) > 3 * len(SERVICES)


def test_questions_wait_briefly_in_a_short_queue_and_are_nowhere_kept(tree: dict[str, Any]) -> None:
    arguments = by_name(tree["queues"])["billing.queries"]["arguments"]
    assert (arguments["x-message-ttl"], arguments["x-max-length"]) == (5_000, 1_000)
    assert arguments["x-max-length-bytes"] == 64_000 * 1024
    assert not [name for name in arguments if "dead-letter" in name], "a question is no fact"
    assert not [item for item in tree["bindings"] if item["destination"] == "billing.queries"], "only by its name"


def test_a_service_may_ask_and_answer_and_a_former_system_may_do_neither(tree: dict[str, Any]) -> None:
    """By the default exchange, to which services send retries anyway: questions needed no new right."""
    rights = {row["user"]: row for row in tree["permissions"]}
    assert allows(rights["traboule.billing"]["read"], "billing.queries")
    assert not allows(rights["traboule.billing"]["read"], "events.queries")
    assert allows(rights["traboule.billing"]["write"], "amq.default")
    for user in FORMER:
        assert not allows(rights[user]["write"], "amq.default")
        assert not allows(rights[user]["read"], "billing.queries")
