"""What membership does with records before it has the turn: understand them, publish what is new, look, write views.

Looking for candidates takes most of a record's time, and needs no turn once the record is published: see
:mod:`matching.sql.looking`. Two transactions, then: one that publishes, and the one of the messages, which links, saves
and announces. Only the second counts. If a process ends between the two, the broker still has the messages, and what
was published waits as pending: the next process links it with its message, or :mod:`withdraw` takes it away.

Most new records look like nobody else's. Their views are ready before the turn, for which all others wait.
"""

from asyncio import to_thread
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from schemas.envelope import Envelope
from schemas.membership import MemberRecorded
from services.cutover.fence import Fenced
from services.cutover.stages import OURS
from services.membership.matching.features import Features, features
from services.membership.matching.sql import looking
from services.membership.matching.sql.looking import Look, Publishable, publishable
from services.membership.policy import Policy
from services.membership.records.record import RecordKey, SourceRecord
from services.membership.records.repository import RecordVersion
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.usecases.keep_records import content_of, edition_of, newest_contents
from services.membership.views.consolidation import View, consolidate
from shared.persistence.batches import ahead
from shared.persistence.statements import fetch

LEAST: Final = 16
"""Records: with fewer, two transactions cost more than the turn is worth."""

LEAST_PART: Final = 64
MOST_PARTS: Final = 4
# The commit of the messages' own transaction flushes this one too; if it is lost, the messages come again.
_SETTINGS = """
    select set_config('synchronous_commit', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true)
"""
_STAGES = "select cluster from stages where cluster = any($1::text[]) and stage = any($2::text[])"


Newest = Mapping[RecordKey, Envelope[MemberRecorded]]
"""The newest message of each record that says what it holds."""
Contents = Mapping[RecordKey, tuple[RecordVersion, SourceRecord]]
"""What messages say, as understood, by record and with its version."""


@dataclass(frozen=True, slots=True)
class TakenIn:
    """Contents of messages, features of those records that are new, and what a look at these found.

    ``views`` are those that records have alone, if they are like no other.
    """

    contents: Contents
    features: Mapping[RecordKey, Features]
    look: Look | None = None
    views: Mapping[RecordKey, View] = field(default_factory=dict[RecordKey, View])

    def content(self, key: RecordKey, edition: RecordVersion) -> SourceRecord | None:
        """What this version of a record says, if it was understood already."""
        known = self.contents.get(key)
        return known[1] if known is not None and known[0] == edition else None

    def features_of(self, record: SourceRecord) -> Features:
        """Its features, computed only if it is not as it was taken in."""
        computed = self.features.get(record.key)
        return computed if computed is not None and self._is_as_taken_in(record) else features(record)

    def view_of(self, record: SourceRecord) -> View | None:
        """Its view while it is alone and nobody states anything of it, if that is ready."""
        return self.views.get(record.key) if self._is_as_taken_in(record) else None

    def _is_as_taken_in(self, record: SourceRecord) -> bool:
        known = self.contents.get(record.key)
        return known is not None and known[1].written is record.written


class TakenInFirst(Fenced):
    """Fenced, after records were taken in without the turn."""

    async def prepare(
        self,
        engine: AsyncEngine,
        unit_of_work: Callable[[AsyncConnection], MembershipUnitOfWork],
        messages: Sequence[Envelope[Any]],
    ) -> TakenIn | None:
        """Publish the records that these messages tell of first, and look at them; None for a few messages."""
        return None if len(messages) < LEAST else await take_in(engine, unit_of_work, messages)


async def take_in(
    engine: AsyncEngine,
    unit_of_work: Callable[[AsyncConnection], MembershipUnitOfWork],
    messages: Sequence[Envelope[Any]],
) -> TakenIn:
    """Publish, commit, look. Raises StaleRecognitionError, LookupError."""
    async with engine.begin() as connection:
        await fetch(connection, _SETTINGS)
        policy = unit_of_work(connection).policy
        newest = newest_contents(messages)
        new = await _new(connection, newest, policy)
        if len(new) < LEAST:
            return TakenIn(await to_thread(_understood, policy, newest), {})
        computed = dict[RecordKey, Features]()
        contents = await to_thread(_understood, policy, {key: newest[key] for key in newest.keys() - set(new)})

        def next_part(keys: Sequence[RecordKey]) -> Publishable:
            part = _understood(policy, {key: newest[key] for key in keys})
            contents.update(part)
            computed.update((key, features(content)) for key, (_, content) in part.items())
            return publishable([computed[key] for key in keys])

        published = await looking.publish(connection, ahead(_parts(sorted(new)), next_part), policy.weights)
    if not published:
        return TakenIn(contents, computed)
    async with engine.begin() as connection:
        look = await looking.look(connection, published, policy.weights)
    return TakenIn(contents, computed, look, await to_thread(_views_alone, policy, contents, computed, look))


def _parts(keys: Sequence[RecordKey]) -> Iterator[Sequence[RecordKey]]:
    """Two to four, so that one is understood while another is written; each statement takes its own time too."""
    size = max(LEAST_PART, -(-len(keys) // MOST_PARTS))
    return (keys[at : at + size] for at in range(0, len(keys), size))


def _understood(policy: Policy, newest: Newest) -> dict[RecordKey, tuple[RecordVersion, SourceRecord]]:
    return {key: (edition_of(message), content_of(policy, key, message)) for key, message in newest.items()}


def _views_alone(
    policy: Policy, contents: Contents, computed: Collection[RecordKey], look: Look
) -> Mapping[RecordKey, View]:
    """The views of those records that are like no other."""
    alike = {key for pair in look.pairs for key in (pair.judgement.a, pair.judgement.b)}
    rules, since = policy.rules, policy.paid_twice_since
    return {key: consolidate([contents[key][1]], (), rules=rules, since=since) for key in computed if key not in alike}


async def _new(connection: AsyncConnection, keys: Collection[RecordKey], policy: Policy) -> list[RecordKey]:
    """Those of which nothing is known yet, and whose former systems are heard."""
    ours = await _changed_here(connection, {key.cluster for key in keys})
    heard = [key for key in keys if key.cluster not in ours]
    known = await looking.known(connection, heard, policy.weights)
    return [key for key in heard if key not in known]


async def _changed_here(connection: AsyncConnection, clusters: set[str]) -> set[str]:
    """Those of these clusters whose former systems are not heard. The fence looks again, under its lock."""
    rows = await fetch(connection, _STAGES, (sorted(clusters), sorted(OURS)))
    return {cluster for (cluster,) in rows}
