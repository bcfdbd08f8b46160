"""A session in words, as a public page shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from schemas.events_public import PublicSession
from services.common.words import clock, local_moment, money, zone_name
from services.membership.translations import Language


@dataclass(frozen=True, slots=True)
class SessionWords:
    """``facts`` are lines of a name and a text; ``notice`` says why or how one may register, if there is need to."""

    title: str
    subtitle: str
    facts: list[tuple[str, str]]
    notice: str
    contact: str
    waits: bool


def session_words(
    session: PublicSession, texts: Mapping[str, str], language: Language, *, dated: bool = True
) -> SessionWords:
    """The session for people, in their language; with ``dated`` also whether and until when one may register."""
    lines = [("when", _when(session, language)), ("where", session.place or "")]
    if dated:
        lines += [
            ("seats", _seats(session, texts)),
            ("until", _until(session, texts, language)),
            ("price", _price(session, texts, language)),
        ]
    return SessionWords(
        title=session.gathering,
        subtitle=session.title or "",
        facts=[(texts[name], text) for name, text in lines if text],
        notice=_notice(session, texts, language),
        contact=session.organiser or "",
        waits=session.state == "waiting-list",
    )


def _when(session: PublicSession, language: Language) -> str:
    begins = local_moment(session.starts_at, session.zone, language)
    zone = zone_name(session.zone, language)
    if session.ends_at is None:
        return f"{begins} ({zone})"
    here = ZoneInfo(session.zone)
    same_day = session.starts_at.astimezone(here).date() == session.ends_at.astimezone(here).date()
    ends = (clock if same_day else local_moment)(session.ends_at, session.zone, language)
    return f"{begins} – {ends} ({zone})"


def _seats(session: PublicSession, texts: Mapping[str, str]) -> str:
    if session.state != "open":
        return ""
    if session.free is None:
        return texts["unlimited"]
    return texts["free_one"] if session.free == 1 else texts["free_many"].format(session.free)


def _until(session: PublicSession, texts: Mapping[str, str], language: Language) -> str:
    if session.state not in ("open", "waiting-list"):
        return ""
    return f"{texts['until_text']} {local_moment(session.closes_at, session.zone, language)}"


def _price(session: PublicSession, texts: Mapping[str, str], language: Language) -> str:
    if session.member_price == session.guest_price:
        return money(session.guest_price, language) if session.guest_price else texts["free_of_charge"]
    members = money(session.member_price, language) if session.member_price else texts["free_of_charge"]
    guests = money(session.guest_price, language) if session.guest_price else texts["free_of_charge"]
    return f"{members} ({texts['members']}), {guests} ({texts['guests']})"


def _notice(session: PublicSession, texts: Mapping[str, str], language: Language) -> str:
    if session.state == "open":
        return ""
    if session.state == "not-open-yet" and session.opens_at is not None:
        return f"{texts['not-open-yet']} {local_moment(session.opens_at, session.zone, language)}."
    return texts[session.state]
