"""Feeds as calendars read them (RFC 5545): pure. The same sessions make the same bytes."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from services.common.calendar.entry import CalendarError, Entry, session_uid
from services.common.calendar.feed import feed
from services.events.public.feed_queries import FedSeat, FedSession

_MICROSECONDS: Final = 1_000_000
_NO_HOST: Final = "traboule.invalid"
"""The domain of entries where no address of the gateway is known."""


@lru_cache(maxsize=32)
def public_feed(name: str, base: str, sessions: tuple[FedSession, ...]) -> str:
    """The feed that everybody may read. What was written last is kept: a thousand sessions take half a second."""
    return feed(name, [_entry(session, base) for session in sessions]).decode()


def personal_feed(name: str, base: str, seats: Iterable[FedSeat]) -> str:
    """The feed of one person: each session once, with its joining address for who has a seat there."""
    by_session: dict[str, list[FedSeat]] = {}
    for seat in seats:
        by_session.setdefault(seat.session.session_id, []).append(seat)
    return feed(name, [_own_entry(each, base) for each in by_session.values()], personal=True).decode()


def _own_entry(seats: Sequence[FedSeat], base: str) -> Entry:
    """The entry of one session. Each seat that they gave up counts as a change: who comes back has a newer entry."""
    session, taken = seats[0].session, any(seat.taken for seat in seats)
    return _entry(
        session,
        base,
        changed=max(session.version, *(seat.version for seat in seats)),
        join=session.join,
        cancelled=not taken,
        sequence=session.sequence + sum(not seat.taken for seat in seats),
    )


def _entry(
    session: FedSession,
    base: str,
    *,
    changed: int | None = None,
    join: str | None = None,
    cancelled: bool = False,
    sequence: int | None = None,
) -> Entry:
    titles = [session.gathering] + ([session.title] if session.title and session.title != session.gathering else [])
    stamped_at = datetime.fromtimestamp((changed or session.version) / _MICROSECONDS, UTC)
    gone = cancelled or session.called_off

    def made(join: str | None, page: str | None) -> Entry:
        return Entry(
            uid=session_uid(session.session_id, _domain(base)),
            sequence=session.sequence if sequence is None else sequence,
            stamped_at=stamped_at,
            title=" – ".join(titles),
            starts_at=session.starts_at,
            # A former system may have said an end before the beginning.
            ends_at=session.ends_at if session.ends_at and session.ends_at > session.starts_at else None,
            zone=session.zone,
            status="cancelled" if gone else "confirmed",
            place=session.place,
            join_url=None if gone else join,
            page_url=page,
        )

    page = f"{base}/p/e/{session.session_id}" if base and session.for_all and not session.called_off else None
    try:
        return made(join, page)
    except CalendarError:  # an address of a former system that is none: the other sessions are shown all the same
        return made(None, None)


def _domain(base: str) -> str:
    """What makes an entry's id ours: the host under which people reach the gateway."""
    host = (urlsplit(base).hostname or "") if base else ""
    return host if "." in host and host.isascii() and host.replace(".", "").replace("-", "").isalnum() else _NO_HOST
