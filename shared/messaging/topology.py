"""Exchanges, queues, users and rights on the broker, as RabbitMQ definitions.

The broker is given all of it before any service starts, so a service needs no right to configure anything, and no
message can arrive at an exchange whose queues are not there yet.

::

    former system ─┐                          ┌─ <service>.<fact>            one per subscription
                   ├─► traboule (topic) ──────┤
    service relay ─┘       │ no queue wants it └─ …
                           └─► traboule.unrouted ─► <service>.unrouted       kept, and parked by the service
    <service>.<fact> ─ returned too often ─► traboule.dead ─► <service>.dead kept, and parked by the service
    service relay ─► traboule ─► <cluster>.<service>.way-back                 read by that former system alone
    gateway ─► <service>.queries ─► that service                            questions: see shared/messaging/rpc.py
    retry: traboule.retry.<n>s ─► (waits n seconds) ─► back to the queue it came from
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shared.messaging.rpc import LONGEST_QUESTION, QUEUE_LENGTH, TTL_SECONDS, queries_queue

EXCHANGE = "traboule"
UNROUTED = "traboule.unrouted"
DEAD = "traboule.dead"
DELIVERY_LIMIT = 20
RETRY_DELAYS = (5, 30, 300)
"""Seconds before the second, third and fourth try; one TTL queue each."""
QUEUE_BYTES = 1_073_741_824
"""What may wait in one queue of a service: then the broker takes no more, and whoever publishes has to try again."""
MESSAGE_BYTES = 5 * 1024 * 1024
"""The largest body that the broker takes (``max_message_size`` in its configuration); what is larger ends in a 406.

A service parks bodies of more than 4 MiB, so that operators see them. It puts an event off in one body with its
attributes, which came as up to 128 KiB of headers and are up to six times as long in JSON: hence the mebibyte.
"""
FRAME_BYTES = 16_384
"""The largest frame (``frame_max``): all properties and headers of a message must fit one.

RabbitMQ 3.10 and 4.3 take time by the square of how deep a header is nested: 25 s to deliver one that fills the usual
128 KiB, while its queue stands still. In 16 KiB that is less than half a second.
"""
WAY_BACK = "way-back"
"""The last word of the name of a queue that a former system reads."""
SERVICE_LIMITS = {"max-connections": 64, "max-channels": 1024}
"""A replica has three connections, and a fourth where it asks others; a command that looks at queues has one for a
moment."""
OUTSIDE_LIMITS = {"max-connections": 50, "max-channels": 200}
"""A former system that leaks connections is stopped before the broker runs out of them for everybody. A web
application may open one for each request that it answers at a time."""
VHOST = "traboule"
OWN_PUBLISHER = "traboule"
"""The name under which our own services publish: the first word of their routing keys."""
STAFF = "staff"
"""The same of staff tools, which send commands."""


def retry_exchange(delay: int) -> str:
    """The exchange whose messages come back to the queue named by their routing key after ``delay`` seconds."""
    return f"{EXCHANGE}.retry.{delay}s"


def retry_queues() -> list[str]:
    """The name of each queue in which a message waits for its next attempt: that of its exchange."""
    return [retry_exchange(delay) for delay in RETRY_DELAYS]


@dataclass(frozen=True, slots=True)
class Queue:
    """A service's queue; ``binding`` is the topic pattern that feeds it, empty for the two that catch what fell."""

    name: str
    binding: str = ""

    @property
    def service(self) -> str:
        """The service that consumes it: the first word of its name."""
        return self.name.split(".", 1)[0]


def unrouted_queue(service: str) -> Queue:
    """Where messages wait that were sent to this service under a routing key that nothing subscribes to."""
    return Queue(f"{service}.unrouted")


def dead_queue(service: str) -> Queue:
    """Where the broker puts messages that this service returned too often, such as by crashing on them."""
    return Queue(f"{service}.dead")


def way_back_queue(cluster: str, service: str) -> Queue:
    """Where a former system finds what was written here while it is not the authority; it alone may read it.

    Every former system has one, also for a service that tells nothing yet: so what may be done by a broker user can be
    told from its name, and a service that learns to write needs no new definitions.
    """
    return Queue(f"{cluster}.{service}.{WAY_BACK}", f"{OWN_PUBLISHER}.{service}.*.{cluster}")


