"""Check-in passes: made and ended by staff, and the list that their holders see."""

from schemas.events_checkin import OneSession
from schemas.events_passes import CheckInList, ListedPerson, NewPass, OneDigest, OnePass, Pass, Passes
from services.events.checkin import passes, repository
from services.events.checkin.listed import EXPECTED, SEATED
from services.events.checkin.passes import KeptPass
from services.events.checkin.repository import ListedMember
from services.events.public import queries
from services.events.public.shown import public_session
from services.events.seats.order import new_id
from services.events.seats.repository import now as now_of
from services.operations.binding import Call, RefusedError


async def make(call: Call[NewPass]) -> Pass:
    """Make a pass for a session. Raises RefusedError."""
    asked, connection = call.arguments, call.uow.connection
    if asked.session_id not in await queries.sessions(connection, [asked.session_id]):
        raise RefusedError("session-unknown", "there is no such session: see `traboule events list`")
    pass_id = new_id()
    digest = bytes.fromhex(asked.digest)
    kept = (pass_id, asked.session_id, digest, asked.device, call.author, call.reason)
    if not await passes.make(connection, kept):
        raise RefusedError("pass-taken", "a pass has this token already: make another token")
    return await _shown(call, pass_id)


async def end(call: Call[OnePass]) -> Pass:
    """End a pass at once. Raises RefusedError."""
    await passes.end(call.uow.connection, call.arguments.pass_id, call.author, call.reason)
    return await _shown(call, call.arguments.pass_id)


async def of_session(call: Call[OneSession]) -> Passes:
    """The passes of a session, also those that ended."""
    kept = await passes.of_session(call.uow.connection, call.arguments.session_id)
    return Passes(items=[_pass(each, call.uow.public_url) for each in kept])


async def check_in_list(call: Call[OneDigest]) -> CheckInList:
    """The list that a pass shows. Raises RefusedError where the pass ended, or nobody made it."""
    connection, digest = call.uow.connection, bytes.fromhex(call.arguments.digest)
    kept = (await passes.by_digest(connection, [digest])).get(digest)
    now = await now_of(connection)
    if kept is None or not kept.shows(now):
        raise RefusedError("pass-unknown", "no pass has this token, or it ended: ask staff for another one")
    session = (await queries.sessions(connection, [kept.session_id]))[kept.session_id]
    rows = await repository.expected(connection, kept.session_id)
    return CheckInList(
        session=public_session(session, now),
        device=kept.device,
        ends_at=kept.ends_at,
        present=sum(row.person.attended_at is not None for row in rows),
        expected=sum(row.person.state in SEATED for row in rows),
        people=[_listed(row) for row in rows],
        keys=await passes.keys_of(connection, kept),
    )


async def _shown(call: Call[NewPass] | Call[OnePass], pass_id: str) -> Pass:
    kept = await passes.by_id(call.uow.connection, pass_id)
    if kept is None:
        raise RefusedError("pass-unknown", "there is no such pass: see `traboule events check-in-passes`")
    return _pass(kept, call.uow.public_url)


def _pass(kept: KeptPass, public_url: str) -> Pass:
    return Pass(
        pass_id=kept.pass_id,
        session_id=kept.session_id,
        device=kept.device,
        path=f"{public_url}{passes.PATH}/",
        author=kept.author,
        made_at=kept.made_at,
        ends_at=kept.ends_at,
        ended_at=kept.ended_at,
    )


def _listed(row: ListedMember) -> ListedPerson:
    person = row.person
    return ListedPerson(
        attendee_id=person.attendee_id,
        name=person.name,
        organisation=row.organisation,
        tickets=row.tickets,
        state=person.shown_state,
        expected=person.state in EXPECTED,
        walk_in=person.walk_in,
        attended_at=person.attended_at,
        device=person.attended_with,
    )
