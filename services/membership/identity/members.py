"""Which member a source record is part of, and what merged or separated when that changes.

A merge is a link between source records that stay as they are, so a separation has nothing to restore: it only takes
the link away.

A record that its former system removed is not shown any more, but what is owed or refused under its id still is: so it
stays with the member that it is linked to best, by what it last said. It holds nobody else together: two records that
only a removed one joined are two members again.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.membership.matching.grouping import Decision, group
from services.membership.matching.score import Judgement
from services.membership.records.record import RecordKey

Group = tuple[RecordKey, ...]
"""Records in the order of their keys."""


class Member(NamedTuple):
    """The records that one member is made of; once none is ``present``, the member is gone."""

    present: Group
    removed: Group = ()

    @property
    def records(self) -> Group:
        """All of them."""
        return tuple(sorted(self.present + self.removed)) if self.removed else self.present

    @property
    def member_id(self) -> str:
        """The member's id: its first record's own. The other records' own ids keep answering with it."""
        return member_id_of(self.records)


@dataclass(frozen=True, slots=True)
class Merged:
    """Records that were not all one member are one now."""

    records: Group

    @property
    def former_ids(self) -> tuple[str, ...]:
        """The ids that lead to this member, beside its own."""
        return tuple(sorted(key.own_id for key in self.records[1:]))


@dataclass(frozen=True, slots=True)
class Separated:
    """The records of one member are several members now."""

    member_id: str
    records: Group
    """What it was made of."""
    parts: tuple[Group, ...]
    """The members that its records are part of now, each whole."""


Change = Merged | Separated


def member_id_of(records: Iterable[RecordKey]) -> str:
    """The id of a member that these records are all of."""
    return min(records).own_id


def members_of(
    sirens: Mapping[RecordKey, str | None],
    removed: Collection[RecordKey],
    judgements: Sequence[Judgement],
    decisions: Sequence[Decision],
) -> list[Member]:
    """The members that all records in ``sirens`` make; see :func:`grouping.group` for what links them."""
    removed_ids = frozenset(removed)
    groups = group(
        {key: siren for key, siren in sirens.items() if key not in removed_ids}, judgements, decisions
    ).groups
    homes = _homes(groups, sirens, removed_ids, judgements, decisions) if removed_ids else {}
    left = {key: sirens[key] for key in removed_ids if key not in homes}
    guests: defaultdict[int, list[RecordKey]] = defaultdict(list)
    for key, at in homes.items():
        guests[at].append(key)
    present = [Member(records, tuple(sorted(guests[at]))) for at, records in enumerate(groups)]
    return [*present, *(Member((), records) for records in group(left, judgements, decisions).groups)]


def _homes(
    groups: Sequence[Group],
    sirens: Mapping[RecordKey, str | None],
    removed: Collection[RecordKey],
    judgements: Sequence[Judgement],
    decisions: Sequence[Decision],
) -> dict[RecordKey, int]:
    """For each removed record that is linked to a group, the one that it is linked to best."""
    at = {key: number for number, records in enumerate(groups) for key in records}
    numbers = {number: {sirens[key] for key in records} - {None} for number, records in enumerate(groups)}
    decided = {(item.a, item.b): item for item in sorted(decisions, key=lambda item: (item.order, item))}
    barred: defaultdict[RecordKey, set[int]] = defaultdict(set)
    options: defaultdict[RecordKey, list[tuple[float, float, RecordKey]]] = defaultdict(list)
    for (a, b), decision in decided.items():
        for key, other in ((a, b), (b, a)):
            if key in removed and other in at:
                if decision.kind == "rejected":
                    barred[key].add(at[other])
                else:
                    options[key].append((0.0, -float(decision.order), other))
    for judgement in judgements:
        if judgement.verdict == "auto" and (judgement.a, judgement.b) not in decided:
            for key, other in ((judgement.a, judgement.b), (judgement.b, judgement.a)):
                if key in removed and other in at and _fits(sirens[key], numbers[at[other]]):
                    options[key].append((1.0, -judgement.score, other))
    homes: dict[RecordKey, int] = {}
    for key, option in options.items():
        if open_to := [at[other] for *_, other in sorted(option) if at[other] not in barred[key]]:
            homes[key] = open_to[0]
    return homes


def _fits(siren: str | None, numbers: Collection[str | None]) -> bool:
    return siren is None or all(number == siren for number in numbers)


def changes(before: Mapping[RecordKey, str], after: Sequence[Group]) -> list[Change]:
    """What merged and what separated. Pure, and in an order of its own.

    ``before`` has the member of each record that was known, ``after`` all groups that they and new ones are part of
    now, each whole. A record that was not known before counts as a member by itself that merges.
    """
    merged = [Merged(records) for records in after if len({before.get(key, key.own_id) for key in records}) > 1]
    # By number: to hash the records of a large group once for each of them takes the square of their number.
    part_of = {key: at for at, records in enumerate(after) for key in records}
    former: defaultdict[str, list[RecordKey]] = defaultdict(list)
    for key in sorted(before):
        former[before[key]].append(key)
    separated: list[Change] = []
    for member_id, records in sorted(former.items()):
        parts = sorted(after[at] for at in {part_of[key] for key in records})
        if len(parts) > 1:
            separated.append(Separated(member_id, tuple(records), tuple(parts)))
    return [*separated, *sorted(merged, key=lambda fact: fact.records)]
