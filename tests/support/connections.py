"""How many connections to PostgreSQL our programs open at most."""

from services import SERVICES
from services.cli.registry import definition_of
from services.common.app import EXTRA_CONNECTIONS

BACKUP = 3 * len(SERVICES)
"""For each database one that reads, one that makes writers wait, and pg_dump's."""
_RELAY = 1
_GATEWAY = 6 + 4 + 1 + 1
"""To read, to write, to be woken, and for readiness where it is a process of its own: services/gateway/app.py."""


def most_connections(service: str) -> int:
    """Of one process: a connection for each queue that it reads, for what it does beside, its relay and its door."""
    lanes = len(definition_of(service).subscriptions)
    return lanes + EXTRA_CONNECTIONS + _RELAY + (_GATEWAY if service == "membership" else 0)
