from dataclasses import replace
from datetime import date

import pytest

from deploy.provisioning.provision import CLUSTERS
from services.gateway.console import display
from services.gateway.console.rendering import initials
from shared.runtime.clusters import load_clusters

KNOWN = load_clusters(CLUSTERS)


def test_a_mark_is_configured_or_made_of_the_name():
    marks = display.marks_of(KNOWN)
    assert [(mark.letters, mark.shape) for mark in marks.values()] == [("CR", 1), ("NL", 2)]

    unnamed = {code: replace(cluster, mark="") for code, cluster in KNOWN.items()}
    assert [mark.letters for mark in display.marks_of(unnamed).values()] == ["CR", "NU"]


@pytest.mark.parametrize(("name", "letters"), [("Auvergne Numérique", "AN"), ("Éole", "ÉO"), ("X", "X")])
def test_letters_of_a_name(name, letters):
    assert display.derived_letters(name) == letters


def test_marks_are_each_there_once_in_the_order_of_the_file_and_a_former_cluster_has_one_too():
    marks = display.marks_of(KNOWN)
    shown = display.marks_for(["numelink", "gone", "clustr-numerique", "numelink"], marks)
    assert [mark.letters for mark in shown] == ["CR", "NL", "GO"]


def test_days_and_money_are_as_people_write_them():
    assert display.day("2026-03-12", "fr") == "12 mars 2026"
    assert display.day(date(2026, 3, 12), "en") == "March 12, 2026" or display.day("2026-03-12", "en").startswith("12")
    assert display.short_day("2026-12-31", "fr") == "31 déc. 2026"
    assert display.money("1080", "fr") == "1\u202f080,00\u00a0€"
    assert display.number(27524, "fr") == "27\u202f524"


def test_an_instant_is_in_the_time_of_paris():
    assert display.clock_time("2026-07-01T22:30:00+00:00", "fr") == "00:30"
    assert display.day_of("2026-07-01T22:30:00+00:00", "fr") == "2 juil. 2026"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("732829320", "732\u00a0829\u00a0320"),
        ("73282932000074", "732\u00a0829\u00a0320\u00a000074"),
        ("73282932", "73282932"),
        ("n° 12", "n° 12"),
    ],
)
def test_a_siren_is_read_in_threes(written, shown):
    assert display.siren(written) == shown


@pytest.mark.parametrize(("name", "letters"), [("Marie Dupuis", "MD"), ("marie", "M"), ("A B C", "AC"), ("", "")])
def test_initials(name, letters):
    assert initials(name) == letters
