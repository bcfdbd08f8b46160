"""Records that are created, changed and ended by HTTP: where we are the authority, as the former system would have."""

from datetime import timedelta
from uuid import UUID

import pytest

from services.membership.records.ids import new_id
from tests.integration.gateway.gateways import CLUSTR, NOON, NUMELINK, own_id
from tests.integration.gateway.records.commands import RECORD, audit, change, create, moved, problem, seen, view
from tests.support.builders import a_member

MICROSECONDS = int(NOON.timestamp() * 1_000_000)


async def test_a_created_member_is_there_at_once(live):
    answer = await create(live, {"name": "Néon Atelier", "siren": "732 829 320", "city": "Roanne"}, reason="joined")

    assert answer.status_code == 201
    shown = answer.json()
    assert UUID(shown["record_id"]).version == 7
    assert answer.headers["location"] == f"/records/{NUMELINK}/{shown['record_id']}"
    assert shown == {
        "cluster": NUMELINK,
        "record_id": shown["record_id"],
        "member_id": own_id(NUMELINK, shown["record_id"]),
        "stage": "live",
        "changeable": True,
        "version": MICROSECONDS,
        "fields": {
            "name": "Néon Atelier",
            "siren": "732 829 320",
            "city": "Roanne",
            "created_on": "2026-11-23",
            "modified_on": "2026-11-23",
        },
    }
    again = await live.get(answer.headers["location"])
    assert (again.json(), again.headers["etag"]) == (shown, answer.headers["etag"])
    assert (await view(live, shown["record_id"]))["siren"]["value"] == "732829320"
    assert await live.names(search="neon") == ["Néon Atelier"]


async def test_a_created_member_becomes_one_with_the_company_that_it_is(live):
    await live.feed(CLUSTR, a_member(record_id="A", name="Néon Atelier", siren="732829320", city="Roanne"))

    shown = (await create(live, {"name": "Néon Atelier", "siren": "732829320", "city": "Roanne"})).json()

    assert shown["member_id"] == own_id(CLUSTR, "A")
    records = (await live.get(f"/members/{own_id(CLUSTR, 'A')}/identity")).json()["records"]
    assert records == [f"{CLUSTR}/A", f"{NUMELINK}/{shown['record_id']}"]


async def test_a_change_is_shown_at_once_and_kept_as_a_new_version(live):
    before = await seen(live)

    answer = await change(live, {"city": "Rive-de-Gier", "phone": None, "extra": {"Parrain": "Mines"}}, reason="moved")

    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["version"], answer.headers["etag"]) == (MICROSECONDS, await seen(live))
    assert answer.headers["etag"] != before
    assert shown["fields"]["city"] == "Rive-de-Gier"
    assert shown["fields"]["extra"] == {"Parrain": "Mines"}
    assert shown["fields"]["email"] == "contact@exemple.fr"
    assert shown["fields"]["modified_on"] == "2026-11-23"
    assert "phone" not in shown["fields"]
    now = await view(live)
    assert now["city"]["value"] == "Rive-de-Gier"
    assert "phone" not in now
    kinds = [item["kind"] for item in (await live.get(f"/members/{shown['member_id']}/timeline")).json()["items"]]
    assert "record-changed" in kinds


async def test_a_patch_merges_objects_and_replaces_lists(live):
    term = {"subscription_id": "2026", "starts_on": "2026-01-01", "amount": "480.00"}
    await change(live, {"extra": {"a": "1", "b": "2"}, "subscriptions": [term], "opt_outs": ["sms", "post"]})

    fields = (await change(live, {"extra": {"a": None, "c": "3"}, "opt_outs": ["phone"]})).json()["fields"]

    assert fields["extra"] == {"b": "2", "c": "3"}
    assert fields["opt_outs"] == ["phone"]
    assert fields["subscriptions"] == [term]


async def test_an_ended_membership_is_no_longer_active(live):
    await change(live, {"status": "active", "member_since": "2020-01-01"})

    headers = {"if-match": await seen(live)}
    answer = await live.ask("POST", f"{RECORD}/end", json={"on": "2026-11-20", "reason": "left"}, headers=headers)

    assert answer.status_code == 200
    assert (answer.json()["fields"]["status"], answer.json()["fields"]["ended_on"]) == ("ended", "2026-11-20")
    assert [item["active"] for item in (await live.get("/members")).json()["items"]] == [False]
    assert [item["command"] for item in await audit(live)] == ["end", "change"]


@pytest.mark.parametrize("day", ["2026-11-24", "2019-12-31"])
async def test_a_membership_ends_neither_before_it_began_nor_ahead_of_time(live, day):
    await change(live, {"member_since": "2020-01-01"})

    answer = await live.ask("POST", f"{RECORD}/end", json={"on": day}, headers={"if-match": "*"})

    assert problem(answer) == (422, "invalid-parameters")
    assert [item["field"] for item in answer.json()["errors"]] == ["on"]


async def test_a_contact_is_replaced_whole(live):
    await change(live, {"contact_role": "Trésorier", "mobile": "06 12 34 56 78"})
    body = {"first_name": "Zoé", "last_name": "Müller", "email": "zoe@exemple.fr", "phone": "", "reason": "new"}

    answer = await live.ask("PUT", f"{RECORD}/contact", json=body, headers={"if-match": await seen(live)})

    fields = answer.json()["fields"]
    assert {name: fields.get(name) for name in ("contact_first_name", "contact_last_name", "contact_role")} == {
        "contact_first_name": "Zoé",
        "contact_last_name": "Müller",
        "contact_role": None,
    }
    assert (fields["email"], fields.get("phone"), fields.get("mobile")) == ("zoe@exemple.fr", None, None)
    assert (await view(live))["contact"]["value"] == {"first_name": "Zoé", "last_name": "Müller"}


async def test_saying_what_is_so_already_changes_nothing(live):
    first = await change(live, {"city": "Feurs"})
    again = await change(live, {"city": "Feurs", "brand": None})

    assert (again.status_code, again.headers["etag"]) == (200, first.headers["etag"])
    assert len(await audit(live)) == 1


async def test_versions_grow_even_if_the_former_systems_clock_was_ahead(gateway):
    ahead = MICROSECONDS + 10**12
    await gateway.feed(NUMELINK, a_member(record_id="B-1", version=ahead))
    await moved(gateway, "mirror", "switch")

    assert (await change(gateway, {"city": "Feurs"})).json()["version"] == ahead + 1
    gateway.clock.instant = NOON + timedelta(days=30)
    assert (await change(gateway, {"city": "Givors"})).json()["version"] == MICROSECONDS + 30 * 86_400 * 10**6


def test_ids_sort_by_when_they_were_made():
    ids = [new_id(NOON + timedelta(seconds=n)) for n in range(5)]

    assert ids == sorted(ids)
    assert {UUID(item).version for item in ids} == {7}
    assert {UUID(item).variant for item in ids} == {UUID(int=0x8 << 60).variant}
    assert len({new_id(NOON) for _ in range(100)}) == 100
