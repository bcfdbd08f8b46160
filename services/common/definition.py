"""What a service is made of. Each has one such definition, in ``services/<name>/definition.py``.

``services/cli/registry.py`` finds them by name. Nothing else depends on how a service calls its modules.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.cutover_requests import CutoverRequested
from services.common.republish import Republisher
from services.common.sections import Section
from services.cutover.definition import CutoverDefinition
from services.cutover.operations_table import table_of
from services.cutover.requests import Answering
from services.operations.binding import Table
from shared.messaging.subscription import Subscription
from shared.messaging.unit_of_work import UnitOfWork
from shared.process.http_process import HttpProcess
from shared.process.service import Service
from shared.runtime.settings import ServiceSettings

S = TypeVar("S", bound=ServiceSettings)


@dataclass(frozen=True, kw_only=True, eq=False)
class ServiceDefinition(CutoverDefinition, Generic[S]):
    """One service whole.

    ``create_app`` makes a process that is ready to run; nothing is connected yet. ``parts`` make processes that share
    its work, by name. ``unit_of_work`` makes one transaction of the service, also for the ``traboule`` command.
    ``republished`` is what it tells after a restore. ``sections`` are what it states of each source record, for the
    consolidated view or for another service.
    """

    settings: type[S]
    create_app: Callable[[S], Service]
    parts: Mapping[str, Callable[[S], Service | HttpProcess]] = field(default_factory=dict[str, Any])
    unit_of_work: Callable[[S], Callable[[AsyncConnection], UnitOfWork]]
    republished: Sequence[Republisher]
    sections: Sequence[Section] = ()

    @cached_property
    def every_operation(self) -> Table:
        """All that the service may be asked for, by name."""
        return table_of(self)

    @cached_property
    def queries(self) -> Table:
        """Those that change nothing."""
        return {name: bound for name, bound in self.every_operation.items() if bound.operation.kind == "query"}

    @property
    def subscriptions(self) -> tuple[Subscription, ...]:
        """All that the service hears: its routing table, and the requests about cutover."""
        requests = Subscription(f"{self.name}.cutover-requested", CutoverRequested, Answering(self), to=self.name)
        return (*self.routes, requests)