def is_way_back(queue_name: str) -> bool:
    """Whether this queue is read by a former system, and not by a service of ours."""
    return queue_name.endswith(f".{WAY_BACK}")


def _ways_back(former_systems: Iterable[str]) -> dict[str, Queue]:
    """The queue of each broker user that has one: staff tools have none, for they never were an authority."""
    named = {user: user.split(".", 1) for user in former_systems}
    return {user: way_back_queue(*words) for user, words in named.items() if words[0] != STAFF}


def _quorum(service: str) -> dict[str, Any]:
    # On RabbitMQ 4 a message over the limit without a dead-letter exchange is dropped; at-least-once dead-lettering
    # needs reject-publish, which in turn makes a full queue push back on publishers instead of losing anything.
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": DEAD,
        "x-dead-letter-routing-key": service,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


_KEEP = {"x-queue-type": "quorum", "x-overflow": "reject-publish", "x-delivery-limit": 1_000_000}
"""The queues of last resort have no delivery limit that a crash loop could reach. When they are full, whoever publishes
has to try again, and the broker keeps what it would dead-letter in the queue where it is: see README.md."""

_QUESTIONS = {
    "x-queue-type": "quorum",
    "x-overflow": "reject-publish",
    "x-message-ttl": TTL_SECONDS * 1000,
    "x-max-length": QUEUE_LENGTH,
    "x-max-length-bytes": QUEUE_LENGTH * LONGEST_QUESTION,
}
"""What nobody answered in time is dropped, and nowhere dead-lettered: a question is no fact. A quorum queue all the
same: the node of a classic one may be away, and then consuming it is an error."""


def definitions(
    queues: Iterable[Queue],
    services: Mapping[str, str],
    former_systems: Mapping[str, str],
    *,
    vhost: str = VHOST,
    queue_bytes: int = QUEUE_BYTES,
) -> dict[str, Any]:
    """RabbitMQ definitions (the format of ``rabbitmqctl import_definitions``).

    ``services`` maps each service to its password, ``former_systems`` each ``<cluster>.<service>`` to its own; staff
    tools, ``staff.<service>``, go with them, for they may do just as much: publish under their own name.
    ``queue_bytes`` is what may wait in each subscription.
    """
    inside = {"vhost": vhost}
    subscriptions = sorted(set(queues), key=lambda queue: queue.name)
    return {
        "vhosts": [{"name": vhost}],
        "exchanges": [inside | exchange for exchange in _exchanges()],
        "queues": [inside | queue for queue in _queues(subscriptions, services, former_systems)],
        "bindings": [inside | binding for binding in _bindings(subscriptions, services, former_systems)],
        "users": [
            *(_user(f"{OWN_PUBLISHER}.{name}", password, SERVICE_LIMITS) for name, password in services.items()),
            *(_user(name, password, OUTSIDE_LIMITS) for name, password in former_systems.items()),
        ],
        "policies": [inside | _limit(queue_bytes)],
        "permissions": [inside | permission for permission in _permissions(services, former_systems)],
        "topic_permissions": [inside | permission for permission in _topic_permissions(services, former_systems)],
    }


def _user(name: str, password: str, limits: Mapping[str, int]) -> dict[str, Any]:
    return {"name": name, "password": password, "tags": "", "limits": limits}


def _limit(queue_bytes: int) -> dict[str, Any]:
    # A policy, because a queue's own arguments cannot be changed while messages wait in it. It says what our queues say
    # themselves, reject-publish, for those that somebody else made: nothing that was confirmed is ever dropped.
    # Not those that wait for a retry, which our outbox alone fills, nor those that a former system reads: it would be
    # our relay that is stopped by whoever does not read.
    return {
        "name": f"{EXCHANGE}.full",
        "pattern": rf"^(?!{EXCHANGE}\.retry\.)(?!.*\.{WAY_BACK}$).+\..+$",
        "apply-to": "queues",
        "priority": 0,
        "definition": {"max-length-bytes": queue_bytes, "overflow": "reject-publish"},
    }


