"""Inscriptions, courriels, fiches and conflicts of one member."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.gateway.console.catalogue import Words, typeset
from services.gateway.console.display import Mark, Tag, cluster_of, day_of, mark_of, short_day
from services.gateway.console.shouting import record_name
from services.membership.translations import CHANNELS, label

SHOWN: Final = 10
"""Of registrations and mailings, the newest; the timeline has all."""


@dataclass(frozen=True, slots=True)
class Registration:
    """One registration."""

    title: str
    day: str | None
    mark: Mark
    state: Tag


@dataclass(frozen=True, slots=True)
class Consent:
    """Whether one way and purpose is allowed, and by which record that is so."""

    channel: str
    purpose: str
    state: Tag
    because: str


@dataclass(frozen=True, slots=True)
class Mails:
    """What a member may be sent, and what it was sent last. ``blocked`` says what keeps mail from it."""

    consents: tuple[Consent, ...]
    blocked: tuple[str, ...]
    last: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One source record."""

    name: str
    title: str
    mark: Mark
    membership: str | None
    doubts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """What a merge brought together twice."""

    what: str
    text: str
    address: str | None


def registrations_of(
    member: Mapping[str, Any], marks: Mapping[str, Mark], words: Words
) -> tuple[Registration, ...] | None:
    """The newest registrations, or None where the API gives none."""
    if (all_of := member.get("registrations")) is None:
        return None
    return tuple(_registration(item, marks, words) for item in reversed(all_of[-SHOWN:]))


def _registration(item: Mapping[str, Any], marks: Mapping[str, Mark], words: Words) -> Registration:
    event: Mapping[str, Any] = item.get("event") or {}
    when = event.get("starts_at") or item.get("registered_at")
    return Registration(
        title=event.get("title") or words.text("(événement inconnu)"),
        day=day_of(when, words.language) if when else None,
        mark=mark_of(cluster_of(item["from"]), marks),
        state=_presence(item.get("status"), words),
    )


def _presence(status: str | None, words: Words) -> Tag:
    match status:
        case "attended":
            return Tag("good", words.text("présent"))
        case "absent":
            return Tag("attention", words.text("absent"))
        case "cancelled":
            return Tag("quiet", words.text("annulée"))
        case "waiting":
            return Tag("attention", words.text("en liste d’attente"))
        case _:
            return Tag("quiet", words.text("inscrit"))


def mails_of(member: Mapping[str, Any], words: Words) -> Mails | None:
    """What a member may be sent, or None where the API does not say."""
    consents = member.get("consents")
    if consents is None:
        return None
    mailings: Sequence[Mapping[str, Any]] = member.get("mailings") or ()
    return Mails(
        consents=tuple(_consent(item, consents["decisions"], words) for item in consents["in_force"]),
        blocked=tuple(_blocked(item, words) for item in consents.get("suppressed", ())),
        last=tuple(_mailing(item, words) for item in reversed(mailings[-3:])),
    )


def _consent(item: Mapping[str, Any], decisions: Sequence[Mapping[str, Any]], words: Words) -> Consent:
    record, _, consent = item["because_of"].partition("#")
    decided = next(
        (each["decided_at"] for each in decisions if each["from"] == record and each.get("consent_id") == consent), None
    )
    since = day_of(decided, words.language) if decided else None
    purpose = item["purpose"]
    return Consent(
        channel=label(CHANNELS, item["channel"], words.language).capitalize(),
        purpose=words.text("tout usage") if purpose == "*" else purpose,
        state=Tag("good", words.text("accepté")) if item["allowed"] else Tag("refused", words.text("refusé")),
        because=words.text("depuis le %(day)s, par %(record)s", day=since, record=record)
        if since
        else words.text("par %(record)s", record=record),
    )


def _blocked(item: Mapping[str, Any], words: Words) -> str:
    match item["reason"]:
        case "objection":
            text = words.text("Ne veut plus de courriels en nombre")
        case "complaint":
            text = words.text("A signalé un courriel comme indésirable")
        case "unknown-user":
            text = words.text("L’adresse n’existe pas")
        case _:
            text = words.text("L’adresse ne reçoit rien")
    since = item.get("since")
    parts = [text, item["from"], day_of(since, words.language) if since else None]
    return " · ".join(part for part in parts if part)


def _mailing(item: Mapping[str, Any], words: Words) -> str:
    subject, sent = item.get("subject") or words.text("(sans objet)"), item.get("sent_at")
    return f"{subject}, {day_of(sent, words.language)}" if sent else subject


def records_of(
    member: Mapping[str, Any], doubts: Sequence[Mapping[str, Any]], marks: Mapping[str, Mark], words: Words
) -> tuple[Record, ...] | None:
    """The source records, or None where the API gives none."""
    if (sources := member.get("sources")) is None:
        return None
    memberships = {item["from"]: item for item in member.get("memberships", ())}
    return tuple(_record(source, memberships.get(source["from"], {}), doubts, marks, words) for source in sources)


def _record(
    source: Mapping[str, Any],
    membership: Mapping[str, Any],
    doubts: Sequence[Mapping[str, Any]],
    marks: Mapping[str, Mark],
    words: Words,
) -> Record:
    name = source["from"]
    meanings = (doubt for doubt in doubts if doubt["record"] == name)
    return Record(
        name=name,
        # Whoever may not read persons' data is shown no more of a record than its id.
        title=record_name(source["written"], words) if "written" in source else name,
        mark=mark_of(cluster_of(name), marks),
        membership=_membership_text(membership, words),
        doubts=tuple(_doubt(doubt, words) for doubt in meanings),
    )


def _membership_text(membership: Mapping[str, Any], words: Words) -> str | None:
    since = membership.get("member_since")
    parts = (
        membership.get("category"),
        words.text("membre depuis le %(day)s", day=short_day(since, words.language)) if since else None,
        words.text("adhésion terminée") if membership.get("status") == "ended" else None,
    )
    return " · ".join(part for part in parts if part) or None


def _doubt(doubt: Mapping[str, Any], words: Words) -> str:
    text = typeset(doubt["meaning"], words.language)
    return f"« {doubt['written']} » : {text}".replace(" : ", "\u202f: ") if doubt.get("written") else text


def conflicts_of(member: Mapping[str, Any], address: str | None, words: Words) -> tuple[Conflict, ...]:
    """What a merge brought together twice; ``address`` is where conflicts are shown, if the person may see them."""
    return tuple(_conflict(item, address, words) for item in member.get("conflicts", ()))


def _conflict(item: Mapping[str, Any], address: str | None, words: Words) -> Conflict:
    first, second = item["between"]
    if item["kind"] == "paid-twice":
        what = words.text("Cotisation payée deux fois")
        text = words.text(
            "entre %(first)s et %(second)s : c’est à la facturation de trancher.", first=first, second=second
        )
    else:
        what = words.text("Inscription en double")
        text = words.text(
            "entre %(first)s et %(second)s : c’est aux événements de trancher.", first=first, second=second
        )
    return Conflict(what, text, f"{address}/{item['conflict_id']}" if address else None)
