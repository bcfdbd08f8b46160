"""What callers use: `with local_nodes() as nodes:`, a database and a broker, private or named by the environment."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import NodeError
from deploy.local import packages
from deploy.local.authority import Certificates
from deploy.local.broker import BrokerNode
from deploy.local.database import DatabaseNode
from deploy.local.runs import LOCAL, Run
from deploy.provisioning.definitions import load_definitions
from deploy.provisioning.external import BROKER, DATABASE, MANAGEMENT, NamedBroker, NamedDatabase
from shared.messaging.broker_version import PRIVATE_BROKER
from shared.runtime.tls import address

__all__ = ["NodeError", "Nodes", "local_nodes"]


@dataclass
class Nodes:
    """A running database and a running broker."""

    database: DatabaseNode | NamedDatabase
    broker: BrokerNode | NamedBroker
    boot_seconds: float = 0.0
    folder: Path | None = None

    @property
    def owned(self) -> bool:
        """Whether both servers were started here, and so may be killed; false when the environment named one."""
        return self.database.owned and self.broker.owned

    def environment(self) -> dict[str, str]:
        """The variables that name these servers to another process."""
        named = {DATABASE: self.database.url, BROKER: self.broker.url, MANAGEMENT: self.broker.management_url}
        return named | ({PRIVATE_BROKER: "yes"} if self.broker.owned else {})


@contextmanager
def local_nodes(
    definitions: Path | None = None, *, local: Path = LOCAL, tls: Certificates | None = None, synced: bool = True
) -> Generator[Nodes]:
    """Start both servers at once, load the broker's definitions if given, and end what was started on the way out.

    With ``tls`` those that are started here answer as ``localhost`` with that certificate, and take nothing in the
    clear. Without ``synced`` the database does not wait for the disk: see :class:`DatabaseNode`.

    However this process ends, by `kill -9` included, its servers end and their folder under `.local/` goes.
    """
    database = NamedDatabase(url) if (url := address(DATABASE)) else None
    broker = NamedBroker(url, address(MANAGEMENT)) if (url := address(BROKER)) else None
    if database and broker:
        yield _provisioned(Nodes(database, broker), definitions)
        return
    packages.ensure([*([] if broker else ["rabbitmq-server"]), *([] if database else ["postgresql"])])
    began = time.monotonic()
    with Run(local) as run:
        nodes = Nodes(
            database or DatabaseNode(run, tls, synced=synced), broker or BrokerNode(run, tls), folder=run.folder
        )
        _together(
            run, [node.create for node in (nodes.database, nodes.broker) if isinstance(node, DatabaseNode | BrokerNode)]
        )
        nodes.boot_seconds = time.monotonic() - began
        yield _provisioned(nodes, definitions)


def _together(run: Run, starts: list[Callable[[], None]]) -> None:
    with ThreadPoolExecutor(len(starts)) as pool:
        try:
            for future in [pool.submit(start) for start in starts]:
                future.result()
        except BaseException:
            run.close()  # else leaving the pool would wait for the other server to finish its boot
            raise


def _provisioned(nodes: Nodes, definitions: Path | None) -> Nodes:
    if definitions is not None:
        load_definitions(nodes.broker.management_url, json.loads(definitions.read_text()))
    return nodes
