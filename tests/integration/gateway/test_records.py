"""Commands on source records, by HTTP: where we are the authority, as the former system would have."""

import asyncio
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from schemas.membership import MemberRemoved
from services.cutover import quarantine
from services.cutover.stages import Move, StageState, move
from services.gateway.bodies import LONGEST as LONGEST_BODY
from services.membership.normalisation.data_quality import MEANINGS
from services.membership.records.ids import new_id
from services.membership.translations import MEANINGS_FR
from tests.integration.gateway.gateways import CLUSTR, NOON, NUMELINK, GatewayUnderTest, own_id
from tests.support.builders import a_member

RECORD = f"/records/{NUMELINK}/B-1"
MICROSECONDS = int(NOON.timestamp() * 1_000_000)


async def moved(gateway: GatewayUnderTest, *moves: Move, cluster: str = NUMELINK) -> StageState | None:
    """Move a cluster's former membership system as an operator does."""
    state = None
    for item in moves:
        async with gateway.engine.begin() as connection:
            state = await move(connection, cluster, item, by="Ops", reason="a test")
    return state


@pytest.fixture
async def live(gateway: GatewayUnderTest) -> GatewayUnderTest:
    """One record of a cluster that was moved over."""
    await gateway.feed(
        NUMELINK, a_member(record_id="B-1", name="Forges du Gier", city="Givors", phone="04 72 00 00 00")
    )
    await moved(gateway, "mirror", "switch")
    return gateway


async def seen(gateway: GatewayUnderTest, path: str = RECORD) -> str:
    return (await gateway.get(path)).headers["etag"]


async def change(gateway: GatewayUnderTest, fields: dict[str, Any], etag: str | None = None, **body: Any) -> Any:
    headers = {"if-match": await seen(gateway) if etag is None else etag}
    return await gateway.ask("PATCH", RECORD, json={"fields": fields} | body, headers=headers, role="staff")


async def create(gateway: GatewayUnderTest, fields: dict[str, Any], cluster: str = NUMELINK, **body: Any) -> Any:
    return await gateway.ask("POST", f"/records/{cluster}", json={"fields": fields} | body, role="staff")


async def view(gateway: GatewayUnderTest, record_id: str = "B-1") -> dict[str, Any]:
    return (await gateway.get(f"/members/{own_id(NUMELINK, record_id)}")).json()


async def audit(gateway: GatewayUnderTest, path: str = RECORD) -> list[dict[str, Any]]:
    return (await gateway.get(f"{path}/changes", role="staff")).json()["items"]


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("urn:traboule:problem:")


# --- created, changed, ended -----------------------------------------------------------------------------------------


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


# --- who, when and why -----------------------------------------------------------------------------------------------


async def test_every_change_is_kept_with_who_and_why(live):
    await change(live, {"city": "Feurs"}, reason="moved", author="m.durand")
    await change(live, {"phone": None, "brand": "Écluse"})

    newest, first = await audit(live)

    assert (first["command"], first["author"], first["reason"], first["fields"]) == (
        "change",
        "m.durand",
        "moved",
        ["city"],
    )
    assert (newest["author"], newest["reason"], newest["fields"]) == ("a staff", None, ["brand", "phone"])
    assert newest["key_id"]
    assert newest["version"] > first["version"]


async def test_the_audit_is_read_page_by_page(live):
    for number in range(3):
        assert (await change(live, {"city": f"Ville {number}"})).status_code == 200

    first = (await live.get(f"{RECORD}/changes", limit=2)).json()
    rest = (await live.get(f"{RECORD}/changes", limit=2, after=first["next"])).json()

    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (2, 1, None)


async def test_a_record_whose_own_id_ends_in_changes_is_read_too(gateway):
    await gateway.feed(NUMELINK, a_member(record_id="X/changes", name="Ateliers Changes"))

    await gateway.feed(NUMELINK, a_member(record_id="B-1"))
    assert await audit(gateway) == []
    for written in ("X%2Fchanges", "X%2fchanges"):
        answer = await gateway.get(f"/records/{NUMELINK}/{written}")
        assert answer.json()["fields"]["name"] == "Ateliers Changes"
        assert answer.headers["etag"]
    assert (await gateway.get(f"/records/{NUMELINK}/X%2Fchanges/changes")).json()["items"] == []
    assert problem(await gateway.get(f"/records/{NUMELINK}/none%2Fchanges")) == (404, "source-record-unknown")


