"""Late messages in every service: what staff apply keeps its own version."""

from collections.abc import Sequence
from itertools import permutations
from random import Random
from typing import Any

import orjson
import pytest

from schemas.communications import MailingChanged
from schemas.envelope import Envelope
from services.cli.registry import definition_of
from tests.integration.cutover.late_messages.mirrors import KINDS, Kind, MirrorUnderTest
from tests.support import any_order, builders
from tests.support.in_memory import InMemoryMembership


def _text(kind: Kind, text: str) -> Any:
    """A text as the kind's field holds it."""
    return getattr(kind.a(0, text, 1), kind.text)


MANY = range(8)
"""Of two writings of one version, chance says which is kept: of so many, some would be lost."""


@pytest.mark.parametrize("version", [4, 5, 6])
@pytest.mark.parametrize("name", KINDS)
async def test_what_a_former_system_says_after_a_late_message_was_applied_counts(
    stack_of: Any, name: str, version: int
) -> None:
    kind = KINDS[name]
    services: MirrorUnderTest = await stack_of(kind.service)
    answer = await services.write(*(kind.a(item, f"five {item}", 5) for item in MANY))
    await services.move("mirror", "switch")
    await services.write(*(kind.a(item, f"late {item}", version) for item in MANY))
    await services.apply_all()
    assert await services.mirrored_records(kind) == {
        f"R{item}": (_text(kind, f"late {item}"), version) for item in MANY
    }

    await services.move("rollback")
    following = max(5, version) + 1
    answer += await services.write(*(kind.a(item, f"next {item}", following) for item in MANY))
    wanted = {f"R{item}": (_text(kind, f"next {item}"), following) for item in MANY}
    assert await services.mirrored_records(kind) == wanted
    for seed in range(3):
        again = [*answer]
        Random(seed).shuffle(again)
        await services.hear(again)
    assert await services.mirrored_records(kind) == wanted, "by whatever came again"
    if kind.changed is not None:
        await _shown_in_any_order(
            await services.outbox(kind.changed), kind, {_text(kind, f"next {item}") for item in MANY}
        )


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.changed is not None])
async def test_whoever_is_told_of_it_shows_what_was_applied(stack_of: Any, name: str) -> None:
    kind = KINDS[name]
    assert kind.changed is not None
    services: MirrorUnderTest = await stack_of(kind.service)
    await services.write(kind.a(1, "five", 5))
    await services.move("mirror", "switch")
    for text, version in (("late", 4), ("later", 5), ("latest", 3)):
        await services.write(kind.a(1, text, version))
        await services.apply_all()
    announced = await services.outbox(kind.changed)
    assert [item.data.applied_late for item in announced] == [0, 1, 2, 3]  # type: ignore[attr-defined]
    for order in permutations(announced):
        await _shown_in_any_order(order, kind, {_text(kind, "latest")})

    membership: MirrorUnderTest = await stack_of("membership")
    for item in reversed(announced):
        async with membership.transaction() as uow:
            await any_order.handle(uow, [item])
    async with membership.transaction() as uow:
        documents = (await uow.connection.exec_driver_sql("select document::text from related")).scalars()
    assert [orjson.loads(document).get(kind.text) for document in documents] == [_text(kind, "latest")]

    # What is told again after a restore is the same event as the newest.
    async with services.transaction() as uow:
        for telling in definition_of(services.service).republished:
            await telling.page(uow, None)
    assert (await services.outbox(kind.changed))[-1].id == announced[-1].id


async def _shown_in_any_order(announced: Sequence[Envelope[Any]], kind: Kind, wanted: set[Any]) -> None:
    """Membership shows this, whatever order it is told in, and however often."""
    uow = InMemoryMembership()
    published = [*announced, *announced[::2]]
    Random(7).shuffle(published)
    for entry in published:
        await any_order.handle(uow, [entry])
    shown = {orjson.loads(item.document).get(kind.text, 1) for item in uow.items.values()}
    assert shown == {orjson.loads(orjson.dumps(item)) for item in wanted}


async def test_whom_a_late_mailing_names_is_told_of_it_and_nobody_is_taken_away(stack_of: Any) -> None:
    services: MirrorUnderTest = await stack_of("communications")
    about = {"mailing_id": "L1"}
    await services.write(builders.a_mailing(**about, version=5, subject="five", recipients=("A", "B")))
    await services.move("mirror", "switch")
    await services.write(builders.a_mailing(**about, version=4, subject="late", recipients=("B", "C")))
    await services.apply_all()
    await services.move("rollback")
    await services.write(builders.a_mailing(**about, version=6, subject="six", recipients=("C",)))
    for order in permutations(await services.outbox(MailingChanged)):
        uow = InMemoryMembership()
        for entry in order:
            await any_order.handle(uow, [entry])
        shown = {item.record_id: orjson.loads(item.document)["subject"] for item in uow.items.values()}
        assert shown == {"A": "five", "B": "late", "C": "six"}
