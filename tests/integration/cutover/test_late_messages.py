"""Late messages in every service: what staff apply keeps its own version; what says just what is held asks nobody."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import permutations
from random import Random
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import orjson
import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.local.nodes import Nodes
from deploy.provisioning.provision import migrations_folder
from schemas.base import AnnouncedRecord, Fact
from schemas.billing import InvoiceChanged, PaymentChanged
from schemas.communications import ConsentChanged, MailingChanged
from schemas.envelope import STRUCTURED, Envelope, encode, source_of
from schemas.events import EventChanged, RegistrationChanged, RegistrationRecorded
from schemas.membership import MemberRecorded, MemberRemoved
from schemas.reading import read
from services.billing.mirror.repository import BillingUnitOfWork
from services.cli.registry import definition_of
from services.communications.mirror.repository import CommunicationsUnitOfWork
from services.cutover import late_messages, operations, preconditions, quarantine, quarantine_operations
from services.cutover.fence import Fenced
from services.cutover.moves import move
from services.cutover.noop import kind_of
from services.cutover.parity.mirror_reader import Kind as MirroredKind
from services.cutover.parity.mirror_reader import mirrored_records
from services.events.mirror.repository import EventsUnitOfWork
from services.membership.records.record import RecordKey
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.usecases.edit_record import By, Command, execute_command
from shared.persistence.database import create_engine, rows_of
from shared.persistence.migrations import upgrade
from shared.runtime.clock import Clock
from tests.support import any_order, builders
from tests.support.emptying import EMPTY
from tests.support.in_memory import POLICY, InMemoryMembership

CLUSTER = "numelink"
WHY = {"by": "zoé", "reason": "a test"}
UNITS_OF_WORK: dict[str, Callable[[Any], Any]] = {
    "billing": lambda connection: BillingUnitOfWork(connection, conflict_owner="somebody"),
    "events": lambda connection: EventsUnitOfWork(connection, conflict_owner="somebody"),
    "communications": CommunicationsUnitOfWork,
    "membership": lambda connection: MembershipUnitOfWork(connection, POLICY),
}


@dataclass(frozen=True)
class Kind:
    """One kind of record: what makes a fact of it, a field whose text may be anything, and how it is announced."""

    builder: Callable[..., Fact]
    text: str
    changed: type[AnnouncedRecord] | None
    own: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def service(self) -> str:
        return self.builder().service

    @property
    def mirrored(self) -> MirroredKind:
        return kind_of(definition_of(self.service).mirrored, type(self.builder()))

    @property
    def key(self) -> str:
        return self.mirrored.key

    def a(self, number: int, text: str, version: int) -> Fact:
        """The record of this number, which says this."""
        return self.builder(**{self.key: f"R{number}", self.text: text, "version": version} | self.own)


def _a_registration(seats: str = "", **given: Any) -> RegistrationRecorded:
    """It has no text that may be anything, but as many seats as a text makes."""
    return builders.a_registration(seats=1 + sum(seats.encode()), **given)


# What they name besides their own id is always the same, so that two facts differ in nothing else by chance.
KINDS = {
    "member": Kind(builders.a_member, "city", None, {"name": "Forges du Gier"}),
    "invoice": Kind(builders.an_invoice, "label", InvoiceChanged, {"record_id": "B-1"}),
    "payment": Kind(builders.a_payment, "method", PaymentChanged, {"record_id": "B-1"}),
    "event": Kind(builders.an_event, "title", EventChanged),
    "registration": Kind(_a_registration, "seats", RegistrationChanged, {"record_id": "B-1", "event_id": "E1"}),
    "consent": Kind(builders.a_consent, "proof", ConsentChanged, {"record_id": "B-1"}),
    "mailing": Kind(builders.a_mailing, "subject", MailingChanged, {"recipients": ("B-1",)}),
}


@pytest.fixture(scope="module")
def databases(nodes: Nodes) -> Iterator[dict[str, str]]:
    """An empty database of each service."""
    urls: dict[str, str] = {}
    for service in UNITS_OF_WORK:
        name = f"late_{service}_{token_hex(3)}"
        asyncio.run(_execute(nodes.database.url, f"create database {name}"))
        urls[service] = urlunsplit(urlsplit(nodes.database.url)._replace(path=f"/{name}"))
        upgrade(migrations_folder(service), urls[service])
    yield urls
    for url in urls.values():
        name = urlsplit(url).path.removeprefix("/")
        asyncio.run(_execute(nodes.database.url, f"drop database {name} with (force)"))


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()


@dataclass
class MirrorUnderTest:
    """One service's handlers on a database of its own. Nothing stands before them: whatever is said is heard again."""

    service: str
    engine: AsyncEngine
    epoch: int = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Any]:
        async with self.engine.begin() as connection:
            uow = UNITS_OF_WORK[self.service](connection)
            yield uow
            await uow.outbox.flush(connection)

    async def write(self, *facts: Fact) -> list[Envelope[Any]]:
        """One batch of the former system's."""
        events = [_event(fact) for fact in facts]
        await self.hear(events)
        return events

    async def hear(self, events: Sequence[Envelope[Any]]) -> None:
        subscriptions = definition_of(self.service).subscriptions
        [handler] = [
            subscription.handler for subscription in subscriptions if subscription.fact is type(events[0].data)
        ]
        assert isinstance(handler, Fenced)
        async with self.transaction() as uow:
            await handler(uow, events)

    async def move(self, *moves: Any) -> None:
        for item in moves:
            async with self.transaction() as uow:
                await move(uow, self.service, CLUSTER, item, **WHY)

    async def waiting(self) -> list[quarantine.Late]:
        async with self.transaction() as uow:
            return await quarantine.listed(uow.connection)

    async def apply_all(self) -> None:
        for item in await self.waiting():
            async with self.transaction() as uow:
                await late_messages.apply(uow, definition_of(self.service), item.number, **WHY)

    async def mirrored_records(self, kind: Kind) -> dict[str, tuple[str, int]]:
        """What each record says, and its version."""
        async with self.transaction() as uow:
            rows = mirrored_records(uow.connection, CLUSTER, kind.mirrored)
            result = {key: (getattr(fact, kind.text), fact.version) async for key, fact in rows}
            versions = rows_of(await uow.connection.exec_driver_sql(f"select {kind.key}, version from {_table(kind)}"))
        # A member is held as it was written, and its version stands beside it.
        return {key: (text, dict(versions)[key]) for key, (text, _) in result.items()}

    async def outbox(self, fact_type: type[Any]) -> list[Envelope[Any]]:
        """All that was announced, in this order."""
        async with self.transaction() as uow:
            rows = rows_of(await uow.connection.exec_driver_sql("select content_type, body from outbox order by id"))
        events = [item for content_type, body in rows for item in read(fact_type, bytes(body), content_type, {})]
        return [event for event in events if isinstance(event, Envelope)]


