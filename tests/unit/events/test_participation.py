"""For which gatherings one source record is expected."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import encode
from schemas.events import Gathering, ParticipationEntry
from services.events.registrations.participation import participation_of
from shared.messaging.consumer import MAX_BODY

NINE = datetime(2026, 10, 8, 9, 0, tzinfo=UTC)


def an_entry(registration_id: str = "R1", event: str | None = "planned", **different: Any) -> ParticipationEntry:
    gathering = event and Gathering.model_validate(
        {"event_id": "E1", "title": "Rencontre", "starts_at": NINE, "status": event}
    )
    published = {"registration_id": registration_id, "event_id": "E1", "registered_at": NINE, "event": gathering}
    return ParticipationEntry.model_validate(published | different)


@pytest.mark.parametrize(
    ("status", "is_expected"),
    [("registered", True), ("waiting", True), ("attended", False), ("absent", False), ("cancelled", False)],
)
def test_who_registered_or_waits_is_expected(status: str, is_expected: bool) -> None:
    stated = participation_of("numelink", "1042", [an_entry(status=status)])
    assert (stated.expected == ("R1",)) == is_expected
    assert len(stated.registrations) == 1


@pytest.mark.parametrize(
    ("event", "is_expected"), [("planned", True), (None, True), ("held", False), ("cancelled", False)]
)
def test_nobody_is_expected_at_what_is_over_or_called_off(event: str | None, is_expected: bool) -> None:
    assert (participation_of("numelink", "1042", [an_entry(event=event)]).expected == ("R1",)) == is_expected


@given(st.permutations([an_entry(f"R{n}") for n in range(4)]))
def test_the_order_of_rows_does_not_show(entries: list[ParticipationEntry]) -> None:
    stated = participation_of("numelink", "1042", entries)
    assert (
        stated.expected
        == ("R0", "R1", "R2", "R3")
        == tuple(registration.registration_id for registration in stated.registrations)
    )


def test_one_card_with_all_walk_in_guests_leaves_out_its_oldest_registrations() -> None:
    entries = [an_entry(f"R{n:05}", registered_at=NINE + timedelta(minutes=n)) for n in range(40_000)]
    stated = participation_of("numelink", "1042", entries)
    assert len(encode("/traboule/events", [stated]).body) < MAX_BODY / 2
    assert stated.unlisted == 40_000 - len(stated.registrations) > 0
    assert stated.expected == tuple(entry.registration_id for entry in stated.registrations)
    assert stated.expected[-1] == "R39999"