async def test_logs_say_which_fields_and_never_what(live, capfd):
    await change(live, {"city": "Dupont secret"}, reason="Dupont reason")

    logged = capfd.readouterr().err
    assert "record.commanded" in logged
    assert "Dupont" not in logged


# --- as seen ---------------------------------------------------------------------------------------------------------


async def test_a_change_of_what_was_seen_otherwise_is_refused(live):
    etag = await seen(live)
    first = await change(live, {"city": "Feurs"}, etag)

    for answer in (
        await change(live, {"city": "Givors"}, etag),
        await change(live, {"city": "Givors"}, f"W/{first.headers['etag']}"),
        await live.ask("POST", f"{RECORD}/end", json={"on": "2026-11-20"}, headers={"if-match": etag}),
        await live.ask("PUT", f"{RECORD}/contact", json={"last_name": "Gier"}, headers={"if-match": etag}),
    ):
        assert problem(answer) == (412, "record-changed-meanwhile")
        assert answer.headers["etag"] == first.headers["etag"]
    assert (await view(live))["city"]["value"] == "Feurs"
    assert (await change(live, {"city": "Givors"}, f'"other", {first.headers["etag"]}')).status_code == 200


async def test_a_change_must_tell_what_was_seen(live):
    asked = (("PATCH", "", {"fields": {}}), ("POST", "/end", {"on": "2026-11-20"}), ("PUT", "/contact", {}))
    for method, below, body in asked:
        assert problem(await live.ask(method, RECORD + below, json=body)) == (428, "precondition-missing")


async def test_of_many_who_saw_the_same_one_wins(live):
    etag = await seen(live)

    answers = await asyncio.gather(*(change(live, {"city": f"Ville {n}"}, etag) for n in range(6)))

    assert sorted(answer.status_code for answer in answers) == [200, *[412] * 5]
    assert len(await audit(live)) == 1


# --- who is the authority --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("moves", "stage"), [([], "legacy"), (["mirror"], "mirror")])
async def test_where_the_former_system_is_the_authority_commands_are_refused(gateway, moves, stage):
    await gateway.feed(NUMELINK, a_member(record_id="B-1", city="Givors"))
    await moved(gateway, *moves)
    shown = (await gateway.get(RECORD)).json()
    assert (shown["stage"], shown["changeable"]) == (stage, False)

    for answer in (
        await change(gateway, {"city": "Feurs"}),
        await create(gateway, {"name": "Néon"}),
        await gateway.ask("POST", f"{RECORD}/end", json={"on": "2026-11-20"}, headers={"if-match": "*"}),
        await gateway.ask("PUT", f"{RECORD}/contact", json={}, headers={"if-match": "*"}),
    ):
        assert problem(answer) == (409, "not-the-authority")
        published = answer.json()
        assert (published["cluster"], published["stage"]) == (NUMELINK, stage)
        assert "traboule cutover switch" in published["detail"]
        assert "Numelink" in published["detail"]
    french = await gateway.ask("POST", f"/records/{NUMELINK}", json={"fields": {}}, headers={"accept-language": "fr"})
    assert "fait autorité" in french.json()["detail"]
    assert await audit(gateway) == []


async def test_a_cluster_of_its_own_stage(live):
    await live.feed(CLUSTR, a_member(record_id="A"))

    assert problem(await create(live, {"name": "Néon"}, CLUSTR)) == (409, "not-the-authority")
    assert problem(await create(live, {"name": "Néon"}, "nobody")) == (404, "cluster-unknown")