@pytest.fixture
async def stack_of(databases: dict[str, str]) -> AsyncIterator[Callable[[str], Any]]:
    """An empty house of one service."""
    engines: list[AsyncEngine] = []

    async def make(service: str) -> MirrorUnderTest:
        engine = create_engine(databases[service], application="test", pool_size=2)
        engines.append(engine)
        async with engine.begin() as connection:
            await connection.exec_driver_sql(EMPTY)
        return MirrorUnderTest(service, engine)

    yield make
    for engine in engines:
        await engine.dispose()


def _event(fact: Fact) -> Envelope[Any]:
    [event] = read(type(fact), encode(source_of(CLUSTER, fact.service), [fact]).body, STRUCTURED, {})
    assert isinstance(event, Envelope)
    return event


def _table(kind: Kind) -> str:
    return kind.mirrored.table


def _text(kind: Kind, text: str) -> Any:
    """A text as the kind's field holds it."""
    return getattr(kind.a(0, text, 1), kind.text)


# --- a late message that is applied --------------------------------------------------------------------------------

MANY = range(8)
"""Of two writings of one version, chance says which is kept: of so many, some would be lost."""


@pytest.mark.parametrize("version", [4, 5, 6])
@pytest.mark.parametrize("name", KINDS)
async def test_what_a_former_system_says_after_a_late_message_was_applied_counts(
    stack_of: Any, name: str, version: int
) -> None:
    kind = KINDS[name]
    services: MirrorUnderTest = await stack_of(kind.service)
    answer = await services.write(*(kind.a(item, f"five {item}", 5) for item in MANY))
    await services.move("mirror", "switch")
    await services.write(*(kind.a(item, f"late {item}", version) for item in MANY))
    await services.apply_all()
    assert await services.mirrored_records(kind) == {
        f"R{item}": (_text(kind, f"late {item}"), version) for item in MANY
    }

    await services.move("rollback")
    following = max(5, version) + 1
    answer += await services.write(*(kind.a(item, f"next {item}", following) for item in MANY))
    wanted = {f"R{item}": (_text(kind, f"next {item}"), following) for item in MANY}
    assert await services.mirrored_records(kind) == wanted
    for seed in range(3):
        again = [*answer]
        Random(seed).shuffle(again)
        await services.hear(again)
    assert await services.mirrored_records(kind) == wanted, "by whatever came again"
    if kind.changed is not None:
        await _shown_in_any_order(
            await services.outbox(kind.changed), kind, {_text(kind, f"next {item}") for item in MANY}
        )


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.changed is not None])
async def test_whoever_is_told_of_it_shows_what_was_applied(stack_of: Any, name: str) -> None:
    kind = KINDS[name]
    assert kind.changed is not None
    services: MirrorUnderTest = await stack_of(kind.service)
    await services.write(kind.a(1, "five", 5))
    await services.move("mirror", "switch")
    for text, version in (("late", 4), ("later", 5), ("latest", 3)):
        await services.write(kind.a(1, text, version))
        await services.apply_all()
    announced = await services.outbox(kind.changed)
    assert [item.data.applied_late for item in announced] == [0, 1, 2, 3]  # type: ignore[attr-defined]
    for order in permutations(announced):
        await _shown_in_any_order(order, kind, {_text(kind, "latest")})

    membership: MirrorUnderTest = await stack_of("membership")
    for item in reversed(announced):
        async with membership.transaction() as uow:
            await any_order.handle(uow, [item])
    async with membership.transaction() as uow:
        documents = (await uow.connection.exec_driver_sql("select document::text from related")).scalars()
    assert [orjson.loads(document).get(kind.text) for document in documents] == [_text(kind, "latest")]

    # What is told again after a restore is the same event as the newest.
    async with services.transaction() as uow:
        for telling in definition_of(services.service).republished:
            await telling.page(uow, None)
    assert (await services.outbox(kind.changed))[-1].id == announced[-1].id


