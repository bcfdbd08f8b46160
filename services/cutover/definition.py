"""What moving a service's former systems over needs to know of that service. Each service hands its own in."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.cutover.parity.mirror_reader import Kind
from services.cutover.preconditions import Condition, Writers
from services.cutover.rehearsal_rule import Rehearsal
from services.cutover.writers import count_announced
from services.operations.binding import Bound
from shared.messaging.subscription import Subscription

CountWriters = Callable[[AsyncConnection], Awaitable[Writers]]
"""How many may write here, as the service's database knows."""
OwnConditions = Callable[[Any, str], Awaitable[Sequence[Condition]]]
"""What must hold besides before a cluster's former system is moved: asked with the service's unit of work."""


async def no_conditions(_: Any, __: str) -> Sequence[Condition]:
    """Nothing besides."""
    return ()


class UnconfirmedChange(Protocol):
    """A record that its former system has not said as it is here."""

    @property
    def record_id(self) -> str: ...
    @property
    def digest(self) -> bytes | None: ...
    @property
    def new_id(self) -> bool: ...
    @property
    def left_out(self) -> tuple[str, ...]: ...
    def as_json(self) -> dict[str, Any]: ...


class WriteBack(Protocol):
    """What a service that takes commands can tell of the records that were written here. A module may be one.

    Such a service also announces a :class:`schemas.base.ForFormerSystem`.
    """

    async def digests(
        self, uow: Any, cluster: str, after: str = "", limit: int | None = None
    ) -> Mapping[str, bytes | None]:
        """Of each record that its former system has not said as it is here, by id: the digest of what is held."""
        ...

    def unconfirmed(self, uow: Any, cluster: str, record_ids: Sequence[str]) -> AsyncGenerator[UnconfirmedChange]:
        """Those of these records that the former system has not said as they are here, as it would write them."""
        ...

    def files(self, records: Iterable[Any]) -> Mapping[str, bytes]:
        """What :meth:`unconfirmed` gave, as files that the former system imports, by the kind of file."""
        ...

    async def publish_current(self, uow: Any, cluster: str, document: Mapping[str, Any], cause: str) -> None:
        """Tell the former system what is held of the record that it spoke of."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class CutoverDefinition:
    """One service, as far as its former systems go.

    ``routes`` is its routing table, without the requests about cutover, which every service answers alike.
    ``mirrored`` is what parity compares. ``write_back`` is None while the service takes no commands of its own.
    ``count_writers`` says who may write here: as membership announced it, unless the service knows itself.
    ``switch_conditions`` and ``rollback_conditions`` are the service's own, such as that nothing left the house here.
    ``looked_up_conditions`` are those of a switch that others answer, such as name servers: no write waits for them.
    ``operations`` are those that no other service carries out alike.
    """

    name: str
    routes: Sequence[Subscription]
    metadata: sa.MetaData
    mirrored: Sequence[Kind]
    rehearsals: Sequence[Rehearsal[Any]]
    operations: Sequence[Bound] = ()
    write_back: WriteBack | None = None
    count_writers: CountWriters = count_announced
    looked_up_conditions: OwnConditions = no_conditions
    switch_conditions: OwnConditions = no_conditions
    rollback_conditions: OwnConditions = no_conditions
