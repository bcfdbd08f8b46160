"""All write SQL of the events service."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.conflicts import ConflictAnswered
from schemas.envelope import Envelope
from schemas.events import EventRecorded, EventsConflictAnswered, RegistrationRecorded
from services.common.sections import serialise_writers
from services.conflicts.repository import ConflictsUnitOfWork
from services.events.tables import events, registrations
from shared.persistence.mirror import Mirror


class EventsUnitOfWork(ConflictsUnitOfWork):
    """One transaction of the events service, with what former systems are."""

    answered: ClassVar[type[ConflictAnswered]] = EventsConflictAnswered

    def __init__(
        self,
        connection: AsyncConnection,
        conflict_owner: str,
        products: Mapping[str, str] = MappingProxyType({}),
        public_url: str = "",
        cluster_names: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(connection, conflict_owner)
        self._products = products
        self.public_url = public_url
        self.cluster_names = cluster_names

    def software(self, cluster: str) -> str:
        """What the cluster's former events system is; plain where the clusters file names none."""
        return self._products.get(cluster, "plain")

    async def serialise_writers(self) -> None:
        """Wait for whoever saves what sections are made of: before a row is locked, for they may want that row."""
        await super().serialise_writers()
        await serialise_writers(self.connection)

    async def save_events(
        self, messages: Sequence[Envelope[EventRecorded]]
    ) -> list[tuple[Envelope[EventRecorded], int]]:
        """Mirror gatherings; returns those that were newer than what was held, as :class:`Mirror` does."""
        return await Mirror(events).save(self.connection, messages)

    async def save_registrations(
        self, messages: Sequence[Envelope[RegistrationRecorded]]
    ) -> list[tuple[Envelope[RegistrationRecorded], int]]:
        """Mirror registrations; returns those that were newer than what was held, as :class:`Mirror` does."""
        return await Mirror(registrations).save(self.connection, messages)
