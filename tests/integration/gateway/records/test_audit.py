"""Who changed a record, when and why; and changes of what was seen otherwise."""

import asyncio

from tests.integration.gateway.gateways import NUMELINK
from tests.integration.gateway.records.commands import RECORD, audit, change, problem, seen, view
from tests.support.builders import a_member


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
