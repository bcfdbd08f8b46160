"""What the services that resolve conflicts answer: whose each is, and where it stands."""

from collections.abc import Sequence
from operator import attrgetter

from schemas.conflicts import ConflictAnswered
from schemas.envelope import Envelope
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.batches import columns_of, newest_by
from shared.persistence.statements import execute

_KEEP = """
    insert into conflict_answers as held (conflict_id, responsible, version, owner, state, changed_at)
    select * from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::timestamptz[])
    on conflict (conflict_id) do update
    set responsible = excluded.responsible, version = excluded.version, owner = excluded.owner,
        state = excluded.state, changed_at = excluded.changed_at
    where held.version < excluded.version
"""


async def keep_answers(uow: UnitOfWork, messages: Sequence[Envelope[ConflictAnswered]]) -> None:
    """Keep the newest answer to each conflict."""
    newest = newest_by((message.data for message in messages), attrgetter("conflict_id"), attrgetter("version"))
    # In the order of their keys, so that two replicas lock rows in the same order.
    answers = [newest[name] for name in sorted(newest)]
    await execute(
        uow.connection,
        _KEEP,
        (*columns_of(answers, "conflict_id", "service", "version", "owner", "state", "changed_at"),),
    )
