"""Which RabbitMQ is good enough for former systems to publish to.

RabbitMQ before 4.0 checks the right to a topic for a message's first routing key alone: by its headers ``CC`` and
``BCC`` one former system writes into the queue of another (rabbitmq-server#12553). And on 3.10 one message with a
forged ``x-death`` header ends the process that dead-letters, for every queue of the node. Both were tried, and 4.3
refuses the one and survives the other.
"""

from __future__ import annotations

import os

from shared.messaging.management import Management

LEAST = (4, 0)
PRIVATE_BROKER = "TRABOULE_PRIVATE_BROKER"
"""Set to ``yes`` by private nodes for trying and for tests, where nobody but ourselves publishes. It counts for a
broker on this machine alone."""
_THIS_MACHINE = ("127.0.0.1", "::1", "localhost")
WHY = (
    "before 4.0 a former system can write into another's queue (headers CC and BCC), and one message with a forged "
    "x-death header can end dead-lettering for all"
)


class OldBrokerError(Exception):
    """The broker is too old for former systems; the message says why and what to do."""


def version_of(broker: Management) -> str:
    """Such as ``4.3.0``. Raises ManagementError."""
    return str(broker.call("GET", "/api/overview?columns=rabbitmq_version")["rabbitmq_version"])


def is_old(version: str) -> bool:
    """Whether no former system should publish to it. A version that cannot be read is."""
    major, _, rest = version.partition(".")
    minor = rest.partition(".")[0]
    return not (major.isdecimal() and minor.isdecimal()) or (int(major), int(minor)) < LEAST


def is_private(broker: Management) -> bool:
    """Whether it is a node of this machine that was named as private."""
    return os.environ.get(PRIVATE_BROKER) == "yes" and broker.host in _THIS_MACHINE


def require(broker: Management, *, private: bool = False) -> None:
    """Raise OldBrokerError if former systems may not publish there, and ManagementError if it does not answer.

    ``private`` is for whoever started the broker itself.
    """
    if private or is_private(broker):
        return
    version = version_of(broker)
    if is_old(version):
        raise OldBrokerError(
            f"the broker is RabbitMQ {version}, and no former system may publish to one before 4.0: {WHY}. "
            f"Upgrade it. A private node for trying on this machine is let pass with {PRIVATE_BROKER}=yes"
        )
