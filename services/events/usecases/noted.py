"""Carries out what holders of passes noted at the check-in page: a list of messages at once, in the order they came.

What a pass does not allow is counted and does nothing: nobody of the operators could mend it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import structlog

from schemas.envelope import Envelope
from schemas.event_requests import AttendanceNoted, PersonNoted
from schemas.events_checkin import Entering
from services.events.checkin import passes, repository
from services.events.checkin.passes import KeptPass
from services.events.mirror.repository import EventsUnitOfWork
from services.events.public.metrics import ASKED
from services.events.usecases.entering import Arrival, enter

log = structlog.get_logger()


async def note(uow: EventsUnitOfWork, messages: Sequence[Envelope[AttendanceNoted]]) -> None:
    """Let these people in, once each."""
    kept = await passes.by_digest(uow.connection, {bytes.fromhex(each.data.link_digest) for each in messages})
    # Tickets are looked up under the turn: meanwhile nobody passes theirs to somebody else.
    await repository.take_turns(uow.connection, {each.session_id for each in kept.values()})
    arrivals = [
        arrival
        for each in messages
        if (holder := kept.get(bytes.fromhex(each.data.link_digest))) is not None
        for arrival in _arrivals(each.data, holder)
    ]
    answers = await enter(uow.connection, arrivals) if arrivals else []
    refused = sum(len(each.data.entries) for each in messages) - len(arrivals)
    _count(Counter(answer.outcome for answer in answers) + Counter({"no-pass": refused}))


def _arrivals(noted: AttendanceNoted, holder: KeptPass) -> Iterable[Arrival]:
    device = " ".join(filter(None, (holder.device, noted.device))) or None
    for entry in noted.entries:
        if holder.takes(entry.at, noted.received_at):
            yield _arrival(noted, entry, holder, device)


def _arrival(noted: AttendanceNoted, entry: PersonNoted, holder: KeptPass, device: str | None) -> Arrival:
    entering = Entering.model_construct(
        key=f"{holder.prefix}{entry.key}",
        attendee_id=entry.attendee_id,
        name=entry.name,
        # A phone's clock may be wrong, and the first moment wins: nobody came before the pass was made.
        at=max(holder.made_at, min(entry.at, noted.received_at)),
        device=device,
    )
    ticket = None if entry.ticket_digest is None else bytes.fromhex(entry.ticket_digest)
    return Arrival(holder.session_id, entering, f"pass {holder.pass_id}", ticket)


def _count(outcomes: Counter[str]) -> None:
    for outcome, times in outcomes.items():
        ASKED.labels(f"check-in {outcome}").inc(times)
    if refused := outcomes["no-pass"] + outcomes["unknown"]:
        log.warning("events.attendance_refused", entries=refused)
