"""Commands on records that are refused, and in which words."""

import orjson
import pytest

from schemas.membership import MemberRemoved
from services.gateway.bodies import LONGEST as LONGEST_BODY
from services.membership.normalisation.data_quality import MEANINGS
from services.membership.translations import MEANINGS_FR
from tests.integration.gateway.gateways import NUMELINK
from tests.integration.gateway.records.commands import RECORD, audit, change, create, moved, problem
from tests.support.builders import a_member


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("siren", "123 456 789", "siren-invalid"),
        ("email", "dupont@", "email-invalid"),
        ("phone", "12", "phone-invalid"),
        ("country", "Atlantide", "country-unknown"),
    ],
)
async def test_a_value_that_is_not_understood_is_refused_unless_it_is_insisted_on(live, field, value, code, capfd):
    english = await change(live, {field: value})
    french = await live.ask(
        "PATCH", RECORD, json={"fields": {field: value}}, headers={"if-match": "*", "accept-language": "fr"}
    )

    for answer, meanings in ((english, MEANINGS), (french, MEANINGS_FR)):
        assert problem(answer) == (422, "value-not-understood")
        fault = {"field": f"fields.{field}", "code": code, "message": meanings[code]}
        assert fault in answer.json()["errors"]
        assert "accept_doubtful" in answer.json()["detail"]
        assert value not in answer.text
    assert await audit(live) == []
    assert "dupont" not in capfd.readouterr().err
    insisted = await change(live, {field: value}, accept_doubtful=True)
    assert (insisted.status_code, insisted.json()["fields"][field]) == (200, value)


async def test_what_was_doubtful_before_does_not_stop_another_change(gateway):
    await gateway.feed(NUMELINK, a_member(record_id="B-1", siren="123 456 789", city="Givors"))
    await moved(gateway, "mirror", "switch")

    assert (await change(gateway, {"city": "Feurs"})).status_code == 200
    assert problem(await change(gateway, {"siren": "123 456 788"})) == (422, "value-not-understood")


async def test_what_becomes_doubtful_by_another_field_is_refused_too(live):
    assert problem(await change(live, {"country": "Suisse", "postcode": None})) == (422, "value-not-understood")


async def test_a_doubtful_contact_is_refused_by_its_own_name(live):
    answer = await live.ask("PUT", f"{RECORD}/contact", json={"email": "dupont@"}, headers={"if-match": "*"})

    assert problem(answer) == (422, "value-not-understood")
    assert [item["field"] for item in answer.json()["errors"]] == ["email"]


@pytest.mark.parametrize(
    ("fields", "faulty"),
    [
        ({"name": None}, "fields.name"),
        ({"name": "  "}, "fields.name"),
        ({"zip": "42000"}, "fields.zip"),
        ({"city": 42000}, "fields.city"),
        ({"city": "x" * 1_001}, "fields.city"),
        ({"city": "a\x00"}, "fields.city"),
        ({"headcount": 10**30}, "fields.headcount"),
        ({"status": "gone"}, "fields.status"),
        ({"member_since": "1970-01-01"}, "fields.member_since"),
        ({"subscriptions": [{"starts_on": "2026-01-01"}]}, "fields.subscriptions.0.subscription_id"),
        ({"extra": {"a": 1}}, "fields.extra.a"),
        ({"extra": "a"}, "fields.extra"),
        ({"record_id": "B-2"}, "fields.record_id"),
        ({"version": 4}, "fields.version"),
        ({"modified_on": "2026-01-01"}, "fields.modified_on"),
    ],
)
async def test_what_does_not_fit_the_schema_is_told_by_field(live, fields, faulty):
    for answer in (await change(live, fields), await create(live, {"name": "Néon"} | fields)):
        assert problem(answer) == (422, "invalid-parameters")
        assert faulty in [item["field"] for item in answer.json()["errors"]]
    assert await audit(live) == []


async def test_a_misspelt_field_is_told_what_it_was_meant_to_be(live):
    (fault,) = (await change(live, {"zip": "42000"})).json()["errors"]

    assert "postcode" in fault["message"]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"", ["body"]),
        (b"not json", ["body"]),
        (b"[]", ["body"]),
        (b"{}", ["fields"]),
        (b'{"fields": []}', ["fields"]),
        (b'{"fields": {"city": "\\ud800"}}', ["body"]),
        (b'{"fields": {}, "why": "x"}', ["why"]),
        (b'{"fields": {}, "reason": ""}', ["reason"]),
        (b'{"fields": {}, "reason": " "}', ["reason"]),
        (b'{"fields": {}, "author": "a\\u0000"}', ["author"]),
        (b'{"fields": {}, "accept_doubtful": "yes"}', ["accept_doubtful"]),
        (b'{"fields": {"city": ' + b"[" * 150 + b"]" * 150 + b"}}", ["fields.city"]),
        (b'{"fields": {"headcount": ' + b"1" * 4_200 + b"}}", ["fields.headcount"]),
        (b'{"fields": {"headcount": ' + b"1" * 9_000 + b"}}", None),
        (b'{"fields": {"headcount": NaN}}', None),
        (orjson.dumps({"fields": {}, "reason": "r" * 1_001}), ["reason"]),
    ],
)
async def test_a_body_that_is_none_is_told(live, body, fields):
    answer = await live.ask("PATCH", RECORD, content=body, headers={"if-match": "*"})

    assert problem(answer) == (422, "invalid-parameters")
    if fields is not None:
        assert [item["field"] for item in answer.json()["errors"]] == fields
    assert await audit(live) == []


async def test_a_body_without_end_is_not_read(live):
    answer = await live.ask("PATCH", RECORD, content=b" " * (LONGEST_BODY + 1), headers={"if-match": "*"})

    assert problem(answer) == (413, "body-too-long")


@pytest.mark.parametrize("record_id", ["nothing", "", "%00", "%ED%A0%80", "a/b"])
async def test_what_is_not_there_is_not_changed(live, record_id):
    path = f"/records/{NUMELINK}/{record_id}"
    for answer in (
        await live.get(path),
        await live.get(f"{path}/changes"),
        await live.ask("PATCH", path, json={"fields": {}}, headers={"if-match": "*"}),
        await live.ask("PUT", f"{path}/contact", json={}, headers={"if-match": "*"}),
    ):
        assert problem(answer) == (404, "source-record-unknown")


async def test_a_record_whose_id_holds_slashes_is_changed_too(gateway):
    await gateway.feed(NUMELINK, a_member(record_id="2026/B 1?é", city="Givors"))
    await moved(gateway, "mirror", "switch")
    path = f"/records/{NUMELINK}/2026/B%201%3F%C3%A9"

    answer = await gateway.ask("PATCH", path, json={"fields": {"city": "Feurs"}}, headers={"if-match": "*"})

    assert answer.json()["record_id"] == "2026/B 1?é"
    assert [item["fields"] for item in await audit(gateway, path)] == [["city"]]


async def test_a_removed_record_is_gone(gateway):
    await gateway.feed(NUMELINK, a_member(record_id="B-1"), MemberRemoved(version=2, record_id="B-1"))
    await moved(gateway, "mirror", "switch")

    assert problem(await gateway.get(RECORD)) == (410, "source-record-removed")
    assert problem(await change(gateway, {"city": "Feurs"}, "*")) == (410, "source-record-removed")
