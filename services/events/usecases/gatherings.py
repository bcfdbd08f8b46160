"""Gatherings as staff plan, change and call them off."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from schemas.events_operations import ChangedSession, Gatherings, GatheringShown, OfGatherings, OneGathering, Planned
from services.events.gatherings import queries, repository
from services.events.gatherings.announcing import announce_gathering
from services.events.gatherings.elsewhere import given_elsewhere
from services.events.gatherings.local_time import LocalTimeError
from services.events.gatherings.plan import LENT, UnfitSessionError, changed_end, changed_terms, session_of
from services.events.gatherings.repository import NewGathering
from services.events.seats import repository as seats
from services.events.seats.acts import Act
from services.events.seats.announcing import announce_rescheduled, seated_in
from services.events.seats.order import Moved, Request
from services.events.usecases.ours import gathering_of_session, require_ours, require_planned
from services.events.usecases.seating import decide
from services.operations.binding import Call, RefusedError


async def gatherings(call: Call[OfGatherings]) -> Gatherings:
    """A page of gatherings, those that begin first before the others."""
    which = queries.Which(**call.arguments.model_dump())
    rows = await queries.gatherings(call.uow.connection, which)
    following = rows[-1]["gathering_id"] if len(rows) == which.limit else None
    return Gatherings(items=[GatheringShown(**row) for row in rows], next=following)


async def gathering(call: Call[OneGathering]) -> GatheringShown:
    """One gathering."""
    return GatheringShown(**await _known(call, call.arguments.gathering_id))


async def plan(call: Call[Planned]) -> GatheringShown:
    """Keep a gathering; under a key that is known nothing is done. Raises RefusedError."""
    asked = call.arguments
    await require_ours(call.uow.connection, asked.cluster)
    if (known := await queries.of_key(call.uow.connection, asked.cluster, asked.key)) is not None:
        return GatheringShown(**known)
    earlier = await _known(call, asked.like) if asked.like else {}
    version = await _version(call)
    new = _new(call, earlier, version)
    if not asked.allotment:
        await _refuse_given_elsewhere(call, new)
    if await repository.plan(call.uow.connection, new):
        announce_gathering(call.uow, await _known(call, new.gathering_id), version)
    kept = await queries.of_key(call.uow.connection, asked.cluster, asked.key)
    assert kept is not None
    return GatheringShown(**kept)


async def change_session(call: Call[ChangedSession]) -> GatheringShown:
    """Give a session another time or size; a larger one seats those who wait. Raises RefusedError."""
    asked, connection = call.arguments, call.uow.connection
    await gathering_of_session(connection, asked.session_id)
    locked = (await seats.lock(connection, [asked.session_id]))[asked.session_id]
    # Read in our turn: another may have given it another time while we waited.
    kept = await gathering_of_session(connection, asked.session_id)
    try:
        terms = changed_terms(locked.room.terms, asked)
    except (LocalTimeError, UnfitSessionError) as error:
        raise RefusedError("gathering-invalid", str(error)) from None
    [session] = [each for each in kept["sessions"] if each["session_id"] == asked.session_id]
    ends_at = changed_end(session, terms, asked.minutes)
    moved = (terms.starts_at, ends_at) != (session["starts_at"], session["ends_at"])
    request = Request(
        session_id=asked.session_id,
        key=f"change/{asked.key}",
        act=Act(kind="change", terms=terms),
        author=call.author,
        reason=call.reason,
        moved_to=Moved(asked.starts or session["local_start"], ends_at) if moved else None,
    )
    # Whom the change itself seats is written the new time with the confirmation.
    seated = await seated_in(connection, asked.session_id) if moved else []
    [outcome] = await decide(call.uow, [request])
    if outcome.refusal:
        raise RefusedError(outcome.refusal, outcome.detail or "")
    if not outcome.before:
        if moved:
            await announce_rescheduled(call.uow, seated, await _version(call))
        await _changed(call, kept["gathering_id"])
    return GatheringShown(**await _known(call, kept["gathering_id"]))


async def call_off(call: Call[OneGathering]) -> GatheringShown:
    """Cancel a gathering, and tell everybody who registered. Raises RefusedError."""
    gathering_id = call.arguments.gathering_id
    kept = await _known(call, gathering_id)
    if kept["state"] != "cancelled":
        await require_planned(call.uow.connection, kept)
        # The rows of the sessions are locked first, as by everybody who changes their seats.
        await seats.lock(call.uow.connection, [session["session_id"] for session in kept["sessions"]])
        await repository.call_off(call.uow.connection, gathering_id, await _version(call))
        await decide(
            call.uow,
            [
                Request(
                    session_id=session["session_id"],
                    key="call-off",
                    act=Act(kind="call-off"),
                    author=call.author,
                    reason=call.reason,
                )
                for session in kept["sessions"]
            ],
        )
        await _changed(call, gathering_id)
    return GatheringShown(**await _known(call, gathering_id))


async def _refuse_given_elsewhere(call: Call[Any], new: NewGathering) -> None:
    """Raises RefusedError: whoever knows of the other form says so with an allotment."""
    moments = [session.terms.starts_at for session in new.sessions]
    if others := await given_elsewhere(call.uow.connection, new.title, moments):
        raise RefusedError(
            "given-elsewhere",
            f"{', '.join(others)} is of this title at this moment: one room, two lists. Close that form, or plan an "
            "allotment (--allotment): seats that the other form does not give",
        )


async def _changed(call: Call[Any], gathering_id: str) -> None:
    version = await _version(call)
    await repository.touch(call.uow.connection, gathering_id, version)
    announce_gathering(call.uow, await _known(call, gathering_id), version)


async def _version(call: Call[Any]) -> int:
    return int((await seats.now(call.uow.connection)).timestamp() * 1_000_000)


async def _known(call: Call[Any], gathering_id: str) -> dict[str, Any]:
    if (kept := await queries.gathering(call.uow.connection, gathering_id)) is None:
        raise RefusedError("gathering-unknown", "there is no such gathering: see `traboule events list`")
    return kept


def _new(call: Call[Planned], earlier: Mapping[str, Any], version: int) -> NewGathering:
    """What was asked for, completed by an earlier gathering. Raises RefusedError."""
    asked = call.arguments
    # What was left out is the earlier one's; what neither says stays as a new gathering has it.
    said = {name: value for name in LENT if (value := getattr(asked, name)) not in (None, ())}
    lent = {name: earlier[name] for name in LENT if earlier.get(name) is not None}
    try:
        sessions = [session_of(session) for session in asked.sessions]
    except (LocalTimeError, UnfitSessionError) as error:
        raise RefusedError("gathering-invalid", str(error)) from None
    return NewGathering(
        gathering_id=str(uuid4()),
        cluster=asked.cluster,
        key=asked.key,
        author=call.author,
        reason=call.reason,
        version=version,
        sessions=sessions,
        **{**lent, **said},
    )
