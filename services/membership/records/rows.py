"""Keys and documents on their way to PostgreSQL and back."""

from collections.abc import Iterable
from typing import Any

from services.membership.records.record import RecordKey, SourceRecord
from shared.persistence.database import json_of

RECORD = "cluster, record_id, written, understood, siren, same_as, name_key, member_id, removed"
"""The columns that :func:`record_of` reads."""


def columns(keys: Iterable[RecordKey]) -> tuple[list[str], list[str]]:
    """For ``unnest($1::text[], $2::text[])``."""
    listed = list(keys)
    return [key.cluster for key in listed], [key.record_id for key in listed]


def pair_columns(pairs: Iterable[tuple[RecordKey, RecordKey]]) -> tuple[list[str], list[str], list[str], list[str]]:
    """For ``unnest($1::text[], $2::text[], $3::text[], $4::text[])``."""
    listed = list(pairs)
    return *columns(a for a, _ in listed), *columns(b for _, b in listed)


def record_of(row: Any) -> SourceRecord:
    """A row of :data:`RECORD`."""
    cluster, record_id, written, understood, siren, same_as, name_key, member_id, removed = row
    return SourceRecord(
        RecordKey(cluster, record_id),
        json_of(written),
        json_of(understood),
        siren,
        same_as,
        name_key,
        None if member_id is None else str(member_id),
        removed,
    )
