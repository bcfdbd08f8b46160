"""An acknowledgement covers what is settled, and nothing that the consumer never received."""

from random import Random
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.messaging.acknowledging import GRACE_SECONDS, ChannelTags


def message(tag: int) -> Any:
    return SimpleNamespace(delivery_tag=tag)


def received(*tags: int) -> ChannelTags:
    channel = ChannelTags()
    for tag in tags:
        assert channel.receive(message(tag))
    return channel


def test_what_is_settled_in_order_is_acknowledged_at_once() -> None:
    channel = received(1, 2, 3)
    assert channel.settle([message(1), message(2)]).delivery_tag == 2  # type: ignore[union-attr]
    assert channel.settle([message(3)]).delivery_tag == 3  # type: ignore[union-attr]


def test_nothing_is_acknowledged_past_what_is_still_in_hand() -> None:
    channel = received(1, 2, 3)
    assert channel.settle([message(2), message(3)]) is None
    assert channel.settle([message(1)]).delivery_tag == 3  # type: ignore[union-attr]


def test_a_delivery_that_never_arrived_is_not_acknowledged_and_is_given_back_after_a_while() -> None:
    channel = received(1, 3)
    assert channel.settle([message(1), message(3)]).delivery_tag == 1  # type: ignore[union-attr]
    assert channel.incomplete
    assert channel.missing(100.0) == []
    assert channel.missing(100.0 + GRACE_SECONDS) == [2]
    channel.give_back([2])
    assert channel.settle([]).delivery_tag == 3  # type: ignore[union-attr]
    assert not channel.incomplete


def test_a_delivery_that_arrives_after_it_was_given_back_is_left_to_the_broker() -> None:
    channel = received(1, 3)
    channel.give_back([2])
    assert not channel.receive(message(2))


def test_one_that_arrives_late_ends_the_waiting() -> None:
    channel = received(1, 3)
    assert channel.missing(0.0) == []
    assert channel.receive(message(2))
    assert channel.missing(GRACE_SECONDS) == []


@given(count=st.integers(1, 30), seed=st.integers(0, 10_000), lost=st.sets(st.integers(1, 30)))
def test_whatever_the_order_only_what_was_settled_is_ever_covered(count: int, seed: int, lost: set[int]) -> None:
    rng = Random(seed)
    arriving = [tag for tag in range(1, count + 1) if tag not in lost]
    rng.shuffle(arriving)
    channel, in_flight, settled = ChannelTags(), list[int](), set[int]()
    while arriving or in_flight:
        if arriving and (not in_flight or rng.random() < 0.5):
            in_flight.append(tag := arriving.pop())
            assert channel.receive(message(tag))
            continue
        now = [in_flight.pop() for _ in range(rng.randint(1, len(in_flight)))]
        settled.update(now)
        if (last := channel.settle([message(tag) for tag in now])) is not None:
            assert set(range(1, last.delivery_tag + 1)) <= settled  # type: ignore[operator]