async def _shown_in_any_order(announced: Sequence[Envelope[Any]], kind: Kind, wanted: set[Any]) -> None:
    """Membership shows this, whatever order it is told in, and however often."""
    uow = InMemoryMembership()
    published = [*announced, *announced[::2]]
    Random(7).shuffle(published)
    for entry in published:
        await any_order.handle(uow, [entry])
    shown = {orjson.loads(item.document).get(kind.text, 1) for item in uow.items.values()}
    assert shown == {orjson.loads(orjson.dumps(item)) for item in wanted}


async def test_whom_a_late_mailing_names_is_told_of_it_and_nobody_is_taken_away(stack_of: Any) -> None:
    services: MirrorUnderTest = await stack_of("communications")
    about = {"mailing_id": "L1"}
    await services.write(builders.a_mailing(**about, version=5, subject="five", recipients=("A", "B")))
    await services.move("mirror", "switch")
    await services.write(builders.a_mailing(**about, version=4, subject="late", recipients=("B", "C")))
    await services.apply_all()
    await services.move("rollback")
    await services.write(builders.a_mailing(**about, version=6, subject="six", recipients=("C",)))
    for order in permutations(await services.outbox(MailingChanged)):
        uow = InMemoryMembership()
        for entry in order:
            await any_order.handle(uow, [entry])
        shown = {item.record_id: orjson.loads(item.document)["subject"] for item in uow.items.values()}
        assert shown == {"A": "five", "B": "late", "C": "six"}


# --- a late message that says what is held -------------------------------------------------------------------------


@pytest.mark.parametrize("name", KINDS)
async def test_nobody_is_asked_about_what_says_just_what_is_held(stack_of: Any, name: str) -> None:
    kind = KINDS[name]
    services: MirrorUnderTest = await stack_of(kind.service)
    await services.write(kind.a(1, "held", 5), kind.a(2, "two", 5))
    await services.move("mirror", "switch")
    before = await services.mirrored_records(kind), len(await services.outbox(kind.changed or MemberRecorded))
    answer = await services.write(
        kind.a(1, "held", 9), kind.a(1, "other", 10), kind.a(2, "held", 6), kind.a(1, "held", 4), kind.a(3, "three", 1)
    )
    assert (await services.mirrored_records(kind), len(await services.outbox(kind.changed or MemberRecorded))) == before
    async with services.transaction() as uow:
        kept = await quarantine.listed(uow.connection, state=None)
        shown = await quarantine_operations.quarantined(uow, definition_of(kind.service), CLUSTER, "waiting")
        [line] = await operations.board(uow, definition_of(kind.service), [CLUSTER])
        condition = await preconditions.quarantine(uow.connection, kind.service, CLUSTER)
    settled, asked = ("applied", "traboule", "says what is held"), ("waiting", None, None)
    assert [(item.state, item.decided_by, item.reason) for item in kept] == [settled, asked, asked, settled, asked]
    assert [(item.message_id, bytes(item.body)) for item in kept] == [(item.id, item.encode()) for item in answer]
    assert all((item.decided_at is None) == (item.state == "waiting") for item in kept)
    assert [item["message_id"] for item in shown] == [answer[1].id, answer[2].id, answer[4].id]
    assert line["quarantine"] == 3
    assert not condition.holds

    await services.apply_all()
    assert await services.waiting() == []
    await services.write(kind.a(1, "held", 11), kind.a(1, "other", 12))
    [waits] = await services.waiting()
    assert orjson.loads(waits.body)["data"]["version"] == 11, "it says what was held before the other was applied"
    async with services.transaction() as uow:
        with pytest.raises(late_messages.LateMessageError, match="was applied by traboule already"):
            await late_messages.dismiss(uow, definition_of(kind.service), kept[0].number, **WHY)


