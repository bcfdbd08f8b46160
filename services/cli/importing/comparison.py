"""What an import would change: each fact of a file against the record that its service keeps already.

A fact is a record's whole content, so a column that was not ticked would empty its field. That is found out before
anything is published.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import PydanticUndefined

from schemas.base import Fact
from schemas.membership import MemberRemoved
from services.cli.importing.kept import Kept, kept_by
from services.cli.importing.versions import Versions, id_of, note
from shared.importing.outcomes import Accepted

if TYPE_CHECKING:
    from services.cli.importing.reading import FormerSystem, OpenFile

HANDFUL: Final = 5
"""Records in which a field may become empty without ``--replace``, where its column is in the file."""
PAGE: Final = 1_000
EXTRA: Final = "extra"
_OWN: Final = frozenset({"version"})
_LINKS: Final = frozenset({"is_member", "same_as"})
"""What no column holds as a value: how the record stands to others."""
_PATIENCE: Final = 20.0
"""Seconds without any more records being there after which waiting for them ends."""


@dataclass(slots=True)
class Changes:
    """What the facts of one file would do. ``emptied`` counts records by field; a column that is kept as it is written
    goes by its header. ``columns_missing`` are those fields of which the file has no column.
    """

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    older: int = 0
    removed: int = 0
    emptied: Counter[str] = field(default_factory=Counter[str])
    columns_missing: set[str] = field(default_factory=set[str])

    @property
    def too_many(self) -> dict[str, int]:
        """The fields that may not be emptied without ``--replace``, with how many records."""
        return {
            name: count for name, count in self.emptied.most_common() if count > HANDFUL or name in self.columns_missing
        }

    def take(self, fact: Fact, written: Mapping[str, Any], file: OpenFile, growing: Collection[str] = ()) -> None:
        """One record of which another version is kept. ``growing`` lists lose nothing by what a fact leaves out."""
        stated = _plain(fact.model_dump(mode="json", exclude_defaults=True))
        kept = _plain(written)
        for name in growing:
            if name in kept:
                stated[name] = sorted({*stated.get(name, ()), *kept[name]})
        names = {name for name in {*stated, *kept} if stated.get(name) != kept.get(name)}
        if not names:
            self.unchanged += 1
            return
        self.changed += 1
        lost = kept.keys() - stated.keys() - _LINKS
        if getattr(fact, "is_member", None) is False and file.table.covers("status"):
            lost -= {"status"}  # the file says that it is no member
        # "registered" after "waiting" is a value, though it is left out as the default.
        lost -= {name for name in lost if _has_default(fact, name) and file.table.covers(name)}
        for name in sorted(lost):
            self.emptied[name] += 1
            if not file.table.covers(name):
                self.columns_missing.add(name)


def _has_default(fact: Fact, name: str) -> bool:
    """Whether a field that nobody writes has a value all the same."""
    field = type(fact).model_fields.get(name)
    return field is not None and field.default not in (None, "", (), PydanticUndefined)


def _plain(document: Mapping[str, Any]) -> dict[str, Any]:
    """Field by field what is said at all, columns that are kept as they are beside the fields; lists have no order."""
    fields: dict[str, Any] = {}
    for name, value in document.items():
        if name == EXTRA:
            fields.update({f"{EXTRA}:{header}": written for header, written in value.items()})
        elif name not in _OWN and value not in (None, "", [], ()):
            fields[name] = sorted(map(_text, value)) if isinstance(value, list) else value
    return fields


def _text(value: Any) -> str:
    """The keys of an object may be kept in another order."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


async def compare_files(url: str, former: FormerSystem, files: Iterable[OpenFile]) -> list[Changes]:
    """One result for each file, in order. Goes through the files once, so they must be opened anew for publishing.

    Raises:
        UnreadableError: the database cannot be reached.
    """
    async with kept_by(url, former) as kept:
        return [await _compare(kept, file) for file in files]


async def _compare(kept: Kept, file: OpenFile) -> Changes:
    changes = Changes()
    facts = (outcome.fact for outcome in file.outcomes if isinstance(outcome, Accepted))
    while page := list(islice(facts, PAGE)):
        stored: dict[tuple[type[Fact], str], Any] = {}
        versions: Versions = {}
        for fact in page:
            note(versions, fact)
        for model, ids in versions.items():
            stored.update({(model, key): known for key, known in (await kept.records(model, list(ids))).items()})
        for fact in page:
            known = stored.get((type(fact), id_of(fact)))
            if known is not None and known.version > fact.version:
                changes.older += 1
            elif isinstance(fact, MemberRemoved):
                changes.removed += 1
            elif known is None or known.removed:
                changes.new += 1
            else:
                changes.take(fact, known.written, file, kept.growing)
    return changes


async def wait_until_kept(url: str, former: FormerSystem, versions: Versions) -> int:
    """Wait until the service keeps these records in these versions or newer; how many it does not keep in time.

    Membership writes a record and its view in one transaction.
    """
    left = {(model, key): version for model, ids in versions.items() for key, version in ids.items()}
    progress = time.monotonic()
    async with kept_by(url, former) as kept:
        while left:
            before = len(left)
            for model in versions:
                for ids in _pages([key for kind, key in left if kind is model]):
                    for key, known in (await kept.records(model, ids)).items():
                        if known.version >= left[model, key]:
                            del left[model, key]
            if len(left) < before:
                progress = time.monotonic()
            elif time.monotonic() - progress > _PATIENCE:
                break
            if left:
                await asyncio.sleep(0.2)
    return len(left)


def _pages(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[at : at + PAGE] for at in range(0, len(ids), PAGE))