async def test_after_the_way_back_commands_are_refused_again_and_retired_ones_go_on(live):
    await moved(live, "rollback")
    assert problem(await change(live, {"city": "Feurs"})) == (409, "not-the-authority")

    await moved(live, "switch", "retire")
    assert (await change(live, {"city": "Feurs"})).json()["stage"] == "retired"


async def test_a_late_word_of_the_former_system_goes_to_quarantine(live):
    await change(live, {"city": "Feurs"})

    ahead = time.time_ns() // 1000 + 300 * 86_400_000_000
    await live.feed(NUMELINK, a_member(record_id="B-1", version=ahead, city="Roanne"))

    assert (await view(live))["city"]["value"] == "Feurs"
    async with live.engine.connect() as connection:
        assert [item.cluster for item in await quarantine.listed(connection)] == [NUMELINK]


async def test_commands_and_switches_at_the_same_time_leave_no_second_writer(live):
    """Each change holds the stage until it commits: whatever was applied was applied before the way back."""
    stop = asyncio.Event()
    back: list[Any] = []

    async def command(number: int) -> list[int]:
        statuses: list[int] = []
        while not stop.is_set():
            answer = await change(live, {"city": f"Ville {number}-{len(statuses)}"}, "*")
            statuses.append(answer.status_code)
        return statuses

    async def switch() -> None:
        try:
            for _ in range(6):
                await asyncio.sleep(0.05)
                async with live.engine.begin() as connection:
                    await move(connection, NUMELINK, "rollback", by="Ops", reason="a test")
                    result = await connection.exec_driver_sql("select max(id) from record_changes")
                    before = result.scalar_one()
                await asyncio.sleep(0.05)
                # While it is theirs nothing of ours is written.
                async with live.engine.begin() as connection:
                    result = await connection.exec_driver_sql("select max(id) from record_changes")
                    back.append((before, result.scalar_one()))
                    await move(connection, NUMELINK, "switch", by="Ops", reason="a test")
        finally:
            stop.set()

    *statuses, _ = await asyncio.gather(command(1), command(2), switch())

    assert {status for item in statuses for status in item} == {200, 409}
    assert [before == after for before, after in back] == [True] * 6
    assert len((await live.get(f"{RECORD}/changes", limit=500)).json()["items"]) == sum(
        status.count(200) for status in statuses
    )


async def test_a_command_waits_for_a_switch_that_is_under_way(live):
    async with live.engine.begin() as connection:
        await move(connection, NUMELINK, "rollback", by="Ops", reason="a test")
        asked = asyncio.create_task(change(live, {"city": "Feurs"}, "*"))
        done, _ = await asyncio.wait({asked}, timeout=0.3)
        assert not done

    assert problem(await asked) == (409, "not-the-authority")


# --- refusals --------------------------------------------------------------------------------------------------------


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


# --- roles -----------------------------------------------------------------------------------------------------------


async def test_only_staff_may(live):
    asked = (
        ("GET", RECORD, None, 200),
        ("GET", f"{RECORD}/changes", None, 200),
        ("POST", f"/records/{NUMELINK}", {"fields": {"name": "Néon"}}, 201),
        ("PATCH", RECORD, {"fields": {"city": "Feurs"}}, 200),
        ("PUT", f"{RECORD}/contact", {"last_name": "Gier"}, 200),
        ("POST", f"{RECORD}/end", {"on": "2026-11-20"}, 200),
    )
    for method, path, body, allowed in asked:
        for role, status in (("reader", 403), ("staff", allowed), ("admin", allowed)):
            answer = await live.ask(method, path, json=body, headers={"if-match": "*"}, role=role)
            assert answer.status_code == status, (method, path, role, answer.text)
        # The key is looked at before the body.
        assert (await live.client.request(method, path, content=b"not json")).status_code == 401


def test_ids_sort_by_when_they_were_made():
    ids = [new_id(NOON + timedelta(seconds=n)) for n in range(5)]

    assert ids == sorted(ids)
    assert {UUID(item).version for item in ids} == {7}
    assert {UUID(item).variant for item in ids} == {UUID(int=0x8 << 60).variant}
    assert len({new_id(NOON) for _ in range(100)}) == 100
