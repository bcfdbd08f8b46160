"""Decisions that were taken, in words: who, when, why, and whether they still count."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.gateway.auth.caller import Caller
from services.gateway.console.catalogue import Words
from services.gateway.console.display import Mark, clock_time, cluster_of, day_of, mark_of

SHOWN: Final = 8
"""So many records of a decision are named."""


@dataclass(frozen=True, slots=True)
class NamedRecord:
    """A source record and whose it is."""

    name: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision. ``taken_back`` says by whom, when and why; ``may_take_back`` whether this person may do so."""

    number: int
    verdict: str
    records: tuple[NamedRecord, ...]
    unlisted: int
    by: str
    reason: str
    taken_back: str | None
    may_take_back: bool
    is_own: bool


def decision_shown(item: Mapping[str, Any], person: Caller, marks: Mapping[str, Mark], words: Words) -> Decision:
    """One of the API's decisions as it is shown to a person."""
    records = list(dict.fromkeys(record for pair in item["pairs"] for record in pair["records"]))
    back = item["taken_back"]
    may = person.may_in_any("decide-identity", {cluster_of(record) for record in records})
    return Decision(
        number=item["decision"],
        verdict=verdict_of(item, words),
        records=tuple(NamedRecord(record, mark_of(cluster_of(record), marks)) for record in records[:SHOWN]),
        unlisted=max(len(records) - SHOWN, 0),
        by=signed(item, words),
        reason=item["reason"],
        taken_back=None
        if back is None
        else words.text("%(by)s : « %(reason)s »", by=signed(back, words), reason=back["reason"]),
        may_take_back=may and back is None,
        is_own=item["key_id"] == person.key_id,
    )


def verdict_of(item: Mapping[str, Any], words: Words) -> str:
    """What a decision says, in words."""
    match sorted({pair["verdict"] for pair in item["pairs"]}):
        case ["same"]:
            return words.text("oui, une seule entreprise")
        case ["different"]:
            return words.text("non, des entreprises distinctes")
        case _:
            return words.text("réparties en plusieurs entreprises")


def signed(item: Mapping[str, Any], words: Words) -> str:
    """By whom and when."""
    day, time = day_of(item["at"], words.language), clock_time(item["at"], words.language)
    return words.text("%(author)s, le %(day)s à %(time)s", author=item["author"], day=day, time=time)


def answer_to(case_id: str, decisions: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The newest decision that counts and answers a question."""
    return next((item for item in decisions if case_id in item["cases"] and item["taken_back"] is None), None)
