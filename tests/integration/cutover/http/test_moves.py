"""Moves by HTTP: over, back, and retired with the right to publish taken away."""

from typing import Any

import pytest

from deploy.provisioning import definitions
from shared.messaging import accounts
from shared.messaging.management import Management
from tests.integration.cutover.http.rights import BRIEFLY
from tests.integration.cutover.staff import BILLING, MEMBERSHIP, OVERRULED, Staff, problem
from tests.support.command import Answer, traboule
from tests.support.waiting import eventually


@BRIEFLY
async def test_over_and_back_by_http_alone(staff: Staff) -> None:
    assert (await staff.get(f"/cutover/{BILLING}")).json()["stage"] == "legacy"
    mirrored = (await staff.move("mirror")).json()
    assert (mirrored["stage"], mirrored["by"], mirrored["already"]) == ("mirror", "zoé", False)

    async def announced_key() -> bool:
        conditions = (await staff.get(f"/cutover/{BILLING}/conditions")).json()["conditions"]
        [writers] = [condition for condition in conditions if condition["name"] == "writers"]
        return bool(writers["holds"] and writers["detail"] == "1 people and keys may write")

    await eventually(announced_key)
    refused = await staff.move("switch")
    assert problem(refused) == (409, "conditions-not-met")
    failed = {item["name"]: item for item in refused.json()["conditions"]}
    assert set(failed) == {*OVERRULED, "grid"}
    assert "traboule cutover note-backup --note" in failed["backup"]["remedy"]
    assert failed["backup"]["http"].startswith("POST /cutover/backups")
    noted = (await staff.ask("POST", "/cutover/backups", {"note": "nas1"})).json()
    # Events and communications do not run here: they are told when they do.
    assert noted["noted"] == ["billing", "membership"]
    assert len(noted["waiting"]) == 2

    stored = (await staff.get(f"/cutover/{BILLING}/conditions")).json()
    assert not stored["holds"]
    assert {item["name"] for item in stored["conditions"] if not item["holds"]} == {
        "parity", "rehearsal", "grid",
    }  # fmt: skip
    live = await staff.move("switch", overrule=["parity", "rehearsal", "grid"])
    assert (live.status_code, live.json()["authority"]) == (200, "Traboule")
    assert (await staff.move("rollback")).json()["stage"] == "mirror"

    history = (await staff.get(f"/cutover/{BILLING}/history")).json()["items"]
    assert [(item["stage"], item["by"]) for item in history] == [("mirror", "zoé"), ("live", "zoé"), ("mirror", "zoé")]
    assert history[1]["overruled"] == ["grid", "parity", "rehearsal"]
    shown = (await staff.get(f"/cutover/{BILLING}")).json()
    assert (shown["reason"], shown["epoch"], shown["authority"]) == ("a test", 3, "former system")


async def test_membership_answers_itself_and_the_board_hears_of_it(staff: Staff) -> None:
    await staff.moved("mirror", system=MEMBERSHIP)
    await staff.moved("mirror")

    async def told() -> bool:
        lines = {item["system"]: item for item in (await staff.get("/cutover")).json()["items"]}
        assert lines["clustr-numerique/membership"]["stage"] == "legacy"
        assert len(lines) == 8
        return lines[MEMBERSHIP]["stage"] == lines[BILLING]["stage"] == "mirror"

    await eventually(told)
    writers = {
        item["name"]: item for item in (await staff.get(f"/cutover/{MEMBERSHIP}/conditions")).json()["conditions"]
    }
    # Nothing waits but what asks: the question itself does not stand in its own way.
    assert writers["queues"]["holds"]
    assert writers["outbox"]["holds"]
    assert writers["writers"]["detail"] == writers["writers"]["told"] == "1 people and keys may write"


