"""Which source records are one member.

Two records are linked when both hold the same valid SIREN and their names agree (an equal SIREN alone is wrong in 7
cases of 100: typing errors, another company's number), or when a former system says that one is the same as another
of its own and the names agree. A member is a connected group. The result depends on the records alone, never on the
order in which they came.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations

from services.membership.domain.naming import names_agree
from services.membership.domain.records import RecordKey, SourceRecord


def groups(records: Iterable[SourceRecord]) -> list[list[SourceRecord]]:
    """Connected groups of linked records that were not removed, each in the order of its keys."""
    held = {record.key: record for record in sorted(records, key=lambda one: one.key) if not record.removed}
    parents: dict[RecordKey, RecordKey] = {key: key for key in held}

    def root(key: RecordKey) -> RecordKey:
        while parents[key] != key:
            parents[key] = parents[parents[key]]
            key = parents[key]
        return key

    for one, other in _links(held.values()):
        low, high = sorted((root(one.key), root(other.key)))
        parents[high] = low
    members: defaultdict[RecordKey, list[SourceRecord]] = defaultdict(list)
    for key, record in held.items():
        members[root(key)].append(record)
    return list(members.values())


def member_id(group: Sequence[SourceRecord]) -> str:
    """The member's id: its first record's own. The other records' own ids keep answering with it."""
    return group[0].key.own_id


def _links(records: Iterable[SourceRecord]) -> Iterable[tuple[SourceRecord, SourceRecord]]:
    held = {record.key: record for record in records}
    by_siren: defaultdict[str, list[SourceRecord]] = defaultdict(list)
    for record in held.values():
        if record.siren is not None:
            by_siren[record.siren].append(record)
        target = held.get(RecordKey(record.key.cluster, record.same_as)) if record.same_as else None
        if target is not None and not _contradict(record, target) and _agree(record, target):
            yield record, target
    for alike in by_siren.values():
        yield from (pair for pair in combinations(alike, 2) if _agree(*pair))


def _contradict(one: SourceRecord, other: SourceRecord) -> bool:
    return None not in (one.siren, other.siren) and one.siren != other.siren


def _agree(one: SourceRecord, other: SourceRecord) -> bool:
    """Any of one's names with any of the other's: many companies are known by their brand."""
    return any(names_agree(a, b) for a in _name_keys(one) for b in _name_keys(other))


def _name_keys(record: SourceRecord) -> list[str]:
    return [key for key in (record.name_key, record.understood.get("brand_key")) if key]
