"""A mirror of each service, with one message of each kind."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from schemas.base import AnnouncedRecord, Fact
from schemas.billing import InvoiceChanged, PaymentChanged
from schemas.communications import ConsentChanged, MailingChanged
from schemas.envelope import STRUCTURED, Envelope, encode, source_of
from schemas.events import EventChanged, RegistrationChanged, RegistrationRecorded
from schemas.reading import read
from services.billing.mirror.repository import BillingUnitOfWork
from services.cli.registry import definition_of
from services.communications.mirror.repository import CommunicationsUnitOfWork
from services.cutover import late_messages, quarantine
from services.cutover.fence import Fenced
from services.cutover.moves import move
from services.cutover.noop import kind_of
from services.cutover.parity.mirror_reader import Kind as MirroredKind
from services.cutover.parity.mirror_reader import mirrored_records
from services.events.mirror.repository import EventsUnitOfWork
from services.membership.unit_of_work import MembershipUnitOfWork
from shared.persistence.database import rows_of
from tests.support import builders
from tests.support.in_memory import POLICY

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


def a_registration(seats: str = "", **given: Any) -> RegistrationRecorded:
    """It has no text that may be anything, but as many seats as a text makes."""
    return builders.a_registration(seats=1 + sum(seats.encode()), **given)


# What they name besides their own id is always the same, so that two facts differ in nothing else by chance.
KINDS = {
    "member": Kind(builders.a_member, "city", None, {"name": "Forges du Gier"}),
    "invoice": Kind(builders.an_invoice, "label", InvoiceChanged, {"record_id": "B-1"}),
    "payment": Kind(builders.a_payment, "method", PaymentChanged, {"record_id": "B-1"}),
    "event": Kind(builders.an_event, "title", EventChanged),
    "registration": Kind(a_registration, "seats", RegistrationChanged, {"record_id": "B-1", "event_id": "E1"}),
    "consent": Kind(builders.a_consent, "proof", ConsentChanged, {"record_id": "B-1"}),
    "mailing": Kind(builders.a_mailing, "subject", MailingChanged, {"recipients": ("B-1",)}),
}


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
        events = [event_of(fact) for fact in facts]
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
            versions = rows_of(await uow.connection.exec_driver_sql(f"select {kind.key}, version from {table(kind)}"))
        # A member is held as it was written, and its version stands beside it.
        return {key: (text, dict(versions)[key]) for key, (text, _) in result.items()}

    async def outbox(self, fact_type: type[Any]) -> list[Envelope[Any]]:
        """All that was announced, in this order."""
        async with self.transaction() as uow:
            rows = rows_of(await uow.connection.exec_driver_sql("select content_type, body from outbox order by id"))
        events = [item for content_type, body in rows for item in read(fact_type, bytes(body), content_type, {})]
        return [event for event in events if isinstance(event, Envelope)]


def event_of(fact: Fact) -> Envelope[Any]:
    [event] = read(type(fact), encode(source_of(CLUSTER, fact.service), [fact]).body, STRUCTURED, {})
    assert isinstance(event, Envelope)
    return event


def table(kind: Kind) -> str:
    return kind.mirrored.table