def _exchanges() -> list[dict[str, Any]]:
    # None is "internal": RabbitMQ 4 leaves those out of what it exports, and a backup would lack them. That nobody
    # publishes to the ones of last resort is a matter of rights.
    common = {"durable": True, "auto_delete": False, "internal": False}
    return [
        {**common, "name": EXCHANGE, "type": "topic", "arguments": {"alternate-exchange": UNROUTED}},
        {**common, "name": UNROUTED, "type": "topic", "arguments": {}},
        {**common, "name": DEAD, "type": "direct", "arguments": {}},
        *({**common, "name": name, "type": "fanout", "arguments": {}} for name in retry_queues()),
    ]


def _queues(subscriptions: list[Queue], services: Iterable[str], former_systems: Iterable[str]) -> list[dict[str, Any]]:
    common = {"durable": True, "auto_delete": False}
    delays = [
        {
            **common,
            "name": retry_exchange(delay),
            # No dead-letter routing key: the message keeps its own, which is the name of the queue to return to.
            "arguments": {
                "x-queue-type": "quorum",
                "x-message-ttl": delay * 1000,
                "x-dead-letter-exchange": "",
                "x-dead-letter-strategy": "at-least-once",
                "x-overflow": "reject-publish",
            },
        }
        for delay in RETRY_DELAYS
    ]
    return [
        *({**common, "name": q.name, "arguments": _quorum(q.service)} for q in subscriptions),
        *({**common, "name": unrouted_queue(s).name, "arguments": _KEEP} for s in services),
        *({**common, "name": dead_queue(s).name, "arguments": _KEEP} for s in services),
        *({**common, "name": queries_queue(s), "arguments": _QUESTIONS} for s in services),
        # What a former system rejects, or returns too often, is parked by the service that told it.
        *(
            {**common, "name": queue.name, "arguments": _quorum(user.split(".")[1])}
            for user, queue in _ways_back(former_systems).items()
        ),
        *delays,
    ]


def _bindings(
    subscriptions: list[Queue], services: Iterable[str], former_systems: Iterable[str]
) -> list[dict[str, Any]]:
    def bind(source: str, destination: str, routing_key: str) -> dict[str, Any]:
        return {
            "source": source,
            "destination": destination,
            "destination_type": "queue",
            "routing_key": routing_key,
            "arguments": {},
        }

    return [
        *(bind(EXCHANGE, q.name, q.binding) for q in (*subscriptions, *_ways_back(former_systems).values())),
        # Of former systems only: what our own services announce and nobody hears is a fault, and stays in the outbox.
        *(bind(UNROUTED, unrouted_queue(user.split(".")[1]).name, f"{user}.#") for user in former_systems),
        *(bind(DEAD, dead_queue(s).name, s) for s in services),
        *(bind(name, name, "") for name in retry_queues()),
    ]


def _permissions(services: Iterable[str], former_systems: Iterable[str]) -> list[dict[str, Any]]:
    def allow(user: str, *, write: str, read: str) -> dict[str, Any]:
        return {"user": user, "configure": "^$", "write": write, "read": read}

    ways_back = _ways_back(former_systems)
    return [
        # A service publishes facts, sends a message to its own queue again, and reads its own queues. From 4.0 on the
        # broker tells how many messages wait in a queue only to whoever has some right to it: the least of them is to
        # write, which is done by way of exchanges, and binds nothing without the right to read those.
        *(
            allow(
                f"{OWN_PUBLISHER}.{service}",
                write=rf"^(traboule|traboule\.retry\.[0-9]+s|amq\.default|[^.]+\.{service}\.{WAY_BACK})\z",
                read=rf"^{service}\..+\z",
            )
            for service in services
        ),
        *(
            allow(user, write=_just(EXCHANGE), read=_just(ways_back[user].name) if user in ways_back else "^$")
            for user in former_systems
        ),
    ]


def _just(name: str) -> str:
    return "^" + name.replace(".", r"\.") + r"\z"


def _topic_permissions(services: Iterable[str], former_systems: Iterable[str]) -> list[dict[str, Any]]:
    users = [*(f"{OWN_PUBLISHER}.{service}" for service in services), *former_systems]
    return [
        {
            "user": user,
            "exchange": EXCHANGE,
            # Not "$", which is found before a line break at the end as well: a message would pass that no queue wants.
            "write": "^" + user.replace(".", "\\.") + "\\.[a-z0-9.-]+\\z",
            "read": "^$",
        }
        for user in users
    ]
