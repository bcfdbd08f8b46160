"""What an event's consequences carry on of it, and how long it took."""

import time
from typing import Any

import orjson
import pytest
from prometheus_client import REGISTRY

from schemas.billing import InvoiceChanged, InvoiceRecorded
from schemas.envelope import Envelope, encode_all, encode_current
from schemas.reading import read
from shared.messaging.delivery import Delivery
from shared.messaging.propagation import ORIGIN, measure, propagated, propagating
from tests.support.builders import an_invoice

TRACE = "00-11111111111111111111111111111111-aaaaaaaaaaaaaaaa-01"


def arrived(
    published: float | None = None,
    headers: dict[str, object] | None = None,
    user: str = "numelink.billing",
    **extensions: object,
) -> tuple[Delivery, Envelope[InvoiceRecorded]]:
    tree = orjson.loads(next(iter(encode_all("/numelink/billing", [(an_invoice(), "cause")]))).body)
    body = orjson.dumps(tree | extensions)
    delivery = Delivery("q", body, None, headers or {}, "1", user, "key", published=published)
    (event,) = read(InvoiceRecorded, body, None, {})
    assert isinstance(event, Envelope)
    return delivery, event


def with_origin(moment: str) -> dict[str, Any]:
    """The extension that carries it."""
    return {ORIGIN: moment}


def announced(*events: tuple[Delivery, Envelope[InvoiceRecorded]]) -> dict[str, object]:
    """The first event that a service announces of these."""
    with propagating("q", events):
        stored = [(event, 0) for _, event in events]
        encoded = next(iter(encode_current(InvoiceChanged, "/traboule/billing", stored, propagated())))
    return orjson.loads(encoded.body)


def observed(metric: str, queue: str) -> tuple[float, float]:
    count = REGISTRY.get_sample_value(f"{metric}_count", {"queue": queue}) or 0.0
    return count, REGISTRY.get_sample_value(f"{metric}_sum", {"queue": queue}) or 0.0


def test_the_moment_of_the_first_publish_travels_on() -> None:
    assert announced(arrived(published=1_700_000_000.25))[ORIGIN] == "2023-11-14T22:13:20.250+00:00"


ORIGIN_TIME = "2023-11-14T22:13:20.250+00:00"


def test_what_a_service_published_with_an_origin_keeps_it_whenever_it_was_published_again() -> None:
    event = arrived(published=time.time(), user="traboule.billing", **with_origin(ORIGIN_TIME))
    assert announced(event)[ORIGIN] == ORIGIN_TIME


def test_an_origin_that_a_former_system_writes_is_not_believed() -> None:
    """It would be copied to everything that follows: half a megabyte a thousand times."""
    assert announced(arrived(published=1_700_000_000.25, **with_origin("9" * 500_000)))[ORIGIN] == ORIGIN_TIME
    assert announced(arrived(published=1_700_000_000.25, **with_origin("0001-01-01T00:00:00Z")))[ORIGIN] == ORIGIN_TIME
    assert ORIGIN not in announced(arrived(**with_origin(ORIGIN_TIME)))


@pytest.mark.parametrize("origin", ["9" * 41, "yesterday", ORIGIN_TIME + " " * 40])
def test_an_origin_that_is_no_moment_or_too_long_does_not_travel(origin: str) -> None:
    event = arrived(published=1_700_000_000.25, user="traboule.billing", **with_origin(origin))
    assert announced(event)[ORIGIN] == ORIGIN_TIME


def test_what_says_nothing_of_itself_hands_nothing_on() -> None:
    assert {ORIGIN, "traceparent"} & announced(arrived()).keys() == set()


@pytest.mark.parametrize("published", [{"traceparent": TRACE}, {"headers": {"traceparent": TRACE}}])
def test_a_trace_goes_on_through_a_service_that_does_not_trace(published: dict[str, object]) -> None:
    assert announced(arrived(**published))["traceparent"] == TRACE  # type: ignore[arg-type]


def test_what_is_no_trace_goes_nowhere() -> None:
    assert "traceparent" not in announced(arrived(traceparent="x" * 5_000))
    assert "traceparent" not in announced(arrived(traceparent=7))


def test_outside_of_a_lane_nothing_travels() -> None:
    with propagating("q", [arrived(published=1.0)]):
        assert propagated()
    assert propagated() == {}


def test_the_lag_counts_from_the_publish_and_from_the_origin() -> None:
    began = time.time()
    event = arrived(published=began - 2, user="traboule.billing", **with_origin("2023-11-14T22:13:20+00:00"))
    measure("lag", [event])
    count, seconds = observed("traboule_applied_lag_seconds", "lag")
    assert count == 1
    assert 2 <= seconds < 60
    count, seconds = observed("traboule_origin_lag_seconds", "lag")
    assert count == 1
    assert seconds == pytest.approx(began - 1_700_000_000, abs=60)


def test_events_of_one_message_are_one_observation() -> None:
    delivery, event = arrived(published=time.time())
    measure("batch", [(delivery, event)] * 500)
    assert observed("traboule_applied_lag_seconds", "batch")[0] == 1
    assert observed("traboule_origin_lag_seconds", "batch")[0] == 1


def test_a_clock_that_is_ahead_makes_no_negative_lag() -> None:
    measure("ahead", [arrived(published=time.time() + 3600)])
    assert observed("traboule_applied_lag_seconds", "ahead") == (1, 0.0)


def test_an_origin_that_is_no_moment_is_not_believed() -> None:
    measure("odd", [arrived(published=time.time(), user="traboule.billing", **with_origin("yesterday"))])
    count, seconds = observed("traboule_origin_lag_seconds", "odd")
    assert count == 1
    assert seconds < 60


def test_what_tells_no_moment_is_not_measured() -> None:
    measure("silent", [arrived()])
    assert observed("traboule_applied_lag_seconds", "silent")[0] == 0
