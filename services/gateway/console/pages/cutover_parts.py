"""What the parts of a former system's page show, made of what its service answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import orjson

from services.gateway.console.catalogue import Words
from services.gateway.console.display import Tag, moment
from services.gateway.console.pages.cutover_findings import found
from services.gateway.console.pages.cutover_words import (
    NEVER_OVERRULED,
    condition_name,
    late_state,
    stage_name,
)


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must hold. ``remedies`` are commands; ``way`` is the page that mends it, where there is one.

    ``found`` is in the page's language unless it ``is_raw``: then it is as the service says it, in English.
    """

    name: str
    label: str
    holds: bool
    found: str
    is_raw: bool
    remedies: tuple[str, ...]
    can_be_overruled: bool
    way: str | None


@dataclass(frozen=True, slots=True)
class Conditions:
    """All of them; ``summary`` says how many are missing."""

    items: tuple[Condition, ...]
    holds: bool
    summary: str


@dataclass(frozen=True, slots=True)
class Value:
    """What two sides say of a field; empty where one of them says nothing."""

    field: str
    there: str
    here: str
    is_different: bool = True


@dataclass(frozen=True, slots=True)
class Late:
    """A late message of the list; ``address`` is None for whom it is not to be seen."""

    address: str | None
    number: str
    type: str
    at: str
    state: Tag


@dataclass(frozen=True, slots=True)
class WrittenBack:
    """What was written here and told to the former system; ``facts`` are numbers in words."""

    facts: tuple[str, ...]
    records: tuple[str, ...]
    following: str | None


@dataclass(frozen=True, slots=True)
class Made:
    """One move that was made."""

    stage: str
    at: str
    by: str
    reason: str
    overruled: str


def conditions_of(answer: Mapping[str, Any], ways: Mapping[str, str], words: Words) -> Conditions:
    """What must hold, in the service's order. ``ways`` are the pages that mend conditions, by name."""
    items = tuple(_condition(item, ways, words) for item in answer["conditions"])
    missing = sum(not item.holds for item in items)
    summary = words.text("Tout est rempli.")
    if missing:
        summary = words.plural("Il reste %(num)s chose à faire.", "Il reste %(num)s choses à faire.", missing)
    return Conditions(items, not missing, summary)


def _condition(item: Mapping[str, Any], ways: Mapping[str, str], words: Words) -> Condition:
    known = found(item["detail"], words)
    return Condition(
        name=item["name"],
        label=condition_name(item["name"], words),
        holds=item["holds"],
        found=known or item["detail"],
        is_raw=known is None,
        remedies=tuple(filter(None, (item["remedy"], item["http"]))),
        can_be_overruled=item["name"] not in NEVER_OVERRULED,
        way=None if item["holds"] else ways.get(item["name"]),
    )


def values_of(there: Mapping[str, Any] | None, here: Mapping[str, Any] | None) -> tuple[Value, ...]:
    """What two sides say, field by field: those that differ first, then those that are equal."""
    left, right = there or {}, here or {}
    names = [*left, *(name for name in right if name not in left)]
    made = [Value(name, text_of(left.get(name)), text_of(right.get(name))) for name in names]
    shown = [Value(each.field, each.there, each.here, each.there != each.here) for each in made]
    return tuple(sorted(shown, key=lambda each: not each.is_different))


def text_of(value: Any) -> str:
    """A value as a line of text; what is a list or an object as JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def late_of(items: Sequence[Mapping[str, Any]], address: str | None, words: Words) -> tuple[Late, ...]:
    """A page of late messages; ``address`` is where each is to be seen, if it may be."""
    return tuple(_late(item, address, words) for item in items)


def _late(item: Mapping[str, Any], address: str | None, words: Words) -> Late:
    digits = item["id"].rpartition(":")[2]
    return Late(
        address=None if address is None else f"{address}/{digits}",
        number=digits,
        type=short_type(item["type"]),
        at=moment(item["received_at"], words.language),
        state=late_tag(item, words),
    )


def late_tag(item: Mapping[str, Any], words: Words) -> Tag:
    """What became of a late message."""
    text = late_state(item["state"], words)
    return Tag("attention" if item["state"] == "waiting" else "quiet", text, text)


def short_type(name: str) -> str:
    """``billing.invoice-recorded`` of a type's whole name."""
    return name.removeprefix("fr.traboule.").rpartition(".v")[0] or name


def written_back_of(answer: Mapping[str, Any], words: Words) -> WrittenBack:
    """How far what was written here has come."""
    unread = answer["unread"]
    facts = [
        words.text("Il n’y a pas de file pour lui : rien ne peut lui être transmis.")
        if unread is None
        else words.plural("%(num)s message n’est pas lu", "%(num)s messages ne sont pas lus", unread),
        words.plural("%(num)s message reste à envoyer", "%(num)s messages restent à envoyer", answer["to_be_sent"]),
        words.plural("%(num)s message a été rendu", "%(num)s messages ont été rendus", answer["given_back"]),
        words.plural(
            "%(num)s fiche écrite ici n’est pas encore confirmée",
            "%(num)s fiches écrites ici ne sont pas encore confirmées",
            answer["records"],
        ),
    ]
    records = tuple(_record(item, words) for item in answer["items"])
    return WrittenBack(tuple(facts), records, answer["next"])


def _record(item: Mapping[str, Any], words: Words) -> str:
    notes: list[str] = []
    if item["new_id"]:
        notes.append(words.text("créée ici"))
    if item["removed"]:
        notes.append(words.text("à retirer là-bas"))
    if item["left_out"]:
        fields = ", ".join(cast("Sequence[str]", item["left_out"]))
        notes.append(words.text("à noter à la main : %(fields)s", fields=fields))
    return f"{item['record_id']} ({', '.join(notes)})" if notes else item["record_id"]


def history_of(answer: Mapping[str, Any], words: Words) -> tuple[Made, ...]:
    """Every move, the newest first."""
    return tuple(
        Made(
            stage=stage_name(item["stage"], words),
            at=moment(item["at"], words.language),
            by=item["by"],
            reason=item["reason"],
            overruled=", ".join(condition_name(name, words) for name in item["overruled"]),
        )
        for item in answer["items"]
    )
