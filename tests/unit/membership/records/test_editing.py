"""What a command makes of a source record, without a database."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.membership.records.editing import (
    CONTACT,
    DoubtfulError,
    FieldsRefusedError,
    check_understood,
    contact,
    edit,
    ending,
    merge_patch,
)

TODAY = date(2026, 11, 23)
WRITTEN: dict[str, Any] = {
    "record_id": "B-1",
    "version": 7,
    "name": "Forges du Gier",
    "city": "Givors",
    "created_on": "2020-01-01",
}

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [  # RFC 7396, appendix A
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_patch_is_what_the_rfc_says(target, patch, result):
    assert merge_patch(target, patch) == result


@given(_json, _json)
def test_a_patch_a_second_time_changes_nothing_more(target, patch):
    former = merge_patch(target, patch)
    assert merge_patch(former, patch) == former


def _edit(patch: dict[str, Any], written: dict[str, Any] | None = None) -> Any:
    return edit(WRITTEN if written is None else written, patch, record_id="B-1", version=8, on=TODAY)


def test_the_next_version_carries_the_day_of_its_change():
    following = _edit({"city": "Feurs"})

    assert (following.fact.version, following.fact.modified_on, following.changed) == (8, TODAY, ("city",))
    assert following.fact.created_on == date(2020, 1, 1)


def test_a_record_that_is_new_was_created_today():
    following = _edit({"name": "Néon"}, {})

    assert (following.fact.created_on, following.fact.modified_on) == (TODAY, TODAY)
    assert following.changed == ("created_on", "name", "record_id")


def test_what_is_kept_by_us_may_be_said_again_and_not_otherwise():
    assert _edit({"version": 7, "record_id": "B-1", "created_on": "2020-01-01"}).changed == ()
    with pytest.raises(FieldsRefusedError, match="created_on"):
        _edit({"created_on": None})


def test_a_refusal_names_fields_and_no_values():
    with pytest.raises(FieldsRefusedError) as refused:
        _edit({"city": {"Dupont": 1}, "status": "Dupont", "subscriptions": [{"subscription_id": "Dupont"}]})

    assert {fault.field for fault in refused.value.faults} == {"city", "status", "subscriptions.0.starts_on"}
    assert "Dupont" not in str(refused.value)


def test_only_doubts_that_a_change_brings_are_refused():
    doubtful = {**WRITTEN, "siren": "123", "email": "a@", "phone": "04 72 00 00 00"}

    check_understood(doubtful, _edit({"city": "Feurs"}, doubtful))
    for patch, fields in (({"email": "b@"}, ["email"]), ({"country": "Suisse"}, ["phone"])):
        with pytest.raises(DoubtfulError) as refused:
            check_understood(doubtful, _edit(patch, doubtful))
        assert [problem.field for problem in refused.value.problems] == fields


def test_a_value_that_can_be_repaired_is_no_doubt():
    check_understood(WRITTEN, _edit({"siret": "732 829 320 00074", "postcode": "1000"}))


def test_a_contact_names_every_part():
    assert contact({"last_name": "Gier", "email": ""}) == {
        **dict.fromkeys(CONTACT.values()),
        "contact_last_name": "Gier",
    }


def test_an_ending_is_there_already_or_refused():
    assert ending(WRITTEN, TODAY, TODAY) == {"status": "ended", "ended_on": "2026-11-23"}
    with pytest.raises(FieldsRefusedError, match="still to come"):
        ending(WRITTEN, date(2026, 11, 24), TODAY)
