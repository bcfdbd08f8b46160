"""Headcounts for funders: each person once, in all and in each group."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.events.attendance.headcounts import Attendee, Headcount, headcounts_of

BOTH = frozenset({"clustr-numerique", "numelink"})


def an_attendee(person: str | None = "lea", **different: Any) -> Attendee:
    usual: dict[str, Any] = {
        "person": person,
        "member": "M1",
        "clusters": frozenset({"numelink"}),
        "departement": "42",
        "state": "attended",
    }
    return Attendee(**usual | different)


def test_a_member_of_both_clusters_counts_once_in_all_and_once_in_each() -> None:
    counts = headcounts_of([an_attendee(clusters=BOTH), an_attendee("max", member="M2")])
    assert counts.total == Headcount(registered=2, attended=2, members=2)
    assert counts.by_cluster == {
        "clustr-numerique": Headcount(registered=1, attended=1, members=1),
        "numelink": Headcount(registered=2, attended=2, members=2),
    }
    assert counts.by_departement == {"42": counts.total}


def test_a_person_who_registered_through_both_clusters_is_one_person_of_both() -> None:
    counts = headcounts_of(
        [
            an_attendee(state="absent", clusters=frozenset({"clustr-numerique"}), departement=None),
            an_attendee(clusters=frozenset({"numelink"})),
        ]
    )
    once = Headcount(registered=1, attended=1, members=1)
    assert counts.total == once
    assert counts.by_cluster == {"clustr-numerique": once, "numelink": once}
    assert counts.by_departement == {"42": once}


def test_two_people_of_one_member_are_two_people_and_one_member() -> None:
    assert headcounts_of([an_attendee("lea"), an_attendee("max")]).total == Headcount(
        registered=2, attended=2, members=1
    )


def test_who_came_without_registration_is_counted_and_shown_apart() -> None:
    counts = headcounts_of(
        [
            an_attendee("lea"),
            an_attendee("max", walk_in=True),
            an_attendee(None, member=None, clusters=frozenset(), departement=None, walk_in=True),
            an_attendee(None, member=None, clusters=frozenset(), departement=None, walk_in=True),
        ]
    )
    assert counts.total == Headcount(registered=1, attended=4, walk_ins=3, members=1)
    assert counts.by_cluster[None] == counts.by_departement[None] == Headcount(attended=2, walk_ins=2)
    assert counts.total.absent == 0


def test_who_registered_for_another_session_did_not_come_without_registration() -> None:
    counts = headcounts_of([an_attendee(state="absent"), an_attendee(walk_in=True)])
    assert counts.total == Headcount(registered=1, attended=1, members=1)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("registered", Headcount(registered=1)),
        ("absent", Headcount(registered=1)),
        ("attended", Headcount(registered=1, attended=1, members=1)),
        ("waiting", Headcount()),
        ("cancelled", Headcount()),
        ("offered", Headcount()),
    ],
)
def test_what_each_state_counts_as(state: str, expected: Headcount) -> None:
    counts = headcounts_of([an_attendee(state=state)])
    assert counts.total == expected
    assert counts.by_cluster == ({} if expected == Headcount() else {"numelink": expected})
    assert counts.total.absent == expected.registered - expected.attended


def test_groups_are_in_the_order_of_their_names_and_the_unknown_one_is_last() -> None:
    people = [an_attendee(str(place), departement=place) for place in (None, "74", "01", "2A", "42")]
    assert [*headcounts_of(people).by_departement] == ["01", "2A", "42", "74", None]


ROWS = st.builds(
    Attendee,
    person=st.sampled_from([None, "lea", "max", "zoe"]),
    member=st.sampled_from([None, "M1", "M2"]),
    clusters=st.sampled_from([frozenset[str](), frozenset({"a"}), frozenset({"a", "b"})]),
    departement=st.sampled_from([None, "42", "69"]),
    state=st.sampled_from(["registered", "attended", "absent", "waiting", "cancelled"]),
    walk_in=st.booleans(),
)


@given(rows=st.lists(ROWS, max_size=12), seed=st.integers(0, 99))
def test_order_and_repeated_rows_change_nothing_and_no_group_exceeds_the_total(rows: list[Attendee], seed: int) -> None:
    counts = headcounts_of(rows)
    again = rows + [row for row in rows if row.person is not None]
    random.Random(seed).shuffle(again)
    assert headcounts_of(again) == counts

    unnamed = sum(row.person is None and row.state == "attended" for row in rows)
    assert unnamed <= counts.total.attended <= unnamed + 3
    for groups in (counts.by_cluster, counts.by_departement):
        for name in ("registered", "attended", "walk_ins"):
            total, parts = getattr(counts.total, name), [getattr(group, name) for group in groups.values()]
            assert max(parts, default=0) <= total <= sum(parts)
    assert 0 <= counts.total.absent <= counts.total.registered
