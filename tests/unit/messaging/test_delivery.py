"""When a message was published, as far as its publisher's clock can be believed."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from shared.messaging.delivery import Delivery


def published(header: object, timestamp: datetime | None = None) -> float | None:
    raw: Any = SimpleNamespace(
        body=b"", content_type=None, headers={} if header is None else {"timestamp_in_ms": header}, message_id="1",
        user_id="numelink.billing", exchange="traboule", routing_key="key", timestamp=timestamp,
    )  # fmt: skip
    return Delivery.of("q", raw, "traboule.billing").published


def test_the_header_tells_the_moment_in_milliseconds() -> None:
    assert published(1_700_000_000_250, datetime(2020, 1, 1, tzinfo=UTC)) == 1_700_000_000.25


def test_without_it_the_timestamp_of_amqp_does() -> None:
    assert published(None, datetime.fromtimestamp(1_700_000_000, UTC)) == 1_700_000_000


@pytest.mark.parametrize("told", [1_700_000_000_250_000, 253_402_300_800_000, -1, -(10**15), 2**63 - 1])
def test_a_moment_that_no_calendar_has_is_none(number: int) -> None:
    assert published(number) is None


@pytest.mark.parametrize("told", [0, 253_402_300_799_999])
def test_whatever_is_taken_for_a_moment_can_be_written_as_one(number: int) -> None:
    assert (moment := published(number)) is not None
    assert datetime.fromtimestamp(moment, UTC)
