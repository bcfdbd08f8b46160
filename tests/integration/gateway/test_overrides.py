"""What staff set by hand, by HTTP: shown before what records say, and taken back."""

import asyncio
from typing import Any

import orjson
import pytest

from schemas.membership import MemberRemoved
from services.gateway.api.member_responses import Member
from services.gateway.api.override_responses import ShownField
from services.gateway.bodies import LONGEST as LONGEST_BODY
from services.membership.identity.decisions import Signature, confirm
from services.membership.normalisation.data_quality import MEANINGS
from services.membership.records.record import RecordKey
from services.membership.translations import MEANINGS_FR, REFUSALS_FR
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.usecases import decide
from services.membership.views.overrides import LONGEST, OVERRIDABLE, REFUSALS
from tests.integration.gateway.gateways import CLUSTR, NUMELINK, GatewayUnderTest, own_id
from tests.support.builders import a_member
from tests.support.in_memory import POLICY

OURS, THEIRS = RecordKey(CLUSTR, "A"), RecordKey(NUMELINK, "B")


@pytest.fixture
async def two(gateway: GatewayUnderTest) -> tuple[str, str]:
    """Two members of two clusters that have nothing in common; their ids."""
    await gateway.feed(CLUSTR, a_member(record_id="A", name="Forges du Gier", city="Lyon", phone="04 72 00 00 00"))
    await gateway.feed(NUMELINK, a_member(record_id="B", name="Ateliers Néon", city="Roanne", email="b@exemple.fr"))
    return OURS.own_id, THEIRS.own_id


async def put(gateway: GatewayUnderTest, member: str, field: str, value: str, **body: Any) -> Any:
    sent = {"value": value, "reason": "by phone", "author": "m.durand"} | body
    return await gateway.ask("PUT", f"/members/{member}/fields/{field}", json=sent, role="staff")


async def take_back(gateway: GatewayUnderTest, member: str, field: str, **body: Any) -> Any:
    sent = {"reason": "was wrong"} | body
    return await gateway.ask("POST", f"/members/{member}/fields/{field}/take-back", json=sent, role="staff")


async def view(gateway: GatewayUnderTest, member: str) -> dict[str, Any]:
    return (await gateway.get(f"/members/{member}")).json()


async def history(gateway: GatewayUnderTest, member: str) -> list[dict[str, Any]]:
    return (await gateway.get(f"/members/{member}/overrides", role="staff")).json()["items"]


async def merge(gateway: GatewayUnderTest) -> int:
    """Say that both are one company; returns the decision's number."""
    async with gateway.engine.begin() as connection:
        uow = MembershipUnitOfWork(connection, POLICY)
        return (await decide.decide(uow, confirm([OURS, THEIRS]), Signature("a test", "because"))).number


async def separate(gateway: GatewayUnderTest, decision: int) -> None:
    async with gateway.engine.begin() as connection:
        await decide.take_back(MembershipUnitOfWork(connection, POLICY), decision, Signature("a test", "because"))


# --- set, shown, taken back ------------------------------------------------------------------------------------------


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


# --- history ---------------------------------------------------------------------------------------------------------


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


# --- records, merges, separations ------------------------------------------------------------------------------------


async def test_it_goes_with_its_record_when_members_merge_and_separate(gateway, two):
    ours, theirs = two
    await put(gateway, theirs, "city", "Feurs")
    parted = await view(gateway, ours), await view(gateway, theirs)

    decision = await merge(gateway)

    merged = await view(gateway, ours)
    assert (merged["id"], merged["city"]["value"]) == (ours, "Feurs")
    assert merged["city"]["override"]["on"] == f"{NUMELINK}/B"
    assert [item["value"] for item in await history(gateway, theirs)] == ["Feurs"]
    await separate(gateway, decision)
    assert (await view(gateway, ours), await view(gateway, theirs)) == parted


async def test_it_hangs_on_the_members_first_record_or_on_the_one_that_is_named(gateway, two):
    ours, theirs = two
    decision = await merge(gateway)
    # By the id that was merged away, which still leads there.
    first = await put(gateway, theirs, "city", "Givors")
    named = await put(gateway, theirs, "brand", "Néon+", record=f"{NUMELINK}/B")
    assert (first.json()["member_id"], first.json()["override"]["on"]) == (ours, f"{CLUSTR}/A")
    assert named.json()["override"]["on"] == f"{NUMELINK}/B"

    await separate(gateway, decision)

    assert (await view(gateway, ours))["city"]["value"] == "Givors"
    assert "brand" not in await view(gateway, ours)
    assert (await view(gateway, theirs))["brand"]["value"] == "Néon+"
    assert "override" not in (await view(gateway, theirs))["city"]


