"""What an import would change: each fact of a file against the record that membership keeps already.

A fact is a record's whole content, so a column that was not ticked would empty its field. That is found out before
anything is published. Source records are read from the service's own database; an import at a former system's own
place may have none, and then says that nothing was compared.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Protocol

from schemas.membership import MemberRecorded, MemberRemoved
from services.membership.records.stored import Fetches, stored_records
from shared.importing.outcomes import Accepted, UnreadableError

if TYPE_CHECKING:
    from services.cli.importing.reading import FormerSystem, OpenFile

HANDFUL: Final = 5
"""Records in which a field may become empty without ``--replace``, where its column is in the file."""
PAGE: Final = 1_000
EXTRA: Final = "extra"
_OWN: Final = frozenset({"version", "record_id"})
_LINKS: Final = frozenset({"is_member", "same_as"})
"""What no column holds as a value: how the record stands to others."""
_PATIENCE: Final = 20.0
"""Seconds without any more records being there after which waiting for the views ends."""


class Connection(Fetches, Protocol):
    """As much of asyncpg's connection as is needed here."""

    async def close(self) -> None:
        """Give it back."""
        ...


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

    def take(self, fact: MemberRecorded, written: Mapping[str, Any], file: OpenFile) -> None:
        """One record of which another version is kept."""
        stated = _plain(fact.model_dump(mode="json", exclude_defaults=True))
        kept = _plain(written)
        names = {name for name in {*stated, *kept} if stated.get(name) != kept.get(name)}
        if not names:
            self.unchanged += 1
            return
        self.changed += 1
        lost = kept.keys() - stated.keys() - _LINKS
        if fact.is_member is False and file.table.covers("status"):
            lost -= {"status"}  # the file says that it is no member
        for name in lost:
            self.emptied[name] += 1
            if not file.table.covers(name):
                self.columns_missing.add(name)


def _plain(document: Mapping[str, Any]) -> dict[str, Any]:
    """Field by field what is said at all, columns that are kept as they are beside the fields; lists have no order."""
    fields: dict[str, Any] = {}
    for name, value in document.items():
        if name == EXTRA:
            fields.update({f"{EXTRA}:{header}": written for header, written in value.items()})
        elif name not in _OWN and value not in (None, "", [], ()):
            fields[name] = sorted(map(str, value)) if isinstance(value, list) else value
    return fields


async def compare_files(url: str, former: FormerSystem, files: Iterable[OpenFile]) -> list[Changes]:
    """One result for each file, in order. Goes through the files once, so they must be opened anew for publishing.

    Raises:
        UnreadableError: the database cannot be reached.
    """
    connection = await _connect(url)
    try:
        return [await _compare(connection, former, file) for file in files]
    finally:
        await connection.close()


async def _compare(connection: Connection, former: FormerSystem, file: OpenFile) -> Changes:
    changes = Changes()
    facts = (outcome.fact for outcome in file.outcomes if isinstance(outcome, Accepted))
    while page := list(islice(facts, PAGE)):
        stored = await stored_records(connection, former.cluster, [fact.record_id for fact in page])
        for fact in page:
            known = stored.get(fact.record_id)
            if known is not None and known.version > fact.version:
                changes.older += 1
            elif isinstance(fact, MemberRemoved):
                changes.removed += 1
            elif known is None or known.removed:
                changes.new += 1
            else:
                changes.take(fact, known.written, file)
    return changes


async def wait_until_shown(url: str, former: FormerSystem, versions: Mapping[str, int]) -> int:
    """Wait until the views show these records in these versions or newer; how many they do not show in time.

    A record and its view are written in one transaction.
    """
    connection = await _connect(url)
    left, progress = dict(versions), time.monotonic()
    try:
        while left:
            before = len(left)
            for ids in _pages(list(left)):
                for key, known in (await stored_records(connection, former.cluster, ids)).items():
                    if known.version >= left[key]:
                        del left[key]
            if len(left) < before:
                progress = time.monotonic()
            elif time.monotonic() - progress > _PATIENCE:
                break
            if left:
                await asyncio.sleep(0.2)
        return len(left)
    finally:
        await connection.close()


def _pages(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[at : at + PAGE] for at in range(0, len(ids), PAGE))


async def _connect(url: str) -> Connection:
    import asyncpg

    from shared.persistence.database import asyncpg_url

    try:
        # asyncpg's own types know no sequence of rows.
        connection: Any = await asyncpg.connect(asyncpg_url(url), timeout=5, command_timeout=60)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise UnreadableError(
            f"what membership keeps already cannot be read ({type(error).__name__}): nothing was imported. "
            "--no-compare imports without comparing"
        ) from None
    return connection
