"""Everything that is computed from what former systems wrote, computed anew: understanding, recognition, views.

Needed when the program understands or judges otherwise than the one that wrote (a new version), or when the clusters'
lineages or the rules of survivorship changed. One transaction, with the turn to consolidate: while it runs, consumers
wait, and if it is killed all stays as it was.
"""

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import orjson

from schemas.membership import MemberRecorded
from services.membership.matching import repository as matching_repository
from services.membership.matching.features import Features, features
from services.membership.normalisation.normalised_record import meaning
from services.membership.projections import consolidate_everything
from services.membership.records.record import SourceRecord
from services.membership.unit_of_work import MembershipUnitOfWork

PAGE = 1_000

Progress = Callable[[str, int, int], None]
"""``progress(step, done, of)``."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many source records there are, how many are understood otherwise than before, and how many members are."""

    records: int
    understood_otherwise: int
    members: int


async def is_needed(uow: MembershipUnitOfWork) -> bool:
    """Whether recognition was computed by another version of the program or its weights, or for some records never."""
    return not await matching_repository.is_current(uow.connection, uow.policy.weights) or await uow.any_unrecognised()


async def rebuild(uow: MembershipUnitOfWork, progress: Progress) -> Rebuilt:
    """Compute everything anew. ``progress`` is told of each step now and then."""
    await uow.serialise_writers()
    total = await uow.count_records()
    otherwise, result = 0, list[Features]()
    async for page in _pages(uow):
        anew = [_understood(uow, record) for record in page]
        changed = [new for new, old in zip(anew, page, strict=True) if new != old]
        await uow.save_understanding(changed)
        otherwise += len(changed)
        result += [features(record) for record in anew if record.written]
        progress("understand", len(result), total)
    await matching_repository.rebuild(uow.connection, _with_progress(result, progress), uow.policy.weights)
    members = await consolidate_everything(uow, lambda done: progress("consolidate", done, total))
    return Rebuilt(total, otherwise, members)


async def _pages(uow: MembershipUnitOfWork) -> AsyncGenerator[list[SourceRecord]]:
    page = await uow.records_after(None, PAGE)
    while page:
        yield page
        page = await uow.records_after(page[-1].key, PAGE)


def _understood(uow: MembershipUnitOfWork, record: SourceRecord) -> SourceRecord:
    """The same record as this program understands it."""
    if not record.written:
        return record
    fact = MemberRecorded.model_validate_json(orjson.dumps(record.written))
    means = meaning(fact, uow.policy.clusters.get(record.key.cluster))
    return replace(record, understood=means.document, siren=means.siren, same_as=means.same_as, name_key=means.name_key)


def _with_progress(features: Sequence[Features], progress: Progress) -> Iterator[Features]:
    for done, feature in enumerate(features):
        if done % PAGE == 0:
            progress("recognise", done, len(features))
        yield feature
    progress("recognise", len(features), len(features))
