"""When a service compares by itself: pure."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from schemas.cutover import Stage
from services.cutover.parity.scheduled import ManifestState, is_due, last_time

ARRIVED = datetime(2026, 11, 22, 22, 0, tzinfo=UTC)
COMPARED = ARRIVED + timedelta(seconds=20)
FOUR = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
"""04:00 in Paris."""


def stage_state(stage: Stage = "mirror", compared_at: datetime | None = COMPARED) -> ManifestState:
    return ManifestState("numelink", ARRIVED, stage, compared_at)


@pytest.mark.parametrize("stage", ["legacy", "mirror", "live", "retired"])
def test_a_manifest_is_compared_with_once_it_has_settled(stage: Stage) -> None:
    new = stage_state(stage, None)
    assert not is_due(new, ARRIVED + timedelta(seconds=9), 4)
    assert is_due(new, ARRIVED + timedelta(seconds=10), 4)
    assert is_due(new, ARRIVED + timedelta(days=30), 4)


@pytest.mark.parametrize("stage", ["mirror", "live"])
def test_once_a_day_from_the_hour_on(stage: Stage) -> None:
    assert not is_due(stage_state(stage), FOUR - timedelta(seconds=1), 4)
    assert is_due(stage_state(stage), FOUR, 4)
    assert is_due(stage_state(stage), FOUR + timedelta(hours=7), 4), "it was not running at four"
    assert not is_due(stage_state(stage, FOUR), FOUR + timedelta(hours=23), 4)
    assert is_due(stage_state(stage, FOUR), FOUR + timedelta(hours=24), 4)


@pytest.mark.parametrize("stage", ["legacy", "retired"])
def test_not_daily_before_the_mirror_nor_after_the_end(stage: Stage) -> None:
    assert not is_due(stage_state(stage), FOUR, 4)


def test_not_daily_with_an_old_manifest() -> None:
    assert is_due(stage_state(), ARRIVED + timedelta(hours=48), 4)
    assert not is_due(stage_state(), ARRIVED + timedelta(hours=48, seconds=1), 4)


@pytest.mark.parametrize(("attempts", "minutes"), [(1, 5), (2, 60), (3, 1_440), (40, 1_440)])
def test_an_attempt_that_did_not_end_is_not_made_at_once_again(attempts: int, minutes: int) -> None:
    begun = ARRIVED + timedelta(hours=1)
    for compared_at in (None, COMPARED - timedelta(days=1)):
        item = replace(stage_state("mirror", compared_at), attempts=attempts, begun_at=begun)
        assert not is_due(item, begun + timedelta(minutes=minutes, seconds=-1), 4)
        assert is_due(item, begun + timedelta(minutes=minutes), 4)


@pytest.mark.parametrize(
    ("now", "hour", "last"),
    [
        ("2026-07-01T01:59:59Z", 4, "2026-06-30T02:00:00Z"),
        ("2026-07-01T02:00:00Z", 4, "2026-07-01T02:00:00Z"),
        ("2026-12-01T22:59:59Z", 0, "2026-11-30T23:00:00Z"),
        ("2026-03-29T01:30:00Z", 2, "2026-03-29T01:00:00Z"),
        ("2026-10-25T01:30:00Z", 2, "2026-10-25T00:00:00Z"),
        ("2026-10-25T12:00:00Z", 4, "2026-10-25T03:00:00Z"),
        ("2026-10-26T02:59:00Z", 4, "2026-10-25T03:00:00Z"),
    ],
)
def test_the_hour_is_that_of_paris(now: str, hour: int, last: str) -> None:
    assert last_time(datetime.fromisoformat(now), hour) == datetime.fromisoformat(last)
