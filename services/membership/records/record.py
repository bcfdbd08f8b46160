"""A source record: what one former system says of one member, and what we understood of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID, uuid5

import orjson

NAMESPACE = UUID("0192f0c1-7a3e-7c55-9d0e-54726162756c")


class RecordKey(NamedTuple):
    """The former system's own name for a record; its text form is ``numelink/B-104851``."""

    cluster: str
    record_id: str

    def __str__(self) -> str:
        return f"{self.cluster}/{self.record_id}"

    @property
    def own_id(self) -> str:
        """The member id that this record has by itself (UUIDv5), the same for ever and on every machine."""
        return _own_id(self)


def as_written(document: bytes) -> dict[str, Any]:
    """A fact's JSON as an object whose keys are sorted at every level: equal content is equal text, whoever sent it."""
    return orjson.loads(orjson.dumps(orjson.loads(document), option=orjson.OPT_SORT_KEYS))


@lru_cache(maxsize=4_096)
def _own_id(key: RecordKey) -> str:
    return str(uuid5(NAMESPACE, str(key)))


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """What consolidation needs of one record. ``written`` and ``understood`` are JSON objects."""

    key: RecordKey
    written: Mapping[str, Any]
    understood: Mapping[str, Any]
    siren: str | None
    same_as: str | None
    name_key: str
    member_id: str | None
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Related:
    """One invoice, payment, registration (with its event), consent or mailing of a source record."""

    kind: str
    key: RecordKey
    item_id: str
    document: Mapping[str, Any]
    event: Mapping[str, Any] | None = None
