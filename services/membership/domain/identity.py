"""Which member a source record is part of, and what merged or separated when that changes.

A merge is a link between source records that stay as they are, so a separation has nothing to restore: it only takes
the link away.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from services.membership.domain.records import RecordKey

_NOBODY: Mapping[RecordKey, str] = MappingProxyType({})

Group = tuple[RecordKey, ...]
"""The records of one member, in the order of their keys."""


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
    """The records of one member are several now, or one of them was removed."""

    member_id: str
    records: Group
    """What it was made of."""
    parts: tuple[Group, ...]
    """The members that its records are part of now, each whole."""


Change = Merged | Separated


def member_id_of(records: Iterable[RecordKey]) -> str:
    """The member's id: its first record's own. The other records' own ids keep answering with it."""
    return min(records).own_id


def changes(
    before: Mapping[RecordKey, str], after: Sequence[Group], returned: Mapping[RecordKey, str] = _NOBODY
) -> list[Change]:
    """What merged and what separated. Pure, and in an order of its own.

    ``before`` has the member of each record that was there, ``after`` every record that is there now, all groups whole
    and in the order of their keys. A record that was not there before counts as a member by itself that merges.
    ``returned`` are records that had been removed, with the member that they still led to: one that stands alone now
    is separated from it, or whoever follows would believe what was told of it last.
    """
    merged = [change for group in after if (change := _merged(before, group))]
    part_of = {key: group for group in after for key in group}
    once: defaultdict[str, list[RecordKey]] = defaultdict(list)
    for key in sorted(before):
        once[before[key]].append(key)
    separated: list[Change] = []
    for member_id, records in sorted(once.items()):
        parts = sorted({part_of[key] for key in records if key in part_of})
        gone = any(key not in part_of for key in records)
        if len(records) > 1 and (gone or len(parts) > 1):
            separated.append(Separated(member_id, tuple(records), tuple(parts)))
    separated += [Separated(returned[key], (key,), ((key,),)) for key in sorted(returned) if part_of.get(key) == (key,)]
    return [*separated, *sorted(merged, key=lambda one: one.records)]


def _merged(before: Mapping[RecordKey, str], group: Group) -> Merged | None:
    return Merged(group) if len({before.get(key, key.own_id) for key in group}) > 1 else None
