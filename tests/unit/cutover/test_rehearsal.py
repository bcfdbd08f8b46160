"""What we would have done: the comparison, pure."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services import SERVICES
from services.cli.registry import definition_of
from services.cutover.parity.compare import Comparison, Difference
from services.cutover.parity.html_report import page
from services.cutover.parity.run import Run, RunDifference
from services.cutover.rehearsal_rule import Outcome, Rehearsal, named
from tests.unit.cutover.rehearsals import JUNE


class Row(NamedTuple):
    name: str
    did: str | None
    would: str | None


class Done(Outcome):
    what: str


REHEARSAL = Rehearsal(
    "deed",
    "what?",
    "select 1",
    Row,
    lambda rows: {row.name: Done(what=row.did) for row in rows if row.did},
    lambda rows: {row.name: Done(what=row.would, because="so") for row in rows if row.would},
)


def test_a_reason_for_what_was_done_anyway_is_no_difference() -> None:
    comparison = Comparison({})
    rows = [Row("same", "x", "x"), Row("other", "x", "y"), Row("more", None, "y"), Row("less", "x", None)]
    REHEARSAL.compare(rows, comparison)

    result = comparison.result()

    assert {
        difference.item_id: (difference.what, difference.there, difference.here) for difference in result.differences
    } == {
        "other": ("different", {"because": None, "what": "x"}, {"because": "so", "what": "y"}),
        "more": ("missing-there", None, {"because": "so", "what": "y"}),
        "less": ("missing-here", {"what": "x"}, None),
    }
    assert (result.counts["deed"].there, result.counts["deed"].here) == (3, 3)


texts = st.text(alphabet="a/%2F", max_size=4)


@given(st.tuples(texts, texts), st.tuples(texts, texts))
def test_two_items_never_share_a_name(item: tuple[str, str], other: tuple[str, str]) -> None:
    assert (named(*item) == named(*other)) == (item == other)


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_rehearses_something(service: str) -> None:
    rehearsals = definition_of(service).rehearsals

    assert rehearsals
    assert len({rehearsal.name for rehearsal in rehearsals}) == len(rehearsals)
    assert all(rehearsal.asks.endswith("?") for rehearsal in rehearsals)
    assert all(":cluster" in rehearsal.sql and ":since" in rehearsal.sql for rehearsal in rehearsals)


def test_a_page_says_what_the_sides_of_a_rehearsal_are() -> None:
    difference = Difference("place", "R1", "different", ("place",), {"place": "given"}, {"place": "none"})
    run = Run(
        1,
        "numelink",
        JUNE,
        "zoé",
        ["since <2026>"],
        {},
        {},
        1,
        0,
        [RunDifference(difference, difference.digest, None, None)],
        None,
        "rehearsal",
    )

    text = page("numelink/events", run)

    for published in (
        "répétition",
        "rehearsal",
        "ce que Traboule aurait fait",
        "Places attribuées",
        "since &lt;2026&gt;",
    ):
        assert published in text, published
    for other in ("parité", "Fichiers", "Files"):
        assert other not in text, other
