"""Exports as files, imported as ``traboule import`` would, into a service's own database and without a broker."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from deploy.local.nodes import Nodes
from deploy.provisioning.provision import CLUSTERS
from schemas.base import Fact
from schemas.catalogue import by_type
from schemas.envelope import to_json
from schemas.reading import read
from services.cli.environment import settings_of
from services.cli.importing.reading import FormerSystem, messages, open_files
from services.cli.registry import definition_of
from tests.support.command import Answer, traboule
from tests.support.emptying import EMPTY
from tests.support.merging import Database, a_database


@dataclass(frozen=True)
class Mirrored:
    """A service with a database, and the former system ``numelink/<service>``."""

    service: str
    folder: Path
    database: Database

    @property
    def system(self) -> str:
        return f"numelink/{self.service}"

    def export(self, *facts: Fact) -> list[Path]:
        """One JSON lines file for each type of fact, without versions, as a former system exports."""
        paths: list[Path] = []
        for fact_type in dict.fromkeys(type(fact) for fact in facts):
            path = self.folder / f"{fact_type.key}.jsonl"
            trees = [orjson.loads(to_json(fact)) for fact in facts if type(fact) is fact_type]
            path.write_bytes(b"\n".join(orjson.dumps({**tree, "version": None}) for tree in trees))
            paths.append(path)
        return paths

    async def imports(self, *facts: Fact, cluster: str = "numelink") -> None:
        """What the former system exports arrives."""
        subscriptions = definition_of(self.service).subscriptions
        handlers: dict[Any, Any] = {subscription.fact: subscription.handler for subscription in subscriptions}
        unit_of_work = definition_of(self.service).unit_of_work(settings_of(self.service))
        former = FormerSystem(cluster, self.service)
        async with self.database.engine() as engine:
            for outgoing in messages(former, open_files(former, self.export(*facts))):
                fact = by_type(_type_of(outgoing.routing_key, self.service))
                assert fact is not None
                async with engine.begin() as connection:
                    uow = unit_of_work(connection)
                    await handlers[fact](uow, list(read(fact, outgoing.body, outgoing.content_type, {})))
                    await uow.outbox.flush(connection)

    async def sql(self, statement: str) -> None:
        """Change something behind the service's back."""
        async with self.database.engine() as engine, engine.begin() as connection:
            await connection.exec_driver_sql(statement)

    async def parity(self, *facts: Fact, also: Iterable[str] = (), ends: int = 0) -> Answer:
        """``traboule parity`` with an export of these."""
        return await self.command("parity", *map(str, self.export(*facts)), *also, ends=ends)

    async def command(self, *words: str, ends: int = 0) -> Answer:
        answer = await traboule(*words, "--as", self.system)
        assert answer.exit_code == ends, answer.out + answer.err
        return answer


def _type_of(routing_key: str, service: str) -> str:
    return f"fr.traboule.{service}.{routing_key.rpartition('.')[2]}.v1"


@contextmanager
def a_mirror(nodes: Nodes, folder: Path, service: str) -> Iterator[Mirrored]:
    """An empty database that the command is told of."""
    with a_database(nodes, service) as database, pytest.MonkeyPatch.context() as patch:
        values = {"DATABASE_URL": database.url, "BROKER_URL": "amqp://nobody", "CLUSTERS_FILE": CLUSTERS}
        for name, value in values.items():
            patch.setenv(f"TRABOULE_{service.upper()}_{name}", str(value))
        yield Mirrored(service, folder, database)


async def empty(mirrored: Mirrored) -> None:
    """Nothing is held, and nothing was ever compared."""
    await mirrored.sql(EMPTY)
