"""What membership says of merges, separations and conflicts: facts for tests, and ways to deliver them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from secrets import token_hex
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit
from uuid import NAMESPACE_URL, uuid5

import asyncpg
import orjson
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from deploy.local.nodes import Nodes
from deploy.provisioning import definitions as broker_api
from deploy.provisioning.provision import EXTENSIONS, migrations_folder
from schemas.base import Fact, RecordRef
from schemas.envelope import Envelope, encode
from schemas.membership import ConflictItem, MemberPart, MembersMerged, MembersSeparated, MergeConflictChanged, Overlap
from schemas.reading import read
from shared.messaging.topology import OWN_PUBLISHER, definitions
from shared.persistence.database import create_engine
from shared.persistence.migrations import upgrade
from tests.support import servers
from tests.support.in_process import OwnService, Passwords

OURS = RecordRef(cluster="clustr-numerique", record_id="cn-118")
THEIRS = RecordRef(cluster="numelink", record_id="1042")
NAMES: dict[str, str] = {"billing": "paid-twice", "events": "registered-twice"}
"""What each service that resolves conflicts has to resolve."""


# --- facts ----------------------------------------------------------------------------------------------------------


def member(name: str) -> str:
    """A member's id."""
    return str(uuid5(NAMESPACE_URL, name))


def merged(version: int, name: str, *records: RecordRef) -> MembersMerged:
    """These records are one member now."""
    return MembersMerged(version=version, member_id=member(name), records=records, former_ids=())


def separated(version: int, name: str, *parts: tuple[str, Sequence[RecordRef]]) -> MembersSeparated:
    """The member is these parts now."""
    return MembersSeparated(
        version=version,
        member_id=member(name),
        parts=tuple(MemberPart(member_id=member(part), records=tuple(records)) for part, records in parts),
    )


def year(number: int, invoice: str = "F1") -> Overlap:
    """A year that both paid for: by this invoice here, by a term there."""
    items = (
        ConflictItem(cluster=OURS.cluster, record_id=OURS.record_id, kind="invoice", item_id=f"{invoice}-{number}"),
        ConflictItem(cluster=THEIRS.cluster, record_id=THEIRS.record_id, kind="subscription", item_id=str(number)),
    )
    return Overlap(starts_on=date(number, 1, 1), ends_on=date(number, 12, 31), items=items)


def gathering(title: str, registration: str = "R1") -> Overlap:
    """A gathering that both registered for."""
    items = (
        ConflictItem(cluster=OURS.cluster, record_id=OURS.record_id, kind="registration", item_id=registration),
        ConflictItem(cluster=THEIRS.cluster, record_id=THEIRS.record_id, kind="registration", item_id="R9"),
    )
    return Overlap(event=title, items=items)


def a_conflict(version: int, *overlaps: Overlap, service: str = "billing", conflict_id: str = "") -> Any:
    """What is there twice between the two records now; nothing, once the conflict is gone."""
    return MergeConflictChanged.model_validate(
        {
            "version": version,
            "conflict_id": conflict_id or f"{service}-0123456789abcdef",
            "kind": NAMES[service],
            "responsible": service,
            "member_id": member("X"),
            "between": (OURS, THEIRS),
            "overlaps": overlaps,
        }
    )


def envelope(fact: Any, source: str = "/traboule/membership") -> Envelope[Any]:
    """The fact as a service reads it."""
    encoded = encode(source, [fact])
    (message,) = read(type(fact), encoded.body, encoded.content_type, {})
    assert isinstance(message, Envelope), message
    return message


@st.composite
def deliveries(draw: st.DrawFn, messages: Sequence[Envelope[Any]]) -> list[list[Envelope[Any]]]:
    """All of it, shuffled, some of it several times, cut into batches of one type anyhow."""
    order = draw(st.permutations([*messages, *draw(st.lists(st.sampled_from(messages), max_size=len(messages)))]))
    size = draw(st.integers(1, 4))
    runs = [list(run) for _, run in groupby(order, key=lambda message: type(message.data))]
    return [run[at : at + size] for run in runs for at in range(0, len(run), size)]


# --- a database alone -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Database:
    """A service's migrated database, without a broker."""

    service: str
    url: str

    @asynccontextmanager
    async def engine(self, pool_size: int = 1) -> AsyncIterator[AsyncEngine]:
        """A pool for the event loop of one example."""
        engine = create_engine(self.url, application="tests", pool_size=pool_size)
        try:
            yield engine
        finally:
            await engine.dispose()


@contextmanager
def a_database(nodes: Nodes, service: str) -> Iterator[Database]:
    """Made by the service's migrations, and dropped."""
    name = f"merging_{token_hex(3)}"
    url = urlunsplit(urlsplit(nodes.database.url)._replace(path=f"/{name}"))
    asyncio.run(_execute(nodes.database.url, f"create database {name}"))
    asyncio.run(_execute(url, *(f"create extension if not exists {text}" for text in EXTENSIONS.get(service, ()))))
    upgrade(migrations_folder(service), url)
    yield Database(service, url)
    asyncio.run(_execute(nodes.database.url, f"drop database {name} with (force)"))


async def _execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def handled(
    engine: AsyncEngine,
    unit_of_work: Callable[[AsyncConnection], Any],
    handler: Callable[[Any, list[Envelope[Any]]], Awaitable[None]],
    batch: list[Envelope[Any]],
) -> None:
    """A batch through a handler, in a transaction of its own."""
    async with engine.begin() as connection:
        uow = unit_of_work(connection)
        await handler(uow, batch)
        await uow.outbox.flush(connection)


async def newest_answers(connection: AsyncConnection) -> dict[str, tuple[str, str]]:
    """Owner and state of each conflict, as who heard every answer in the outbox knows them."""
    bodies = (await connection.exec_driver_sql("select body from outbox")).scalars()
    trees = [orjson.loads(body) for body in bodies]
    published = [event["data"] for tree in trees for event in (tree if isinstance(tree, list) else [tree])]
    newest: dict[str, dict[str, Any]] = {}
    for answer in published:
        document = newest.setdefault(answer["conflict_id"], answer)
        assert document is answer or document["version"] != answer["version"], "two answers of one version"
        if document["version"] < answer["version"]:
            newest[answer["conflict_id"]] = answer
    return {name: (answer["owner"], answer["state"]) for name, answer in newest.items()}


# --- a service and a broker -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Speaker:
    """Speaks as one of our services in another service's own house."""

    stack: OwnService
    service: str
    url: str

    async def publishes(self, *facts: Fact) -> None:
        """Publish each as a message of its own."""
        env = {f"TRABOULE_{self.service.upper()}_BROKER_URL": self.url}
        for fact in facts:
            await servers.publish_as(env, f"{OWN_PUBLISHER}.{self.service}", fact)


def speaker_in(stack: OwnService, passwords: Passwords, service: str) -> Speaker:
    """Let the service's user into the house's virtual host."""
    user = f"{OWN_PUBLISHER}.{service}"
    password = passwords.get(user)
    broker_api.load_definitions(stack.management_url, definitions([], {service: password}, {}, vhost=stack.vhost))
    parts = urlsplit(stack.admin_url)
    host = parts.netloc.rpartition("@")[2]
    return Speaker(stack, service, urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}")))
