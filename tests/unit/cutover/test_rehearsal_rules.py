"""What we would have done: the rule of each service, pure."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.billing.mirror.rehearsals import REHEARSALS as BILLING
from services.billing.mirror.rehearsals import Issued, Period
from services.communications.mirror.rehearsals import REHEARSALS as COMMUNICATIONS
from services.communications.mirror.rehearsals import Decision, Recipient, objection
from services.cutover.parity.compare import Comparison
from services.cutover.rehearsal_rule import Rehearsal
from services.events.mirror.rehearsals import REHEARSALS as EVENTS
from services.events.mirror.rehearsals import Registration
from services.membership.cutover.rehearsals import REHEARSALS as MEMBERSHIP
from services.membership.cutover.rehearsals import Record
from tests.unit.cutover.rehearsals import JUNE

(AUDIENCE,), (PLACE,), (STAGE_STATE,), (DUES, SETTLEMENT) = COMMUNICATIONS, EVENTS, MEMBERSHIP, BILLING
TODAY = date(2026, 11, 23)
EURO = Decimal("1.00")


def at(days: int) -> datetime:
    return JUNE + timedelta(days=days)


def differences(rehearsal: Rehearsal[Any], rows: Sequence[Any]) -> dict[str, Any]:
    """What we would have done otherwise, by item."""
    comparison = Comparison({})
    rehearsal.compare(rows, comparison)
    return {difference.item_id: difference.here for difference in comparison.result().differences}


def decision(status: str = "refused", day: int = 0, **different: Any) -> Decision:
    usual = {
        "cluster": "numelink",
        "record_id": "M1",
        "consent_id": f"C{day}{status}",
        "brand": "",
        "channel": "bulk-email",
    }
    return Decision(**{**usual, "purpose": "news", "status": status, "decided_at": at(day), **different})


@pytest.mark.parametrize(
    ("decisions", "forbids"),
    [
        ([], False),
        ([decision("granted")], False),
        ([decision("refused")], True),
        ([decision("withdrawn")], True),
        ([decision("refused", 11)], False),
        ([decision("refused", 10)], True),
        ([decision("refused", 1), decision("granted", 2)], False),
        ([decision("granted", 2), decision("refused", 1)], False),
        ([decision("granted", 2), decision("refused", 2)], True),
        ([decision("refused", 1), decision("granted", 2, brand="RhôneAlley")], True),
        ([decision("refused", 1), decision("granted", 2, record_id="M2")], True),
        ([decision("refused", 1, cluster="clustr-numerique"), decision("granted", 2)], True),
        ([decision("refused", 1, purpose="*"), decision("granted", 2)], True),
        ([decision("refused", 1, purpose="fairs")], False),
        ([decision("refused", 1, channel="email"), decision("granted", 2)], True),
    ],
)
def test_the_most_restrictive_decision_of_the_time_counts(decisions: Sequence[Decision], forbids: bool) -> None:
    assert (objection(decisions, "news", at(10)) is not None) == forbids
    assert (objection(decisions[::-1], "news", at(10)) is not None) == forbids


def test_a_mailing_without_a_purpose_heeds_every_refusal() -> None:
    assert objection([decision(purpose="fairs")], None, at(10)) is not None
    assert objection([decision("granted")], None, at(10)) is None


def test_whoever_objected_is_not_written_to_and_is_told_why() -> None:
    objecting = orjson.dumps([[*decision("withdrawn", 1, purpose="*")[:7], at(1).isoformat()]]).decode()
    rows = [Recipient("L1", "M1", "news", at(10), objecting), Recipient("L1", "M2", "news", at(10), None)]

    assert differences(AUDIENCE, rows) == {
        "L1/M1": {
            "because": "withdrawn on 2026-06-02 by numelink/M1 (C1withdrawn): bulk-email for every purpose",
            "written_to": False,
        }
    }


def registration(number: int, status: str = "registered", member: str = "", seats: int = 1) -> Registration:
    return Registration("E", f"R{number}", f"M{number}", member or f"M{number}", at(number), status, seats)


def places(*rows: Registration) -> dict[str, str]:
    return {name: difference["place"] for name, difference in differences(PLACE, rows).items()}


def test_whoever_came_first_has_the_place() -> None:
    assert places(registration(1, "waiting"), registration(2)) == {"R1": "given", "R2": "waiting"}
    assert places(registration(1), registration(2, "waiting")) == {}
    assert places(registration(1, "attended"), registration(2, "absent"), registration(3, "waiting")) == {}


def test_nobody_waits_for_seats_that_who_came_first_cannot_use() -> None:
    assert places(registration(1), registration(2, "waiting", seats=3), registration(3)) == {}


def test_a_member_has_one_place_by_the_record_that_came_first() -> None:
    twice = registration(1, member="X"), registration(2, member="X"), registration(3, "waiting")

    assert places(*twice) == {"R2": "none", "R3": "given"}


def test_two_people_of_one_record_both_come() -> None:
    both = [registration(number)._replace(record_id="M", member="M") for number in (1, 2)]

    assert places(*both) == {}


registrations = st.lists(
    st.tuples(st.sampled_from(["registered", "waiting", "attended", "absent"]), st.integers(1, 3), st.integers(0, 5)),
    max_size=12,
).map(lambda published: [registration(n, status, f"X{who}", seats) for n, (status, seats, who) in enumerate(published)])


@given(registrations)
def test_never_more_seats_than_were_given_nor_two_records_of_a_member(rows: list[Registration]) -> None:
    would = PLACE.would(rows)
    given = [row for row in rows if getattr(would[row.registration_id], "place") == "given"]  # noqa: B009

    assert sum(row.seats for row in given) <= sum(row.seats for row in rows if row.status != "waiting")
    assert len({row.member for row in given}) == len({(row.member, row.record_id) for row in given})
    assert set(would) == set(PLACE.did(rows))


def issued(status: str, paid: int = 0, credited: int = 0) -> Issued:
    return Issued("F1", date(2026, 1, 15), status, 120 * EURO, paid * EURO, credited * EURO)


@pytest.mark.parametrize(
    ("invoice", "owed"),
    [
        (issued("paid", 120), False),
        (issued("paid", 60, 60), False),
        (issued("paid", 130), False),
        (issued("paid"), True),
        (issued("paid", 60), True),
        (issued("issued"), True),
        (issued("issued", 60), True),
        (issued("issued", 120), False),
        (issued("issued", 0, 120), False),
        (issued("cancelled"), False),
    ],
)
def test_what_is_neither_paid_nor_credited_is_owed(invoice: Issued, owed: bool) -> None:
    (would,) = SETTLEMENT.would([invoice]).values()

    assert would.model_dump()["owed"] is owed
    assert ("F1" in differences(SETTLEMENT, [invoice])) == (owed != (invoice.status == "issued"))


def test_the_sums_are_what_is_open_on_either_side() -> None:
    comparison = Comparison({}, {"settlement": SETTLEMENT.money or (lambda _: (0, EURO))})
    SETTLEMENT.compare([issued("paid", 60)], comparison)

    assert comparison.result().sums["settlement"][2026].there == 0
    assert comparison.result().sums["settlement"][2026].here == 120


def period(number: int, first: str, last: str, record_id: str = "", **different: Any) -> Period:
    days = date.fromisoformat(first), date.fromisoformat(last)
    item = Period("X", "numelink", record_id or f"M{number}", f"F{number}", date(2026, 1, number), *days, EURO, True)
    return item._replace(**different)


def test_days_are_billed_once() -> None:
    year = period(1, "2026-01-01", "2026-12-31"), period(2, "2026-07-01", "2027-06-30")

    assert differences(DUES, year) == {
        "F2": {"because": "numelink/F1 covers 2026-01-01 to 2026-12-31", "billed": False}
    }


def test_what_follows_or_hangs_on_one_record_is_no_double() -> None:
    assert differences(DUES, [period(1, "2026-01-01", "2026-12-31"), period(2, "2027-01-01", "2027-12-31")]) == {}
    same = [period(number, "2026-01-01", "2026-12-31", "M1") for number in (1, 2)]
    assert differences(DUES, same) == {}


def test_what_we_would_not_have_billed_stands_in_nobodys_way() -> None:
    first = period(1, "2026-01-01", "2026-12-31", "M1")
    double, following = period(2, "2026-07-01", "2027-06-30", "M2"), period(3, "2027-01-01", "2027-12-31", "M1")

    assert set(differences(DUES, [first, double, following])) == {"F2"}


def test_another_clusters_invoice_is_seen_and_not_judged() -> None:
    foreign = period(1, "2026-01-01", "2026-12-31", cluster="clustr-numerique", asked=False)

    assert set(differences(DUES, [foreign, period(2, "2026-01-01", "2026-12-31")])) == {"F2"}
    assert differences(DUES, [period(1, "2026-01-01", "2026-12-31"), foreign]) == {}


def record(**different: Any) -> Record:
    usual: dict[str, Any] = {"status": "active", "paid_until": date(2026, 12, 31), "ended_on": None, "exempt": False}
    return Record(**{"record_id": "M1", **usual, "terms": None, "invoiced_until": None, "today": TODAY, **different})


def terms(*ends: str | None) -> str:
    published = [
        {"subscription_id": "1", "starts_on": "2026-01-01", **({"ends_on": end} if end else {})} for end in ends
    ]
    return orjson.dumps(published).decode()


@pytest.mark.parametrize(
    ("published", "would"),
    [
        (record(), None),
        (record(terms=terms("2026-12-31")), None),
        (record(terms=terms("2027-12-31")), None),
        (record(terms=terms(None)), None),
        (record(terms=terms("2025-12-31", "2026-06-30")), {"paid_until": "2026-06-30"}),
        (record(terms=terms("2026-06-30"), invoiced_until=date(2026, 12, 31)), None),
        (record(invoiced_until=date(2026, 6, 30)), {"paid_until": "2026-06-30"}),
        (record(invoiced_until=date(2027, 6, 30)), {"paid_until": "2027-06-30"}),
        (record(paid_until=None, invoiced_until=date(2026, 6, 30)), {"paid_until": "2026-06-30"}),
        (record(paid_until=None, terms=terms("2026-12-31")), None),
        (record(exempt=True, terms=terms("2026-06-30")), None),
        (record(status="ended", terms=terms("2026-06-30")), None),
        (record(ended_on=date(2026, 11, 22)), {"status": "ended"}),
        (record(ended_on=TODAY), None),
        (record(status=None), None),
        (record(status="pending", terms=terms("2026-12-31")), {"status": "active"}),
        (record(status="pending", paid_until=None, terms=terms("2026-12-31")), None),
        (record(status="pending", terms=terms("2026-06-30")), {"paid_until": "2026-06-30"}),
    ],
)
def test_a_membership_stands_where_something_shows_it(published: Record, would: dict[str, str] | None) -> None:
    result = differences(STAGE_STATE, [published]).get("M1")

    assert (result and {name: value for name, value in result.items() if name != "because"}) == would
    assert result is None or result["because"]
