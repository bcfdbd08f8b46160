"""Values that staff set: shown, kept with their history, and taken back."""

import pytest

from services.gateway.api.member_responses import Member
from services.gateway.api.override_responses import ShownField
from tests.integration.gateway.gateways import CLUSTR, NUMELINK
from tests.integration.gateway.overrides.commands import history, put, take_back, view
from tests.support.builders import a_member


async def test_a_value_set_by_hand_is_shown_whatever_is_imported_until_it_is_taken_back(gateway, two):
    ours, _ = two
    before = await view(gateway, ours)

    answer = await put(gateway, ours, "city", "  Rive-de-Gier ")

    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["member_id"], shown["field"], shown["value"]) == (ours, "city", "Rive-de-Gier")
    assert shown["override"].keys() == {"at", "on"}
    assert shown["override"]["on"] == f"{CLUSTR}/A"
    assert [item["value"] for item in shown["others"]] == ["Lyon"]
    await gateway.feed(
        CLUSTR, a_member(record_id="A", version=2, name="Forges du Gier", city="Givors", phone="04 72 00 00 00")
    )
    now = await view(gateway, ours)
    assert now["city"]["value"] == "Rive-de-Gier"
    assert [item["value"] for item in now["city"]["others"]] == ["Givors"]
    assert await gateway.names(search="rive de gier") == ["Forges du Gier"]

    answer = await take_back(gateway, ours, "city")

    assert answer.status_code == 200
    assert answer.json() == {
        "member_id": ours,
        "field": "city",
        "value": "Givors",
        "said_by": [f"{CLUSTR}/A"],
    }
    await gateway.feed(
        CLUSTR, a_member(record_id="A", version=3, name="Forges du Gier", city="Lyon", phone="04 72 00 00 00")
    )
    assert await view(gateway, ours) == before


async def test_what_nobody_filled_is_shown_while_it_is_set(gateway, two):
    assert (await put(gateway, two[0], "brand", "Écluse+")).json()["said_by"] == []
    assert (await view(gateway, two[0]))["brand"]["value"] == "Écluse+"

    assert (await take_back(gateway, two[0], "brand")).json() == {
        "member_id": two[0],
        "field": "brand",
        "value": None,
        "said_by": [],
    }
    assert "brand" not in await view(gateway, two[0])


async def test_the_parts_of_a_contact_are_set_one_by_one_and_shown_together(gateway, two):
    await put(gateway, two[0], "contact_first_name", "Zoé")
    shown = (await put(gateway, two[0], "contact_last_name", "Gier")).json()

    assert shown["field"] == "contact_last_name"
    assert shown["value"] == {"first_name": "Zoé", "last_name": "Gier"}


@pytest.mark.parametrize(
    ("first", "field", "value", "shown"),
    [
        ({}, "phone", "04 77 00 00 00", "+33477000000"),
        ({"country": "Suisse"}, "phone", "022 730 00 00", "+41227300000"),
        ({"country": "Suisse"}, "postcode", "1201", "1201"),
        ({}, "postcode", "7000", "07000"),
        ({}, "siren", "732 829 320", "732829320"),
        ({}, "website", "https://www.Exemple.fr/accueil", "exemple.fr"),
    ],
)
async def test_a_value_is_understood_by_what_is_shown_and_kept_in_its_normal_form(
    gateway, two, first, field, value, shown
):
    for name, text in first.items():
        assert (await put(gateway, two[0], name, text)).status_code == 200

    answer = await put(gateway, two[0], field, value)

    assert (answer.status_code, answer.json().get("value")) == (200, shown)
    assert (await history(gateway, two[0]))[0]["value"] == shown


async def test_a_value_is_kept_as_it_was_understood_when_the_country_changes_later(gateway, two):
    await put(gateway, two[0], "phone", "04 77 00 00 00")

    await put(gateway, two[0], "country", "Suisse")

    assert (await view(gateway, two[0]))["phone"]["value"] == "+33477000000"


async def test_the_answer_has_the_etag_of_the_view(gateway, two):
    for asked in (put(gateway, two[0], "city", "Givors"), take_back(gateway, two[0], "city")):
        answer = await asked
        assert answer.headers["etag"] == (await gateway.get(f"/members/{two[0]}")).headers["etag"]
        assert answer.headers["cache-control"] == "private, no-store"


async def test_the_description_knows_all_that_is_shown(gateway, two):
    for cluster, record_id in ((CLUSTR, "A"), (NUMELINK, "B")):
        published = {"name": "Forges du Gier", "siren": "732829320", "naf": "62.01Z", "contact_last_name": record_id}
        dated = {"modified_on": "2026-01-05", "paid_until": "2026-12-31"}
        await gateway.feed(cluster, a_member(record_id=record_id, version=2, **published, **dated))
    await put(gateway, two[0], "contact_first_name", "Zoé")
    answer = (await put(gateway, two[0], "siren", "552100554")).json()
    whole = await view(gateway, two[0])
    assert whole["conflicts"]

    for shape, shown in ((Member, whole), (ShownField, answer)):
        read = shape.model_validate(shown)
        assert read.model_dump(mode="json", by_alias=True, exclude_unset=True) == shown


async def test_all_that_was_ever_set_is_told(gateway, two):
    await put(gateway, two[0], "city", "Givors", reason="moved", author="p.roux")
    await put(gateway, two[0], "city", "Rive-de-Gier", reason="moved again")
    await take_back(gateway, two[0], "city", reason="moved back", author="z.blanc")

    newer, older = await history(gateway, two[0])

    for item in (newer, older):
        assert item.pop("at")
        assert item["taken_back"].pop("at")
    assert newer == {
        "record": f"{CLUSTR}/A",
        "field": "city",
        "value": "Rive-de-Gier",
        "author": "m.durand",
        "reason": "moved again",
        "taken_back": {"by": "z.blanc", "reason": "moved back"},
    }
    assert (older["value"], older["author"], older["reason"]) == ("Givors", "p.roux", "moved")
    assert older["taken_back"] == {"by": "m.durand", "reason": "moved again"}


async def test_saying_the_same_again_changes_nothing(gateway, two):
    first = await put(gateway, two[0], "phone", "04 77 00 00 00")
    again = await put(gateway, two[0], "phone", "+33 4 77 00 00 00", author="p.roux")

    assert first.json() == again.json()
    assert [item["author"] for item in await history(gateway, two[0])] == ["m.durand"]


async def test_without_an_author_the_keys_name_is_kept(gateway, two):
    path = f"/members/{two[0]}/fields/city"
    await gateway.ask("PUT", path, json={"value": "Givors", "reason": "moved"}, role="staff")
    await gateway.ask("POST", f"{path}/take-back", json={"reason": "back"}, role="admin")

    (item,) = await history(gateway, two[0])
    assert (item["author"], item["taken_back"]["by"]) == ("a staff", "a admin")
    async with gateway.engine.connect() as connection:
        kept = await connection.exec_driver_sql("select key_id is not null from overrides")
        assert kept.scalar_one() is True


async def test_a_member_without_any_has_an_empty_history(gateway, two):
    answer = await gateway.get(f"/members/{two[0]}/overrides", role="staff")

    assert answer.json() == {"member_id": two[0], "items": []}
