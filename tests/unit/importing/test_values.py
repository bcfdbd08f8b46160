from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.importing import values

PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    "written",
    ["31/12/2024", "2024-12-31", "20241231", "31-12-2024", "31.12.2024", " 31/12/2024 23:59", "2024-12-31T00:00:00Z"],
)
def test_days_as_they_are_written(written):
    assert values.day(written) == date(2024, 12, 31)


@pytest.mark.parametrize("written", ["", "  ", "00/00/0000", "0000-00-00", "0000-00-00 00:00:00"])
def test_what_mysql_writes_for_no_day(written):
    assert values.day(written) is None


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("31/02/2023", "no such day"),
        ("12/31/2024", "no such day"),
        ("31/12/24", "not a date"),
        ("hier", "not a date"),
        ("45292", "not a date"),
        ("1970-01-01", "unreadable date"),
        ("01/01/1970 00:00:00", "unreadable date"),
        ("01/01/0201", "between 1850 and 2200"),
    ],
)
def test_a_bad_date_says_why(written, reason):
    with pytest.raises(ValueError, match=reason):
        values.day(written)


@given(st.dates(date(1850, 1, 1), date(2200, 12, 31)).filter(lambda day: day != date(1970, 1, 1)))
def test_every_day_survives_both_ways_of_writing_it(day):
    assert values.day(day.isoformat()) == values.day(f"{day:%d/%m}/{day.year:04}") == day


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1200,00", "1200.00"),
        ("1200", "1200.00"),
        ("1\u202f200,00\u00a0€", "1200.00"),
        ("1 200,5 EUR", "1200.50"),
        ("1.200,50", "1200.50"),
        ("1,200.50", "1200.50"),
        ("1200.00000000", "1200.00"),
        ("-12,30", "-12.30"),
        ("0.125000", None),
        ("0,100", "0.10"),
    ],
)
def test_amounts_as_they_are_written(written, expected):
    if expected is None:
        with pytest.raises(ValueError, match="decimals"):
            values.amount(written)
    else:
        assert values.amount(written) == Decimal(expected)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("1,200", "thousands or decimals"),
        ("1.200", "thousands or decimals"),
        ("12,345", "thousands or decimals"),
        ("12,3456", "more than two"),
        ("gratuit", "not an amount"),
        ("12,", "not an amount"),
        ("1.2,30", "groups of three"),
        ("NaN", "not an amount"),
        ("1e3", "not an amount"),
    ],
)
def test_a_bad_amount_says_why(written, reason):
    with pytest.raises(ValueError, match=reason):
        values.amount(written)


@given(st.decimals(-999_999_999, 999_999_999, places=2))
def test_every_amount_survives_french_writing(amount):
    written = f"{amount:,.2f}".replace(",", "\u202f").replace(".", ",") + " €"
    assert values.amount(written) == amount


def test_moments_without_an_offset_are_local():
    assert values.moment("23/11/2026 09:30", PARIS) == datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
    assert values.moment("2026-11-23T09:30:00Z", PARIS) == datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
    assert values.moment("", PARIS) is None
    with pytest.raises(ValueError, match="not a date and time"):
        values.moment("soon", PARIS)


@pytest.mark.parametrize(
    ("written", "expected"), [("Oui", True), ("NON", False), ("1", True), ("0", False), ("", None)]
)
def test_yes_and_no(written, expected):
    assert values.yes(written) is expected


def test_neither_yes_nor_no():
    with pytest.raises(ValueError, match="neither yes nor no"):
        values.yes("peut-être")