async def test_a_move_that_was_made_is_told_and_one_that_cannot_be_is_refused(staff: Staff) -> None:
    assert problem(await staff.move("rollback")) == (409, "invalid-transition")
    await staff.moved("mirror", "switch")
    again = await staff.move("switch", by="somebody else")
    assert (again.status_code, again.json()["already"], again.json()["by"]) == (200, True, "zoé")
    assert len(await staff.billing.column("select epoch from stage_history")) == 2
    impossible = await staff.move("mirror")
    assert problem(impossible) == (409, "invalid-transition")
    assert impossible.json()["former_type"] == "urn:traboule:problem:move-impossible"
    assert "from there it can only" in impossible.json()["detail"]


async def test_a_rollback_waits_until_somebody_looked_at_the_quarantine(staff: Staff) -> None:
    await staff.moved("mirror", "switch")
    await staff.late(invoice_id="F1")
    refused = await staff.move("rollback")
    assert problem(refused) == (409, "conditions-not-met")
    assert [item["name"] for item in refused.json()["conditions"]] == ["quarantine"]
    result = (await staff.get(f"/cutover/{BILLING}/conditions?for=rollback")).json()
    assert (result["for"], result["holds"]) == ("rollback", False)
    assert (await staff.move("rollback", overrule=["quarantine"])).json()["stage"] == "mirror"


async def test_a_rollback_waits_until_the_former_system_heard_what_was_written_here(staff: Staff) -> None:
    await staff.moved("mirror", "switch", system=MEMBERSHIP)
    assert (await staff.get(f"/cutover/{MEMBERSHIP}/conditions?for=rollback")).json()["holds"]
    made = await staff.ask("POST", "/records/numelink", {"fields": {"name": "Néon Atelier"}}, role="staff")
    assert made.status_code == 201
    refused = await staff.move("rollback", MEMBERSHIP)
    assert problem(refused) == (409, "conditions-not-met")
    unmet = {item["name"]: item["detail"] for item in refused.json()["conditions"]}
    assert set(unmet) >= {"way-back-read", "new-ids"}
    assert unmet["new-ids"].startswith("1 records were made here")

    async def waits() -> bool:
        result = (await staff.get(f"/cutover/{MEMBERSHIP}/conditions?for=rollback")).json()["conditions"]
        # Its queue is counted by a service that has no right to read it.
        return "1 messages wait in numelink.membership.way-back" in [item["detail"] for item in result]

    await eventually(waits)
    assert (await staff.move("rollback", MEMBERSHIP, overrule=list(unmet))).json()["stage"] == "mirror"


async def test_the_way_back_is_told_page_by_page(staff: Staff) -> None:
    where = f"/cutover/{MEMBERSHIP}/write-back"
    await staff.moved("mirror", "switch", system=MEMBERSHIP)
    nothing = (await staff.get(where, role="staff")).json()
    assert nothing == {
        "system": MEMBERSHIP, "queue": "numelink.membership.way-back", "unread": 0, "to_be_sent": 0, "given_back": 0,
        "records": 0, "items": [], "next": None,
    }  # fmt: skip
    made = [
        (await staff.ask("POST", "/records/numelink", {"fields": fields}, role="staff")).json()["record_id"]
        for fields in ({"name": "Néon Atelier"}, {"name": "Forges du Gier", "legal_form": "5710"})
    ]

    async def read() -> Any:
        result = (await staff.get(where)).json()
        return result if result["unread"] == 2 else None

    result = await eventually(read)
    assert (result["records"], result["to_be_sent"], result["next"]) == (2, 0, None)
    first, second = result["items"]
    assert [first["record_id"], second["record_id"]] == sorted(made)
    assert first == {
        "record_id": sorted(made)[0], "commands": ["create"], "dismissed": False, "new_id": True, "removed": False,
        "file": "Galette members", "left_out": ["member_since"], "not_imported": ["Date de modification"],
    }  # fmt: skip
    assert second["left_out"] == ["legal_form", "member_since"]
    begin = (await staff.get(f"{where}?limit=1")).json()
    assert (begin["items"], begin["records"], begin["next"]) == ([first], 2, first["record_id"])
    rest = (await staff.get(f"{where}?limit=1&after={begin['next']}")).json()
    assert (rest["items"], rest["next"]) == ([second], None)

    former_path = f"/cutover/{MEMBERSHIP}/way-back"
    assert (await staff.get(former_path)).json() == (await staff.get(where)).json()

    none = (await staff.get(f"/cutover/{BILLING}/write-back?lang=fr", role="staff")).json()
    assert (none["records"], none["items"], none["next"]) == (0, [], None)
    assert (await staff.get(where, role="reader")).status_code == 403


