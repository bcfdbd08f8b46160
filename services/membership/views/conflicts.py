"""What a merge brings together that one member should not have twice, found in the records themselves.

The merge happens all the same: hiding a company's second record would lose what it says. What is there twice is told
to the service whose staff must resolve it. Pure: the same records give the same conflicts, whatever came first, and
without the merge there is none.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from itertools import combinations
from typing import Any, Final, Literal, NamedTuple

from services.membership.normalisation.company_names import fold
from services.membership.records.record import RecordKey, Related, SourceRecord
from services.membership.views.items import Line

Kind = Literal["paid-twice", "registered-twice"]
ItemKind = Literal["invoice", "subscription", "paid-until", "registration"]
RESPONSIBLE: Mapping[Kind, Literal["billing", "events"]] = {"paid-twice": "billing", "registered-twice": "events"}
"""The service whose staff must resolve it."""

MANY: Final = 30
"""Holders of one member that are compared each with each: a thousand would be half a million conflicts."""


class Item(NamedTuple):
    """An invoice, a term of membership, the day that a record is paid until, or a registration."""

    key: RecordKey
    kind: ItemKind
    item_id: str | None

    def as_json(self) -> dict[str, Any]:
        """As the view shows it."""
        own = {} if self.item_id is None else {"item_id": self.item_id}
        return {"from": str(self.key), "kind": self.kind, **own}


class Overlap(NamedTuple):
    """A period that both paid for, first and last day, or the title of a gathering that both registered for."""

    starts_on: date | None
    ends_on: date | None
    event: str | None
    items: tuple[Item, ...]

    def as_json(self) -> dict[str, Any]:
        """As the view shows it."""
        what = {"starts_on": self.starts_on, "ends_on": self.ends_on, "event": self.event}
        return {
            **{name: str(value) for name, value in what.items() if value is not None},
            "items": [item.as_json() for item in self.items],
        }


@dataclass(frozen=True, slots=True)
class Conflict:
    """Between two records of one member, all that is there twice; at least one overlap."""

    kind: Kind
    between: tuple[RecordKey, RecordKey]
    overlaps: tuple[Overlap, ...]
    holders: tuple[RecordKey, RecordKey]
    """Whom the two records stand for: names that do not depend on which of a system's own doubles are there."""

    @property
    def conflict_id(self) -> str:
        """The same for ever for the same two holders: what was settled stays so if they part and merge again."""
        return blake2b(f"{self.kind} {self.holders[0]} {self.holders[1]}".encode(), digest_size=16).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """As the view shows it."""
        return {
            "conflict_id": self.conflict_id,
            "kind": self.kind,
            "responsible": RESPONSIBLE[self.kind],
            "between": [str(key) for key in self.between],
            "overlaps": [overlap.as_json() for overlap in self.overlaps],
        }


def conflicts(
    group: Sequence[SourceRecord], related: Mapping[str, Sequence[Related]], since: date | None = None
) -> list[Conflict]:
    """All conflicts inside one member. ``group`` comes in order of key, and accounts and participations by kind.

    A company's card and its member in one system (Dolibarr's third party and member) count as one, and are named by the
    first of them that is there: the invoices are with the one, and the term that they pay with the other.
    Periods that end before ``since`` are none: what the clusters did before they merged was no mistake.
    """
    if len(group) < 2:
        return []
    holders = _holders(group)
    paid = _paid(group, related, holders)
    taken = _taken(related.get("participation", ()), holders)
    first = {holder: key for key, holder in reversed(holders.items())}
    result: list[Conflict] = []
    payers, takers = ({holder for holder in first if had.get(holder)} for had in (paid, taken))
    for a, b in sorted({*_pairs(payers), *_pairs(takers)}):
        between = first[a], first[b]
        if both_paid := _overlapping(paid[a], paid[b], since):
            result.append(Conflict("paid-twice", between, both_paid, (a, b)))
        if both_come := _same_events(taken[a], taken[b]):
            result.append(Conflict("registered-twice", between, both_come, (a, b)))
    return result


def _pairs(holders: Iterable[RecordKey]) -> Iterable[tuple[RecordKey, RecordKey]]:
    """Whom to compare: each with each, and of a crowd, which makes no sense as one member, each with the first."""
    in_order = sorted(holders)
    return combinations(in_order, 2) if len(in_order) <= MANY else ((in_order[0], item) for item in in_order[1:])


def _holders(group: Sequence[SourceRecord]) -> dict[RecordKey, RecordKey]:
    """For each record, what its former system's declarations end at, or itself.

    They are followed by name, whether or not the record that is named is there: a member that says it is third party
    12 counts as 12 from the first, so that nothing changes when the third party comes or goes. A card that is no member
    itself and declares nothing counts as the first member of its cluster here.
    """
    members: dict[str, RecordKey] = {}
    for record in group:
        if _may_be_member(record):
            members.setdefault(record.key.cluster, record.key)
    declared = {
        record.key: members[record.key.cluster]
        for record in group
        if not _may_be_member(record) and record.key.cluster in members
    }
    declared |= {record.key: RecordKey(record.key.cluster, record.same_as) for record in group if record.same_as}
    return {record.key: _end(record.key, declared) for record in group}


def _may_be_member(record: SourceRecord) -> bool:
    return record.written.get("is_member") is not False


