"""Files with one row per term of membership: the rows of one member become one fact, and a fact those rows again."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pydantic import ValidationError

from schemas.base import Fact
from schemas.membership import MemberRecorded, Subscription
from services.membership.legacy.columns import column
from services.membership.legacy.draft import Draft, explain
from services.membership.legacy.lines import Line, Sheet
from services.membership.legacy.meanings import Meaning
from shared.importing.outcomes import Accepted, Notice, Outcome, Rejection, broken
from shared.importing.table import Row, Table

_STRONGEST: tuple[Meaning, ...] = ("active", "pending", "ended", "none")
"""One running term makes a member, however many have ended."""


@dataclass(slots=True)
class Term:
    """A row that was read: the member as it says, and its subscription if it has one."""

    draft: Draft
    subscription: Subscription | None
    status: Meaning | None = None
    """What this one term makes of the member, where the product has no status of the member itself."""


def subscription(draft: Draft, identity: str, starts_on: date | None, **parts: Any) -> Subscription | None:
    """The subscription of a row; None when there is none, or, with a fault in the draft, when it is not whole."""
    if draft.faults or not (identity or starts_on or any(parts.values())):
        return None
    if starts_on is None:
        draft.fault("starts_on", "", "a subscription without its first day")
        return None
    try:
        return Subscription(subscription_id=identity or starts_on.isoformat(), starts_on=starts_on, **parts)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_context=False):
            draft.fault(str(problem["loc"][0]), str(problem["input"]), explain(problem["type"], problem["msg"]))
        return None


@dataclass(slots=True)
class _Member:
    first: Draft
    lines: list[int] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    subscriptions: dict[str, tuple[int, Subscription]] = field(default_factory=dict)
    statuses: set[Meaning] = field(default_factory=set)
    rest: dict[str, str] = field(default_factory=dict)


def merge_terms(
    table: Table, version: int, read: Callable[[Row], Term], *, until_from_terms: bool = True
) -> Iterator[Outcome[Fact]]:
    """One fact per member, in the order in which members first appear.

    A row with a fault is set aside alone; the member's other rows go on. Where rows of one member disagree about the
    member itself, the first is believed, and a notice says so. The same subscription twice with other dates or
    amounts is a rejection of the later row. ``until_from_terms``: without a day of its own, the member is paid until
    the last day of its last term.
    """
    members: dict[str, _Member] = {}
    for row in table.rows:
        if row.fault is not None:
            yield broken(row)
            continue
        term = read(row)
        if term.draft.faults:
            yield from term.draft.faults
            continue
        yield from _add(members, term)
    for record_id, member in members.items():
        yield from _close(record_id, member, version, until_from_terms=until_from_terms)


def _add(members: dict[str, _Member], term: Term) -> Iterator[Rejection]:
    draft, bought = term.draft, term.subscription
    record_id = draft.record_id or ""
    member = members.get(record_id) or _Member(draft)
    if bought is not None:
        known = member.subscriptions.get(bought.subscription_id)
        if known is not None and known[1] != bought:
            reason = f"line {known[0]} has this subscription, and says otherwise"
            yield Rejection(draft.line, record_id, "subscription_id", bought.subscription_id, reason)
            return
        member.subscriptions.setdefault(bought.subscription_id, (draft.line, bought))
    if term.status is not None:
        member.statuses.add(term.status)
    member.notices += [*_differences(member, draft), *draft.notices]
    member.lines.append(draft.line)
    # Columns without a field of ours may belong to the term (how it was paid): each writing is kept once.
    for header, written in draft.rest().items():
        if member.rest.setdefault(header, written) != written:
            mark = bought.subscription_id if bought else f"line {draft.line}"
            member.rest[_marked(header, mark)] = written
    members[record_id] = member


def _differences(member: _Member, draft: Draft) -> list[Notice]:
    """What this row says otherwise about the member itself; the first row is believed."""
    first = member.first.fields
    if draft is member.first:
        return []
    if "member_since" in first and "member_since" in draft.fields:
        # Each term may carry its own; the member has been one since the earliest.
        first["member_since"] = draft.fields["member_since"] = min(first["member_since"], draft.fields["member_since"])
    reason = f"line {member.first.line} says otherwise, and is kept"
    return [
        Notice(draft.line, draft.record_id, name, str(value), reason)
        for name, value in draft.fields.items()
        if name in first and first[name] != value
    ]


def _close(record_id: str, member: _Member, version: int, *, until_from_terms: bool) -> Iterator[Outcome[Fact]]:
    bought = [subscription for _, subscription in member.subscriptions.values()]
    bought.sort(key=lambda s: (s.starts_on, s.subscription_id))
    if bought:
        member.first.fields["subscriptions"] = tuple(bought)
        ends = [s.ends_on for s in bought if s.ends_on is not None]
        if until_from_terms and ends and "paid_until" not in member.first.fields:
            member.first.fields["paid_until"] = max(ends)
    if member.statuses:
        member.first.stands(next(s for s in _STRONGEST if s in member.statuses))
    fact = member.first.fact(version, member.rest)
    if fact is not None:
        yield Accepted(tuple(member.lines), fact, tuple(member.notices))
        return
    # The member cannot be made at all, so none of its rows may count as accepted.
    faults = member.first.faults
    yield from faults
    for line in member.lines[1:]:
        yield Rejection(line, record_id, faults[0].field, faults[0].value, faults[0].reason)


def term_lines(fact: MemberRecorded, member: Line, line_of: Callable[[Subscription | None], Line]) -> Sheet:
    """The member's columns with those of each term, or with the term's empty ones where there is none.

    What a term keeps of other columns goes back into its own row.
    """
    terms = {item.subscription_id: item for item in fact.subscriptions}
    extra = dict(fact.extra)
    own: dict[str, dict[str, str]] = {}
    for header in fact.extra:
        for number in terms:
            base = header.removesuffix(_marked("", number))
            if base != header and base in fact.extra:
                own.setdefault(number, {})[base] = extra.pop(header)
    # A column's first writing is the one without a mark: its rows go first.
    ordered = sorted(fact.subscriptions, key=lambda item: item.subscription_id in own) or [None]
    headers = sorted({header for line in own.values() for header in line})
    if any(all(header in own.get(number, {}) for number in terms) for header in headers):
        # Nor was it a term's: the member had a row without one.
        ordered = [None, *ordered]
    lines = [
        [*member, *line_of(item), *_kept_by(own.get(item.subscription_id, {}) if item else {}, extra, headers)]
        for item in ordered
    ]
    return Sheet(lines, {name: written for name, written in extra.items() if name not in headers})


def _kept_by(own: Mapping[str, str], member: Mapping[str, str], headers: Iterable[str]) -> Line:
    """What a term keeps of these columns: as it writes them itself, else as the member's first term did."""
    return [(column(name), own.get(name, member[name])) for name in headers]


def _marked(header: str, mark: str) -> str:
    return f"{header} ({mark})"