async def test_who_is_said_to_have_had_a_mailing_is_what_counts_not_who_is_left_out(stack_of: Any) -> None:
    services: MirrorUnderTest = await stack_of("communications")
    about = {"mailing_id": "L1", "subject": "La lettre"}
    await services.write(builders.a_mailing(**about, version=1, recipients=("A", "B")))
    await services.move("mirror", "switch")
    for version, recipients in enumerate([("A",), ("B", "A"), (), ("A", "C")], 2):
        await services.write(builders.a_mailing(**about, version=version, recipients=recipients))
    [waits] = await services.waiting()
    assert orjson.loads(waits.body)["data"]["recipients"] == ["A", "C"]


async def test_a_removal_of_what_is_not_held_asks_nobody(stack_of: Any) -> None:
    services: MirrorUnderTest = await stack_of("membership")
    await services.write(builders.a_member(record_id="R1", city="Lyon", version=5))
    await services.move("mirror", "switch")
    await services.write(MemberRemoved(record_id="unknown", version=1), MemberRemoved(record_id="R1", version=6))
    [waits] = await services.waiting()
    assert orjson.loads(waits.body)["data"]["record_id"] == "R1"
    await services.apply_all()
    await services.write(MemberRemoved(record_id="R1", version=7, reason="a doublet"))
    assert await services.waiting() == []
    await services.write(builders.a_member(record_id="R1", city="Lyon", version=8))
    assert len(await services.waiting()) == 1, "it was removed, and is said to be there"


async def test_what_was_written_here_comes_back_without_a_question_and_is_not_told_again(stack_of: Any) -> None:
    services: MirrorUnderTest = await stack_of("membership")
    await services.write(KINDS["member"].a(1, "Lyon", 5))
    await services.move("mirror", "switch")
    async with services.transaction() as uow:
        key, fields = RecordKey(CLUSTER, "R1"), {"city": "Roanne"}
        command = Command("change", key, lambda _: fields, By("zoé"), "c-1", Clock().now())
        await execute_command(uow, command)
        [written] = (await uow.connection.exec_driver_sql("select written::text from source_records")).scalars()
        outbox = "select count(*) from outbox where routing_key like '%member-written%'"
        assert (await uow.connection.exec_driver_sql(outbox)).scalar_one() == 0, "it leaves with the transaction"
    echo = MemberRecorded.model_validate_json(written).model_copy(update={"version": 6})
    await services.write(KINDS["member"].a(1, "Lyon", 5), echo)
    [waits] = await services.waiting()
    assert orjson.loads(waits.body)["data"]["city"] == "Lyon", "it says what was held before"
    async with services.transaction() as uow:
        assert (await uow.connection.exec_driver_sql(outbox)).scalar_one() == 1
    # We are the authority still, and after a rollback whatever it says next counts, however it numbers it.
    await services.move("rollback")
    await services.write(KINDS["member"].a(1, "Feurs", 7))
    assert await services.mirrored_records(KINDS["member"]) == {"R1": ("Feurs", 7)}


async def test_a_full_batch_is_compared_by_one_statement(stack_of: Any) -> None:
    services: MirrorUnderTest = await stack_of("billing")
    facts = [KINDS["invoice"].a(item, f"text {item}", 1) for item in range(500)]
    await services.write(*facts)
    await services.move("mirror", "switch")
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(services.engine.sync_engine, "before_cursor_execute", note)
    await services.write(*(fact.model_copy(update={"version": 2}) for fact in facts))
    assert sum("invoices" in statement for statement in statements) == 1
    assert len(statements) < 10, "as many as for one message"
    assert await services.waiting() == []