async def test_two_that_met_are_taken_back_together_or_one_by_one(gateway, two):
    ours, theirs = two
    await put(gateway, ours, "city", "Givors")
    await put(gateway, theirs, "city", "Feurs")
    await merge(gateway)
    assert (await view(gateway, ours))["city"]["value"] == "Feurs"

    # The older one set anew, so that it is the newest.
    assert (await put(gateway, ours, "city", "Givors")).json()["value"] == "Givors"
    assert (await take_back(gateway, ours, "city", record=f"{CLUSTR}/A")).json()["value"] == "Feurs"
    assert (await take_back(gateway, ours, "city", record=f"{CLUSTR}/A")).status_code == 404

    await put(gateway, ours, "city", "Givors")
    assert "override" not in (await take_back(gateway, ours, "city")).json()
    assert all(item["taken_back"] for item in await history(gateway, ours))


async def test_a_record_of_another_member_is_refused(gateway, two):
    for answer in (
        await put(gateway, two[0], "city", "Givors", record=f"{NUMELINK}/B"),
        await put(gateway, two[0], "city", "Givors", record=f"{NUMELINK}/nobody"),
        await take_back(gateway, two[0], "city", record=f"{NUMELINK}/B"),
    ):
        assert answer.status_code == 422
        assert answer.json()["type"] == "urn:traboule:problem:record-not-of-member"
    assert await history(gateway, two[0]) == await history(gateway, two[1]) == []


async def test_a_value_outlives_the_record_that_it_was_set_on_and_goes_with_it_when_it_returns(gateway, two):
    ours, theirs = two
    decision = await merge(gateway)
    await put(gateway, ours, "brand", "Néon+", record=f"{NUMELINK}/B")
    await gateway.feed(NUMELINK, MemberRemoved(record_id="B", version=2))
    assert (await view(gateway, ours))["brand"]["value"] == "Néon+", "it stays until it is taken back"

    await gateway.feed(NUMELINK, a_member(record_id="B", version=3, name="Ateliers Néon"))
    await separate(gateway, decision)

    assert (await view(gateway, theirs))["brand"]["value"] == "Néon+"


async def test_who_is_not_there_or_gone_has_no_fields(gateway, two):
    await gateway.feed(NUMELINK, MemberRemoved(record_id="B", version=2))
    for member, status in ((two[1], 410), (own_id(NUMELINK, "nobody"), 404), ("x", 404)):
        for answer in (
            await put(gateway, member, "city", "Givors"),
            await take_back(gateway, member, "city"),
            await gateway.get(f"/members/{member}/overrides", role="staff"),
        ):
            assert answer.status_code == status, member


# --- who saw what ----------------------------------------------------------------------------------------------------


async def test_if_match_keeps_what_somebody_else_wrote_meanwhile(gateway, two):
    path = f"/members/{two[0]}/fields/city"
    seen = (await gateway.get(f"/members/{two[0]}")).headers["etag"]
    body = {"value": "Givors", "reason": "moved"}

    first = await gateway.ask("PUT", path, json=body, headers={"if-match": f'"other", {seen}'})
    late = await gateway.ask("PUT", path, json=body | {"value": "Feurs"}, headers={"if-match": seen})
    undone = await gateway.ask("POST", f"{path}/take-back", json={"reason": "back"}, headers={"if-match": seen})

    assert first.status_code == 200
    for refused in (late, undone):
        assert refused.status_code == 412
        assert refused.json()["type"] == "urn:traboule:problem:changed-meanwhile"
        assert refused.headers["etag"] == first.headers["etag"] != seen
    assert (await view(gateway, two[0]))["city"]["value"] == "Givors"
    again = await gateway.ask("PUT", path, json=body | {"value": "Feurs"}, headers={"if-match": first.headers["etag"]})
    assert again.status_code == 200
    back = await gateway.ask("POST", f"{path}/take-back", json={"reason": "back"}, headers={"if-match": "*"})
    assert back.status_code == 200


async def test_a_weak_etag_never_matches(gateway, two):
    seen = (await gateway.get(f"/members/{two[0]}")).headers["etag"]
    answer = await gateway.ask(
        "PUT",
        f"/members/{two[0]}/fields/city",
        json={"value": "Givors", "reason": "moved"},
        headers={"if-match": f"W/{seen}"},
    )
    assert answer.status_code == 412


async def test_of_many_who_saw_the_same_one_wins(gateway, two):
    seen = (await gateway.get(f"/members/{two[0]}")).headers["etag"]

    async def write(number: int) -> int:
        answer = await gateway.ask(
            "PUT",
            f"/members/{two[0]}/fields/city",
            json={"value": f"Ville {number}", "reason": "race"},
            headers={"if-match": seen},
        )
        return answer.status_code

    statuses = await asyncio.gather(*map(write, range(6)))

    assert sorted(statuses) == [200, *[412] * 5]
    assert len(await history(gateway, two[0])) == 1


# --- refusals --------------------------------------------------------------------------------------------------------


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


# --- roles -----------------------------------------------------------------------------------------------------------


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
