"""What was accepted yesterday stays accepted: the comparer, and what `make schemas` makes of it."""

import copy
import json
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest

from schemas.base import Fact, Key, Label, Part
from schemas.generator import publish
from schemas.generator.compatibility import incompatible, narrowed
from schemas.generator.json_schema import event_schema
from schemas.membership import MemberRecorded


@pytest.fixture
def old() -> dict[str, Any]:
    return event_schema(MemberRecorded)


def changed(old: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A copy of the published schema in which fields of MemberRecorded differ; None removes one."""
    new = copy.deepcopy(old)
    properties = new["$defs"]["MemberRecorded"]["properties"]
    for name, schema in fields.items():
        if schema is None:
            del properties[name]
        else:
            properties[name] = schema
    return new


def test_the_same_schema_is_compatible(old: dict[str, Any]) -> None:
    assert narrowed(old, copy.deepcopy(old)) == []


def test_a_removed_field_is_seen(old: dict[str, Any]) -> None:
    assert narrowed(old, changed(old, brand=None)) == [
        "data.brand: was removed, and a message that has it would be refused"
    ]


def test_a_newly_required_field_is_seen(old: dict[str, Any]) -> None:
    new = copy.deepcopy(old)
    new["$defs"]["MemberRecorded"]["required"].append("siren")
    assert narrowed(old, new) == ["data.siren: is now required"]


def test_a_narrowed_enumeration_is_seen(old: dict[str, Any]) -> None:
    new = changed(old, status={"anyOf": [{"enum": ["active"], "type": "string"}, {"type": "null"}]})
    assert narrowed(old, new) == ["data.status: no longer accepts pending, ended"]


def test_a_lower_maximum_is_seen(old: dict[str, Any]) -> None:
    name = {**old["$defs"]["MemberRecorded"]["properties"]["name"], "maxLength": 250}
    assert narrowed(old, changed(old, name=name)) == ["data.name: maxLength was 1000 and is now 250"]


def test_a_higher_minimum_is_seen(old: dict[str, Any]) -> None:
    version = {**old["$defs"]["MemberRecorded"]["properties"]["version"], "minimum": 1}
    assert narrowed(old, changed(old, version=version)) == ["data.version: minimum was 0 and is now 1"]


def test_another_type_is_seen(old: dict[str, Any]) -> None:
    assert narrowed(old, changed(old, version={"type": "string"})) == ["data.version: was integer and is now string"]


def test_null_that_is_no_longer_accepted_is_seen(old: dict[str, Any]) -> None:
    brand = old["$defs"]["MemberRecorded"]["properties"]["brand"]["anyOf"][0]
    assert narrowed(old, changed(old, brand=brand)) == ["data.brand: was string or null and is now string"]


def test_a_new_pattern_is_seen(old: dict[str, Any]) -> None:
    name = {**old["$defs"]["MemberRecorded"]["properties"]["name"], "pattern": "^[A-Z]"}
    assert narrowed(old, changed(old, name=name)) == ["data.name: pattern changed, and may refuse what was accepted"]


def test_a_change_inside_a_list_is_seen(old: dict[str, Any]) -> None:
    new = copy.deepcopy(old)
    del new["$defs"]["Subscription"]["properties"]["label"]
    assert narrowed(old, new) == ["data.subscriptions[].label: was removed, and a message that has it would be refused"]


def test_an_attribute_of_the_envelope_that_is_newly_bounded_is_seen(old: dict[str, Any]) -> None:
    new = copy.deepcopy(old)
    new["properties"]["tracestate"] = {"type": "string"}
    assert narrowed(old, new) == ["tracestate: was anything and is now string"]


def test_a_keyword_that_is_not_known_counts_as_narrowed(old: dict[str, Any]) -> None:
    opt_outs = {**old["$defs"]["MemberRecorded"]["properties"]["opt_outs"], "uniqueItems": True}
    assert narrowed(old, changed(old, opt_outs=opt_outs)) == [
        "data.opt_outs: uniqueItems changed, and may refuse what was accepted"
    ]


WIDER = {
    "an added optional field": {"linkedin": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}},
    "a larger maximum": {"name": {"type": "string", "minLength": 1, "maxLength": 2000, "pattern": r"^[^\x00]*$"}},
    "another value of an enumeration": {
        "status": {"anyOf": [{"enum": ["active", "pending", "ended", "paused"], "type": "string"}, {"type": "null"}]}
    },
    "free text instead of an enumeration": {"status": {"anyOf": [{"type": "string"}, {"type": "null"}]}},
    "a number instead of an integer": {"version": {"type": "number", "minimum": 0}},
    "another description": {"exempt": {"anyOf": [{"type": "boolean"}, {"type": "null"}], "description": "!"}},
}


@pytest.mark.parametrize("fields", WIDER.values(), ids=WIDER.keys())
def test_a_wider_schema_is_compatible(old: dict[str, Any], fields: dict[str, Any]) -> None:
    assert narrowed(old, changed(old, **fields)) == []


def test_a_removed_fact_is_seen(old: dict[str, Any]) -> None:
    name = MemberRecorded.type_name()
    [fault] = incompatible({name: old}, {})
    assert fault.startswith(f"{name}: this type is gone")


def test_a_raised_version_leaves_the_older_one_behind(old: dict[str, Any]) -> None:
    assert incompatible({"fr.traboule.x.y.v1": old}, {"fr.traboule.x.y.v2": {}}) == []
    assert incompatible({"fr.traboule.x.y.v10": old}, {"fr.traboule.x.y.v9": {}}) != []


# --- make schemas ---------------------------------------------------------------------------------------------------


class _Seat(Part):
    row: Label


class Before(Fact):
    """As published."""

    service: ClassVar[str] = "events"
    key: ClassVar[str] = "seat-taken"

    seat_id: Key
    seat: _Seat
    side: Literal["left", "right"]


class After(Before):
    """A field more is required, under the same version."""

    price: Label


class AfterRaised(After):
    """The same, under a version of its own."""

    schema_version: ClassVar[int] = 2


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for module in ("json_schema", "asyncapi", "producers"):
        monkeypatch.setattr(
            f"schemas.generator.{module}.example_event", lambda fact: {"type": fact.type_name(), "data": {}}
        )
    publish.compare(tmp_path, [Before]).write()
    return tmp_path


def test_an_incompatible_change_is_told_and_not_written(
    published: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result = publish.compare(published, [After])
    monkeypatch.setattr(publish, "compare", lambda: result)
    assert publish.main([]) == 1
    published_facts = capsys.readouterr().err
    assert "fr.traboule.events.seat-taken.v1: data.price: is now required" in published_facts
    assert "Raise schema_version" in published_facts
    assert "price" not in (published / "published" / "fr.traboule.events.seat-taken.v1.json").read_text()


def test_a_raised_version_gets_a_file_of_its_own_and_the_old_one_stays(published: Path) -> None:
    result = publish.compare(published, [AfterRaised])
    assert result.incompatible == []
    result.write()
    files = {path.name: json.loads(path.read_text()) for path in (published / "published").glob("fr.*.json")}
    assert files.keys() == {"fr.traboule.events.seat-taken.v1.json", "fr.traboule.events.seat-taken.v2.json"}
    assert "price" not in files["fr.traboule.events.seat-taken.v1.json"]["$defs"]["Before"]["properties"]


def test_drift_is_told_and_written_once(published: Path) -> None:
    file = published / "published" / "fr.traboule.events.seat-taken.v1.json"
    file.write_text(file.read_text().replace("As published", "Edited by hand"))
    result = publish.compare(published, [Before])
    assert result.drifted == [file]
    assert result.write() == [file]
    assert publish.compare(published, [Before]).drifted == []
