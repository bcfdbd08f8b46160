"""Orders that come at once are one decision, in their order; where one is refused, it is refused alone."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from schemas.cutover_requests import CutoverRequested
from services.cutover.requests import GOOD_FOR, Answering
from services.events.definition import DEFINITION
from services.events.usecases import registrations
from services.membership.records.ids import new_id
from tests.support.events import Events, people
from tests.support.merging import envelope, handled


def an_order(session: str, *names: str, **different: Any) -> CutoverRequested:
    """People who register; ``at`` is when it was asked, ``key`` and the rest are the order's."""
    at = different.pop("at", datetime.now(UTC))
    arguments = {"session_id": session, "key": str(uuid4()), "people": people(*names), **different}
    return CutoverRequested(
        version=1,
        request_id=new_id(at),
        responsible="events",
        operation="register",
        arguments=arguments,
        author="zoé",
        reason="a test",
        asked_at=at,
    )


async def answered(events: Events, *orders: CutoverRequested) -> list[tuple[str, str]]:
    """What came of each: the state of the seats, or the kind of the refusal."""
    messages = [envelope(order) for order in orders]
    await handled(events.engine, events.begin, Answering(DEFINITION), messages)
    facts = (await events.letters("cutover-answered"))[-len(orders) :]
    assert [fact["request_id"] for fact in facts] == [order.request_id for order in orders]
    return [(fact["outcome"], _word(fact["answer"])) for fact in facts]


def _word(answer: dict[str, Any]) -> str:
    return str(answer["kind"] if "kind" in answer else answer["items"][0]["state"])


@pytest.fixture
def decisions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many requests each decision had."""
    sizes: list[int] = []
    rightly = registrations.decide

    async def decide(uow: Any, requests: Sequence[Any], **more: Any) -> Any:
        sizes.append(len(requests))
        return await rightly(uow, requests, **more)

    monkeypatch.setattr(registrations, "decide", decide)
    return sizes


async def test_orders_that_come_at_once_are_one_decision_in_their_order(events: Events, decisions: list[int]) -> None:
    session, other = await events.session(capacity=2), await events.session(capacity=1)
    orders = [an_order(session, "Ada"), an_order(other, "Max"), an_order(session, "Zoé"), an_order(session, "Léa")]
    assert await answered(events, *orders) == [
        ("done", "registered"), ("done", "registered"), ("done", "registered"), ("done", "waiting"),
    ]  # fmt: skip
    assert decisions == [4]
    assert await events.states(session) == [("Ada", "registered"), ("Zoé", "registered"), ("Léa", "waiting")]


async def test_one_that_is_refused_is_refused_alone_and_leaves_nothing(events: Events, decisions: list[int]) -> None:
    session = await events.session(capacity=3)
    orders = [an_order(session, "Ada"), an_order(session, "Ada"), an_order(session, "Zoé")]
    assert await answered(events, *orders) == [
        ("done", "registered"), ("refused", "already-registered"), ("done", "registered"),
    ]  # fmt: skip
    assert decisions == [3, 1, 1, 1]
    assert await events.states(session) == [("Ada", "registered"), ("Zoé", "registered")]
    # What staff are refused is answered, and not kept: the log is of what was done.
    assert await events.rows("select refusal from booking_log where refusal is not null") == []
    confirmed = [letter["recipient"]["name"] for letter in await events.letters("registration-confirmed")]
    assert confirmed == ["Ada", "Zoé"]


async def test_an_order_that_came_twice_is_one_and_both_are_answered_alike(events: Events) -> None:
    session = await events.session(capacity=3)
    orders = [an_order(session, "Ada", key="one"), an_order(session, "Ada", key="one")]
    assert await answered(events, *orders) == [("done", "registered")] * 2
    assert await events.states(session) == [("Ada", "registered")]


async def test_what_cannot_be_understood_or_came_too_late_does_not_hold_up_the_others(events: Events) -> None:
    session = await events.session(capacity=3)
    late = an_order(session, "Max", at=datetime.now(UTC) - GOOD_FOR - timedelta(seconds=1))
    orders = [
        an_order(session, "Ada"),
        late,
        an_order(session),
        an_order(str(uuid4()), "Zoé"),
        an_order(session, "Léa"),
    ]
    assert await answered(events, *orders) == [
        ("done", "registered"), ("refused", "asked-too-long-ago"), ("refused", "arguments-invalid"),
        ("refused", "session-unknown"), ("done", "registered"),
    ]  # fmt: skip
    assert await events.states(session) == [("Ada", "registered"), ("Léa", "registered")]
