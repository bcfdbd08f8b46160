"""Sends what is due: claimed in batches, marked just before its text leaves, settled behind.

The steps of one mail: build and sign it, MAIL and RCPT, **mark and commit**, DATA and the text, settle. What ends
before the mark is tried again freely. What ends after it is decided by :mod:`delivery`. Marks of several connections
are committed together, and so are answers: a lost answer makes a mail uncertain, never twice.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from services.communications.bounces.meaning import meaning_of
from services.communications.brands.brand import MailSettings
from services.communications.deliveries import repository
from services.communications.deliveries.connection import Connection
from services.communications.deliveries.delivery import Answer, Outcome, outcome_of
from services.communications.deliveries.grouped import Grouped
from services.communications.deliveries.metrics import ANSWERS
from services.communications.deliveries.post_office import Job, PostOffice
from services.communications.deliveries.repository import Claimed, Settled, Slots
from services.communications.suppressions.repository import suppress
from services.communications.suppressions.suppression import Suppression

log = structlog.get_logger()

SEND_EVERY: Final = 1.0
"""Seconds after which it is looked again whether a mail is due."""
BATCH: Final = 100
SLOT_PATIENCE: Final = timedelta(seconds=2)
"""A mail whose moment comes sooner is waited for; a later one is put back until then."""
TURN_TRIES: Final = 5
STOP_SECONDS: Final = 10.0
"""For mails whose text is on its way when the service stops."""


@dataclass(slots=True)
class Sender:
    """One run over what is due. ``lease``: how long nobody else may take what it has claimed."""

    engine: AsyncEngine
    office: PostOffice
    password: str | None = field(default=None, repr=False)
    lease: timedelta = repository.LEASE
    dot_seconds: float | None = None
    claim_id: str = field(default_factory=lambda: str(uuid4()))
    _stopping: bool = False
    _open: set[str] = field(default_factory=set[str])

    @property
    def mail(self) -> MailSettings:
        """Brands, relay and paces."""
        return self.office.mail

    async def send_due(self) -> int:
        """Send until nothing is due; returns how many mails were settled."""
        async with self.engine.begin() as connection:
            if held := await repository.hold_after_restore(connection):
                log.warning("deliveries.held_after_restore", deliveries=held)
        marks, answers = Grouped(self._mark), Grouped(self._settle)
        queue: asyncio.Queue[Job | None] = asyncio.Queue(self.mail.relay.connections)
        run = asyncio.gather(
            self._claim_all(queue),
            *(self._work(queue, marks, answers) for _ in range(self.mail.relay.connections)),
            return_exceptions=True,
        )
        try:
            results = await asyncio.shield(run)
        except asyncio.CancelledError:
            self._stopping = True
            await asyncio.wait([run], timeout=STOP_SECONDS)
            raise
        finally:
            await self._put_back_the_rest()
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return sum(result for result in results[1:] if isinstance(result, int))

    # --- what is due -----------------------------------------------------------------------------------------------

    async def _claim_all(self, queue: asyncio.Queue[Job | None]) -> None:
        try:
            while not self._stopping and (batch := await self._claim()) is not None:
                self._open |= {job.delivery.delivery_id for job in batch}
                for job in await self._paced(batch):
                    await queue.put(job)
        finally:
            for _ in range(self.mail.relay.connections):
                await queue.put(None)

    async def _claim(self) -> list[Job] | None:
        """What may go out of the next that are due; None if nothing is."""
        async with self.engine.begin() as connection:
            await repository.sweep(connection)
            claimed = await repository.claim(connection, self.claim_id, BATCH, self.lease)
            if not claimed:
                return None
            # Whoever objected is not even asked for at the relay; that is looked at again when it is marked.
            free = await repository.suppress_blocked(connection, self.office.keyring, self.claim_id, claimed)
            letters = await repository.letters(connection, {item.content_id for item in free})
        return [Job(item, letters[item.content_id]) for item in free]

    async def _paced(self, batch: Sequence[Job]) -> list[Job]:
        """Those that may go out about now, in order; the others are put back until their moment."""
        apart: defaultdict[str, list[Claimed]] = defaultdict(list)
        for item, _ in batch:
            if item.domain in self.mail.paces and not item.paced:
                apart[item.domain].append(item)
        if not apart:
            return list(batch)
        wanted = {domain: Slots(self.mail.paces[domain].every, len(items)) for domain, items in apart.items()}
        now, later = datetime.now(UTC), dict[str, datetime | None]()
        async with self.engine.begin() as connection:
            first = await repository.take_slots(connection, wanted)
            for domain, items in apart.items():
                moments = (first[domain] + wanted[domain].every * number for number in range(len(items)))
                later |= {item.delivery_id: at for item, at in zip(items, moments, strict=True) if at > now}
            await repository.put_back(connection, self.claim_id, later)
        self._open -= set(later)
        return [job for job in batch if job.delivery.delivery_id not in later]

    async def _put_back_the_rest(self) -> None:
        if self._open:
            async with self.engine.begin() as connection:
                await repository.put_back(connection, self.claim_id, dict.fromkeys(self._open))

    # --- one mail --------------------------------------------------------------------------------------------------

    async def _work(
        self,
        queue: asyncio.Queue[Job | None],
        marks: Grouped[Claimed, bool],
        answers: Grouped[Settled, None],
    ) -> int:
        connection = Connection(self.mail.relay, self.password)
        if self.dot_seconds is not None:
            connection.dot_seconds = self.dot_seconds
        written: list[asyncio.Future[None]] = []
        try:
            while (job := await queue.get()) is not None:
                if self._stopping:
                    continue
                answer = await self._sent(connection, job, marks)
                if answer is not None:
                    written.append(answers(self._settled(job.delivery, answer)))
        finally:
            await connection.quit()
            await asyncio.gather(*written)
        return len(written)

    async def _sent(self, connection: Connection, job: Job, marks: Grouped[Claimed, bool]) -> Answer | None:
        """What was answered; None if it may not leave."""
        delivery = job.delivery
        built = await asyncio.to_thread(self.office.build, *job)
        if isinstance(built, Answer):
            return built
        if not await self._has_turn(delivery):
            return None
        refused = await connection.offer(built.sender, delivery.address)
        if refused is not None:
            return refused
        if not await marks(delivery):
            self._open.discard(delivery.delivery_id)
            await connection.forget()
            return None
        return await connection.send_text(built.text)

    async def _has_turn(self, delivery: Claimed) -> bool:
        """Wait for the domain's turn; a mail that would wait for long is put back when this run ends."""
        pace = self.mail.paces.get(delivery.domain)
        if pace is None:
            return True
        for _ in range(TURN_TRIES):
            async with self.engine.begin() as connection:
                if await repository.take_turn(connection, delivery.domain, pace.every):
                    return True
            await asyncio.sleep(min(pace.every, SLOT_PATIENCE).total_seconds())
        return False

    async def _mark(self, deliveries: Sequence[Claimed]) -> list[bool]:
        async with self.engine.begin() as connection:
            marked = await repository.mark(connection, self.office.keyring, self.claim_id, deliveries, self.lease)
        return [item.delivery_id in marked for item in deliveries]

    # --- answers ---------------------------------------------------------------------------------------------------

    def _settled(self, delivery: Claimed, answer: Answer) -> Settled:
        attempt = delivery.attempt + 1
        outcome = outcome_of(answer, delivery.mode, attempt, delivery.scheduled_at, datetime.now(UTC))
        meaning = meaning_of(answer.text, answer.code) if outcome.state == "refused" else None
        if meaning == "policy":
            # Our fault and not the recipient's: the domain waits for us, and so does the mail.
            outcome = Outcome("due", datetime.now(UTC) + self.lease)
        ANSWERS.labels(outcome.state, delivery.mode).inc()
        if outcome.state not in ("accepted", "due") or meaning == "policy":
            log.warning("delivery.not_accepted", delivery_id=delivery.delivery_id, state=outcome.state,
                        code=answer.code, meaning=meaning)  # fmt: skip
        return Settled(delivery, attempt, answer, outcome, meaning)

    async def _settle(self, answers: Sequence[Settled]) -> list[None]:
        unknown = [item for item in answers if item.meaning == "unknown-user"]
        policy = {item.delivery.domain for item in answers if item.meaning == "policy"}
        async with self.engine.begin() as connection:
            await suppress(connection, self.office.keyring, [_unknown_user(item) for item in unknown])
            await repository.settle(connection, self.claim_id, answers)
            if policy:
                await repository.pause(connection, policy, "its server refuses us: spam, policy or a blocklist")
        self._open -= {item.delivery.delivery_id for item in answers}
        return [None] * len(answers)


async def send_due(office: PostOffice, password: str | None, engine: AsyncEngine) -> None:
    """Send what is due, as one sender."""
    await Sender(engine, office, password).send_due()


def _unknown_user(item: Settled) -> Suppression:
    return Suppression(
        cause=f"refused/{item.delivery.delivery_id}",
        address=item.delivery.address,
        covers="everything",
        reason="unknown-user",
        source="answer",
        at=datetime.now(UTC),
    )
