"""One writer at any moment: what former systems say, and our own commands, are held against the stage.

Source: fencing tokens, Kleppmann, "How to do distributed locking" (2016); here the token is the stage row itself, read
in the transaction of the write.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.envelope import Envelope
from services.cutover import quarantine
from services.cutover.stages import StageState, lock_stages
from shared.messaging.unit_of_work import UnitOfWork

Handler = Callable[[Any, Sequence[Any]], Awaitable[None]]
MatchesCurrent = Callable[[Any, Sequence[Any]], Awaitable[Sequence[bool]]]
"""Of each of these messages of one type, whether it says just what is held: to apply it would change nothing."""
Confirms = Callable[[Any, Sequence[Any]], Awaitable[Sequence[bool]]]
"""Of each of these late messages, whether it only confirms what was written here: it is applied in whatever stage."""


class NotOursError(Exception):
    """Our own command for a cluster whose former system is the authority."""

    def __init__(self, cluster: str, service: str, state: StageState) -> None:
        self.cluster, self.service, self.state = cluster, service, state
        super().__init__(
            f"{cluster}/{service} is in stage {state.stage}: its former system is the authority, so the change "
            f"belongs there; once it is moved over (traboule cutover switch {cluster}/{service}), it can be made here"
        )


@dataclass(frozen=True, slots=True)
class Fenced:
    """A handler that only hears former systems that are the authority; what the others say goes to quarantine.

    Of that, a person is not asked about what says just what is held: many products publish whatever they are told.
    """

    handler: Handler
    matches_current: MatchesCurrent
    confirms: Confirms | None = None

    async def __call__(self, uow: UnitOfWork, messages: Sequence[Envelope[Any]]) -> None:
        """Apply, or keep in quarantine, each message by the stage that its cluster is in until the commit."""
        at = await lock_stages(uow.connection, {message.cluster for message in messages})
        late = [message for message in messages if at[message.cluster].is_ours]
        confirmed = await self.confirms(uow, late) if late and self.confirms else [False] * len(late)
        if kept := [message for message, only_confirms in zip(late, confirmed, strict=True) if not only_confirms]:
            settled = await self.matches_current(uow, kept)
            await quarantine.keep(uow.connection, [*zip(kept, settled, strict=True)], at)
        heard = [message for message in messages if not at[message.cluster].is_ours]
        heard += [message for message, only_confirms in zip(late, confirmed, strict=True) if only_confirms]
        if heard:
            await self.handler(uow, heard)


async def require_ours(connection: AsyncConnection, cluster: str, service: str) -> StageState:
    """Let a command of our own through, and keep it ours until the transaction ends. Raises NotOursError."""
    stage = (await lock_stages(connection, [cluster]))[cluster]
    if not stage.is_ours:
        raise NotOursError(cluster, service, stage)
    return stage
