"""Values that cannot be set, and who may set them."""

import orjson
import pytest

from services.gateway.bodies import LONGEST as LONGEST_BODY
from services.membership.normalisation.data_quality import MEANINGS
from services.membership.translations import MEANINGS_FR, REFUSALS_FR
from services.membership.views.overrides import LONGEST, OVERRIDABLE, REFUSALS
from tests.integration.gateway.gateways import CLUSTR
from tests.integration.gateway.overrides.commands import history, put, take_back, view


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("siren", "123 456 789", "siren-invalid"),
        ("email", "dupont@", "email-invalid"),
        ("phone", "12", "phone-invalid"),
        ("postcode", "99999", "postcode-invalid"),
        ("country", "Atlantide", "country-unknown"),
        ("city", "   ", "value-empty"),
        ("city", "x" * (LONGEST + 1), "value-too-long"),
        ("city", "Dupont\x00", "value-not-text"),
        ("departement", "69", "field-not-overridable"),
        ("contact", "Dupont", "field-not-overridable"),
        ("%00", "Dupont", "field-not-overridable"),
    ],
)
async def test_a_value_that_cannot_be_is_refused_in_the_readers_language(gateway, two, capfd, field, value, code):
    before = await view(gateway, two[0])
    path, sent = f"/members/{two[0]}/fields/{field}", {"value": value, "reason": "moved"}

    french = await gateway.ask("PUT", path, json=sent, headers={"accept-language": "fr"})
    english = await gateway.ask("PUT", path, json=sent)

    for answer, words in ((french, {**MEANINGS_FR, **REFUSALS_FR}), (english, {**MEANINGS, **REFUSALS})):
        assert answer.status_code == 422
        problem = answer.json()
        assert problem["type"] == "urn:traboule:problem:override-refused"
        assert (problem["field"], problem["code"]) == (field.replace("%00", "\x00"), code)
        assert problem["meaning"] == words[code]
        assert problem.keys() == {"type", "title", "status", "field", "code", "meaning"}
    assert french.json()["title"] != english.json()["title"]
    assert await view(gateway, two[0]) == before
    assert "Dupont" not in capfd.readouterr().err


def test_every_refusal_has_words_in_both_languages():
    assert REFUSALS_FR.keys() == REFUSALS.keys()
    assert MEANINGS_FR.keys() == MEANINGS.keys()


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"", ["body"]),
        (b"not json", ["body"]),
        (b"\xff\xfe", ["body"]),
        (b"[" * 5_000, ["body"]),
        (b'{"value": "\\ud800", "reason": "r"}', ["body"]),
        (b"[]", ["body"]),
        (b"{}", ["reason", "value"]),
        (b'{"value": 3, "reason": null}', ["reason", "value"]),
        (b'{"value": "v", "reason": "r", "valeur": "Dupont"}', ["valeur"]),
        (b'{"value": "v", "reason": ""}', ["reason"]),
        (b'{"value": "v", "reason": "  "}', ["reason"]),
        (b'{"value": "v", "reason": "a\\u0000b"}', ["reason"]),
        (b'{"value": "v", "reason": "r", "author": "a\\u0007"}', ["author"]),
        (orjson.dumps({"value": "v", "reason": "r" * 1_001}), ["reason"]),
        (orjson.dumps({"value": "v", "reason": "r", "author": "a" * 201}), ["author"]),
        (b'{"value": "v", "reason": "r", "record": "B"}', ["record"]),
        (b'{"value": "v", "reason": "r", "record": "numelink/\\u0000"}', ["record"]),
    ],
)
async def test_a_body_that_is_none_is_told_field_by_field(gateway, two, body, fields):
    answer = await gateway.ask("PUT", f"/members/{two[0]}/fields/city", content=body)

    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:traboule:problem:invalid-parameters"
    assert [item["field"] for item in answer.json()["errors"]] == fields
    assert "Dupont" not in answer.text
    assert await history(gateway, two[0]) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "reason"),
        ({"reason": ""}, "reason"),
        ({"reason": " "}, "reason"),
        ({"reason": "a\x00"}, "reason"),
        ({"reason": "r", "author": "\x07"}, "author"),
        ({"reason": "r", "record": "B"}, "record"),
        ({"reason": "r", "record": "numelink/\x00"}, "record"),
    ],
)
async def test_what_is_missing_to_take_back_is_told(gateway, two, body, field):
    answer = await gateway.ask("POST", f"/members/{two[0]}/fields/city/take-back", json=body)

    assert answer.status_code == 422
    assert [item["field"] for item in answer.json()["errors"]] == [field]


