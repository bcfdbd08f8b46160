"""A company's people are shown with it, and say nothing for it."""

import json
from typing import Any

from services.membership.records.record import RecordKey, SourceRecord
from services.membership.views.consolidation import consolidate

COMPANY = {"name": "Vioreau", "email": "contact@vioreau.example", "is_member": False}
PERSON = {
    "name": "Zoé Martin",
    "works_for": "905",
    "contact_role": "Directrice",
    "email": "zoe@vioreau.example",
    "mobile": "06 12 34 56 78",
    "opt_outs": ["email"],
    "is_member": False,
    "modified_on": "2026-11-01",
}


def view(**records: dict[str, Any]) -> dict[str, Any]:
    made = [
        SourceRecord(RecordKey("a", key), answer, {}, None, None, "", None) for key, answer in sorted(records.items())
    ]
    return json.loads(consolidate(made, []).document)


def test_they_are_shown_with_name_role_ways_to_reach_them_and_refusals() -> None:
    document = view(**{"905": COMPANY, "contact:7": PERSON})
    assert document["people"] == [
        {
            "from": "a/contact:7",
            "name": "Zoé Martin",
            "role": "Directrice",
            "email": "zoe@vioreau.example",
            "mobile": "06 12 34 56 78",
            "opt_outs": ["email"],
        }
    ]


def test_they_say_nothing_for_the_company() -> None:
    document = view(**{"905": COMPANY, "contact:7": PERSON})
    assert document["name"]["value"] == "Vioreau"
    assert document["email"]["value"] == "contact@vioreau.example"
    assert "mobile" not in document
    assert document["consents"]["in_force"] == []
    assert [item["from"] for item in document["memberships"]] == ["a/905"]


def test_a_member_of_a_member_still_has_a_membership() -> None:
    assert [
        item["from"] for item in view(**{"4": {"name": "A"}, "5": {**PERSON, "status": "active"}})["memberships"]
    ] == [
        "a/4",
        "a/5",
    ]


def test_a_person_without_the_company_is_shown_alone_and_a_company_without_people_has_no_list() -> None:
    alone = view(**{"contact:7": PERSON})
    assert (alone["name"]["value"], "people" in alone) == ("Zoé Martin", False)
    assert "people" not in view(**{"905": COMPANY})
