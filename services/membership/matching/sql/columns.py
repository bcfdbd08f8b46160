"""Records, keys and pairs on their way to arrays of PostgreSQL, and back."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, TypeVar

from services.membership.matching.features import VERSION, Features
from services.membership.matching.keys import beginning
from services.membership.matching.score import Judgement
from services.membership.matching.trigrams import bitmap, trigrams
from services.membership.matching.weights import Weights
from services.membership.records.record import RecordKey
from shared.persistence.batches import columns_of

LIST: Final = "\x1f"
"""Between the keys of a record on their way to an array; no key holds it."""
_SLICE: Final = 2_000
"""Pairs that are written at once."""
_T = TypeVar("_T")


def name_columns(records: Sequence[Features]) -> tuple[list[Any], ...]:
    """What is compared for names alike, and a name's size in trigrams; unknown is null, which equals nothing."""
    names = [record.names[0] if record.names else "" for record in records]
    return (
        [len(trigrams(name)) for name in names],
        [bitmap(name) for name in names],
        [record.departement for record in records],
        [record.postcode for record in records],
        [record.town or None for record in records],
        [beginning(name) for name in names],
        names,
    )


def versions(weights: Weights) -> tuple[int, int]:
    """Of the program and of its weights."""
    return VERSION, weights.version


def array(numbers: Iterable[int]) -> str:
    """An array of numbers as text: one that is itself an item of an array."""
    return "{" + ",".join(map(str, numbers)) + "}"


def slices(many: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """As many as are written at once."""
    return (many[at : at + _SLICE] for at in range(0, len(many), _SLICE))


def batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """Lists of ``size`` items, the last one of fewer."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def pair_columns(judgements: Sequence[Judgement], version: int) -> tuple[Any, ...]:
    """Rows of ``match_pairs``."""
    return (
        *ends((judgement.a, judgement.b) for judgement in judgements),
        *columns_of(judgements, "score", "verdict", "refused"),
        [" ".join(level or "-" for level in judgement.levels) for judgement in judgements],
        version,
    )


def records_of(rows: Iterable[Any]) -> Iterable[RecordKey]:
    """The two records of each row of four columns."""
    for ac, ar, bc, br in rows:
        yield RecordKey(ac, ar)
        yield RecordKey(bc, br)


def columns(records: Iterable[RecordKey]) -> tuple[list[str], list[str]]:
    """For ``unnest($1::text[], $2::text[])``."""
    listed = list(records)
    return [key.cluster for key in listed], [key.record_id for key in listed]


def ends(pairs: Iterable[tuple[RecordKey, RecordKey]]) -> tuple[list[str], list[str], list[str], list[str]]:
    """The same for both records of each pair."""
    listed = list(pairs)
    return *columns(a for a, _ in listed), *columns(b for _, b in listed)