async def test_a_body_without_end_is_not_read(gateway, two):
    answer = await gateway.ask("PUT", f"/members/{two[0]}/fields/city", content=b" " * (LONGEST_BODY + 1))

    assert (answer.status_code, answer.json()["type"]) == (413, "urn:traboule:problem:body-too-long")


@pytest.mark.parametrize("field", ["city", "departement", "nothing", "%00", "%ED%A0%80"])
async def test_what_was_not_set_cannot_be_taken_back(gateway, two, field):
    answer = await take_back(gateway, two[0], field)

    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:traboule:problem:override-unknown"


async def test_every_field_that_is_offered_can_be_set_and_taken_back(gateway, two):
    values = {
        "siren": "732829320",
        "siret": "73282932000074",
        "vat": "FR44732829320",
        "naf": "62.01Z",
        "website": "exemple.fr",
        "email": "a@exemple.fr",
        "phone": "+33472000001",
        "mobile": "+33612345678",
        "postcode": "42000",
        "country": "FR",
    }
    described = (await gateway.client.get("/openapi.json")).json()["paths"]["/members/{member_id}/fields/{field}"]
    offered = next(item for item in described["put"]["parameters"] if item["name"] == "field")["schema"]["enum"]
    assert offered == list(OVERRIDABLE)
    for field in offered:
        answer = await put(gateway, two[0], field, values.get(field, "x"))
        assert (answer.status_code, "override" in answer.json()) == (200, True), field
        assert "override" not in (await take_back(gateway, two[0], field)).json()


async def test_readers_do_not_learn_who_of_the_staff_set_a_value(gateway, two):
    await put(gateway, two[0], "city", "Givors", author="m.durand")
    await put(gateway, two[0], "contact_last_name", "Gier", author="m.durand")

    for path in (f"/members/{two[0]}", f"/members/by-source/{CLUSTR}/A", "/members"):
        answer = await gateway.get(path, role="reader")
        assert answer.status_code == 200
        assert "durand" not in answer.text
    assert {item["author"] for item in await history(gateway, two[0])} == {"m.durand"}


async def test_nothing_that_is_written_about_people_stands_in_an_address(gateway):
    described = (await gateway.client.get("/openapi.json")).json()["paths"]
    asked = [
        (path, item["name"])
        for path, methods in described.items()
        for method in methods.values()
        for item in method.get("parameters", ())
    ]
    assert [item for item in asked if item[1] in ("reason", "author", "value")] == []


async def test_only_staff_may(gateway, two):
    path = f"/members/{two[0]}/fields/city"
    body = {"value": "Givors", "reason": "moved"}
    for role, status in (("reader", 403), ("staff", 200), ("admin", 200)):
        assert (await gateway.ask("PUT", path, json=body, role=role)).status_code == status
        assert (await gateway.ask("GET", f"/members/{two[0]}/overrides", role=role)).status_code == status
        assert (
            await gateway.ask("POST", f"{path}/take-back", json={"reason": "back"}, role=role)
        ).status_code == status
    for method, asked in (("PUT", path), ("POST", f"{path}/take-back")):
        assert (await gateway.client.request(method, asked, json={"reason": "x"})).status_code == 401
    assert (await gateway.client.get(f"/members/{two[0]}/overrides")).status_code == 401


async def test_the_key_is_looked_at_before_the_body(gateway, two):
    for role in (None, "reader"):
        headers = {"authorization": f"Bearer {await gateway.key(role)}"} if role else {}
        answer = await gateway.client.put(f"/members/{two[0]}/fields/city", content=b"not json", headers=headers)
        assert answer.status_code == (403 if role else 401)


async def test_logs_say_who_set_which_field_and_never_what(gateway, two, capfd):
    await put(gateway, two[0], "city", "Dupont secret", reason="Dupont reason")
    await take_back(gateway, two[0], "city", reason="Dupont reason")

    logged = capfd.readouterr().err
    assert "override.set" in logged
    assert "override.taken_back" in logged
    assert "Dupont" not in logged