async def test_retiring_asks_for_the_name_and_an_operator_takes_the_right_away(
    staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    await staff.moved("mirror", "switch")
    for confirm in ({}, {"confirm": "numelink/membership"}):
        unsure = await staff.move("retire", **confirm)
        assert problem(unsure) == (422, "confirmation-missing")
        assert unsure.json()["errors"][0]["field"] == "confirm"
    # Were it there, the process that answers HTTP would not use it: it is an administrator's.
    monkeypatch.setenv("TRABOULE_BROKER_MANAGEMENT_URL", staff.stack.management_url)
    half = await staff.move("retire", confirm=BILLING)
    assert (half.status_code, half.json()["stage"]) == (200, "retired")
    assert "traboule former-systems revoke-retired" in half.json()["remains"]
    again = await staff.move("retire", confirm=BILLING)
    assert (again.json()["already"], again.json()["remains"]) == (True, half.json()["remains"])
    assert rights_of_billing(staff)["write"] != "^$"
    monkeypatch.delenv("TRABOULE_BROKER_MANAGEMENT_URL")
    failed = await revoked()
    assert (failed.exit_code, "rabbitmqctl set_permissions" in failed.err) == (2, True)
    assert not await nothing_remains(staff)
    monkeypatch.setenv("TRABOULE_BROKER_MANAGEMENT_URL", staff.stack.management_url)
    try:
        assert '[{"user":"numelink.billing","remains":null}]' in "".join((await revoked("--json")).out.split())
        assert rights_of_billing(staff)["write"] == "^$"
        assert await nothing_remains(staff), "what remained of every request is seen to"
        assert "nobody who was retired" in (await revoked()).out
    finally:
        accounts.grant(Management(staff.stack.management_url), staff.stack.vhost, "numelink.billing", None)


async def revoked(*words: str) -> Answer:
    return await traboule("former-systems", "revoke-retired", *words)


@pytest.mark.parametrize("patient", [0.2])
async def test_the_right_is_taken_away_even_if_nobody_waited_for_the_answer(
    alone: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRABOULE_BROKER_MANAGEMENT_URL", raising=False)
    await alone.billing.query("insert into stages values ('numelink', 'live', 2, now(), 'a test')")
    asked = await alone.move("retire", confirm=BILLING)
    assert (asked.status_code, asked.json()["state"]) == (202, "waiting")
    async with alone.billing.running():

        async def answered() -> Any:
            return (await alone.get(asked.headers["location"])).json()["answer"]

        half = await eventually(answered)
        assert half["stage"] == "retired"
        assert "traboule former-systems revoke-retired" in half["remains"]
        assert rights_of_billing(alone)["write"] != "^$"
        monkeypatch.setenv("TRABOULE_BROKER_MANAGEMENT_URL", alone.stack.management_url)
        try:
            assert "numelink.billing may publish nothing any more" in (await revoked()).out
            assert await nothing_remains(alone)
            assert rights_of_billing(alone)["write"] == "^$"
            assert (await answered())["remains"] is None
        finally:
            accounts.grant(Management(alone.stack.management_url), alone.stack.vhost, "numelink.billing", None)


def rights_of_billing(staff: Staff) -> Any:
    rights = f"/api/permissions/{staff.stack.vhost}/numelink.billing"
    return definitions.call(staff.stack.management_url, "GET", rights)


async def nothing_remains(staff: Staff) -> bool:
    column = await staff.stack.column("select answer ->> 'remains' from cutover_requests where outcome = 'done'")
    return bool(column) and set(column) == {None}
