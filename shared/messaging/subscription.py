"""One line of a service's routing table: which fact it hears, in which queue, and who handles it."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from schemas.envelope import Refused
from shared.messaging.delivery import Message
from shared.messaging.topology import Queue
from shared.messaging.unit_of_work import UnitOfWork


class FactType(Protocol):
    """What a subscription needs to know of a fact's class."""

    @classmethod
    def binding(cls, to: str | None = None) -> str: ...
    @classmethod
    def publishers(cls, clusters: Collection[str]) -> frozenset[str]: ...


Handler = Callable[[Any, Sequence[Any]], Awaitable[None]]
"""``async def handle(uow, messages)``: messages that are new to the inbox, at least one, in order of arrival."""


@runtime_checkable
class PreparingHandler(Protocol):
    """A handler with a first step of its own, outside the transaction of the messages."""

    async def prepare(
        self, engine: AsyncEngine, unit_of_work: Callable[[AsyncConnection], UnitOfWork], messages: Sequence[Any]
    ) -> Any:
        """Do what needs no turn. The handler finds the result in ``uow.prepared``.

        It may commit what no other reader takes for true: the messages are not in the inbox yet, so after a crash they
        come again. Some of them may be known already. It may raise as the handler does.
        """
        ...


Read = Callable[[Any, bytes, str | None, Mapping[str, Any]], Iterable[Sequence[Message | Refused]]]
"""``read(fact_type, body, content_type, headers)`` gives every event of a message, in parts that are each read in
milliseconds; it never raises."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """``Subscription("billing.invoice-recorded", InvoiceRecorded, handlers.record_invoices)``.

    ``prefetch`` bounds the messages in hand where each is large; None leaves it to the service's settings. ``to`` is
    the reader whose messages it wants, of a fact that addresses each to one.
    """

    queue_name: str
    fact: type[FactType]
    handler: Handler
    prefetch: int | None = None
    to: str | None = None

    @property
    def queue(self) -> Queue:
        """The queue, with the topic pattern that feeds it."""
        return Queue(self.queue_name, self.fact.binding(self.to))