def _end(key: RecordKey, declared: Mapping[RecordKey, RecordKey]) -> RecordKey:
    way: list[RecordKey] = []
    while key not in way:
        way.append(key)
        key = declared.get(key, key)
    # Records that declare each other in a circle have no end: the smallest of them stands for all.
    return min(way[way.index(key) :])


# --- periods -------------------------------------------------------------------------------------------------------


class _Period(NamedTuple):
    first: date
    last: date
    item: Item


def _paid(
    group: Sequence[SourceRecord], related: Mapping[str, Sequence[Related]], holders: Mapping[RecordKey, RecordKey]
) -> defaultdict[RecordKey, list[_Period]]:
    """The periods that each holder paid dues for, by what its billing and its membership system say."""
    periods: defaultdict[RecordKey, list[_Period]] = defaultdict(list)
    for period in _invoiced(related.get("account", ())):
        periods[holders[period.item.key]].append(period)
    for record in group:
        if not record.written.get("exempt"):
            periods[holders[record.key]] += _terms(record, periods[holders[record.key]])
    return periods


def _invoiced(accounts: Sequence[Related]) -> Iterable[_Period]:
    """The periods that billing states as paid."""
    for account in accounts:
        for paid in account.document.get("paid_periods", ()):
            days = date.fromisoformat(paid["starts_on"]), date.fromisoformat(paid["ends_on"])
            yield _Period(*days, Item(account.key, "invoice", paid["invoice_id"]))


def _terms(record: SourceRecord, known: Sequence[_Period]) -> list[_Period]:
    """Terms that the record's own system holds for paid, unless what is known tells of the same days already."""
    until = record.written.get("paid_until")
    if not until:
        return []
    last = date.fromisoformat(until)
    periods: list[_Period] = []
    for term in record.written.get("subscriptions", ()):
        starts, ends = date.fromisoformat(term["starts_on"]), term.get("ends_on")
        free = "amount" in term and Decimal(term["amount"]) <= 0
        if ends and not free and date.fromisoformat(ends) <= last:
            item = Item(record.key, "subscription", term["subscription_id"])
            periods.append(_Period(starts, date.fromisoformat(ends), item))
    if not any(period.last >= last for period in (*periods, *known)):
        # Dues are by the year in every former system; this one tells only when the year ends.
        periods.append(_Period(_year_before(last), last, Item(record.key, "paid-until", None)))
    return [period for period in periods if not any(_meet(period, other) for other in known)]


def _year_before(last: date) -> date:
    following = last + timedelta(days=1)
    day = 28 if (following.month, following.day) == (2, 29) else following.day
    return following.replace(year=following.year - 1, day=day)


def _meet(period: _Period, other: _Period) -> bool:
    return period.first <= other.last and other.first <= period.last


def _overlapping(a: Sequence[_Period], b: Sequence[_Period], since: date | None) -> tuple[Overlap, ...]:
    items: defaultdict[tuple[date, date], set[Item]] = defaultdict(set)
    for period in a:
        for other in b:
            last = min(period.last, other.last)
            if _meet(period, other) and (since is None or last >= since):
                items[max(period.first, other.first), last] |= {period.item, other.item}
    return tuple(Overlap(first, last, None, _sorted(result)) for (first, last), result in sorted(items.items()))


# --- gatherings ----------------------------------------------------------------------------------------------------


def _taken(
    participations: Sequence[Related], holders: Mapping[RecordKey, RecordKey]
) -> defaultdict[RecordKey, list[Line]]:
    """Each holder's registrations that take a place, or wait for one, at what is still planned, as events states."""
    taken: defaultdict[RecordKey, list[Line]] = defaultdict(list)
    for section in participations:
        expected = set(section.document.get("expected", ()))
        for line in section.document.get("registrations", ()):
            if line["registration_id"] in expected:
                taken[holders[section.key]].append((section.key, line))
    return taken


def _same_events(a: Sequence[Line], b: Sequence[Line]) -> tuple[Overlap, ...]:
    items: defaultdict[str, set[Item]] = defaultdict(set)
    for item in a:
        for other in b:
            if _is_same_event(item, other):
                # Two writings of one title: the one that sorts first names it, whichever came first.
                title = min(str(line.get("event", {}).get("title") or line["event_id"]) for _, line in (item, other))
                items[title] |= {Item(key, "registration", line["registration_id"]) for key, line in (item, other)}
    return tuple(Overlap(None, None, title, _sorted(result)) for title, result in sorted(items.items()))


def _is_same_event(item: Line, other: Line) -> bool:
    """One gathering of one cluster, or one that both announce: the same title at the same instant."""
    (key, line), (other_key, other_line) = item, other
    if (key.cluster, line["event_id"]) == (other_key.cluster, other_line["event_id"]):
        return True
    event, other_event = line.get("event"), other_line.get("event")
    if event is None or other_event is None or key.cluster == other_key.cluster:
        return False
    same_time = datetime.fromisoformat(event["starts_at"]) == datetime.fromisoformat(other_event["starts_at"])
    return same_time and fold(event["title"]).split() == fold(other_event["title"]).split()


def _sorted(items: Iterable[Item]) -> tuple[Item, ...]:
    return tuple(sorted(items, key=lambda item: (item.key, item.kind, item.item_id or "")))
