"""``traboule cutover`` and ``traboule quarantine`` as an operator types them, against a running service."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.builders import an_invoice
from tests.support.command import Answer, traboule
from tests.support.in_process import OwnService
from tests.support.waiting import eventually

SYSTEM = "numelink/billing"
OVERRULED = ("parity", "rehearsal", "writers", "backup", "grid", "members")


@pytest.fixture(autouse=True)
def configured(billing: OwnService) -> Iterator[None]:
    with billing.environment():
        yield


async def cutover(*words: str) -> Answer:
    return await traboule("cutover", *words)


async def switched() -> Answer:
    await cutover("mirror", SYSTEM, "--reason", "the first export is in")
    overruled = [word for name in OVERRULED for word in ("--overrule", name)]
    answer = await cutover("switch", SYSTEM, "--reason", "a rehearsal", "--by", "zoé", *overruled)
    assert answer.exit_code == 0, answer.err
    return answer


async def quarantined(billing: OwnService, **fields: Any) -> None:
    await billing.publish_as("numelink.billing", an_invoice(**fields))

    async def there() -> bool:
        return bool(await billing.column("select id from quarantine where state = 'waiting'"))

    await eventually(there)


async def test_the_board_shows_every_former_system_and_who_is_the_authority(billing: OwnService) -> None:
    await switched()
    board = (await cutover("status", "--json")).json
    assert [(row["system"], row["stage"], row["by"]) for row in board] == [
        ("clustr-numerique/billing", "legacy", None),
        (SYSTEM, "live", "zoé"),
    ]
    shown = (await cutover("status")).out
    assert "numelink/billing" in shown
    assert "Traboule" in shown
    assert "former system" in shown


async def test_the_gate_tells_what_fails_and_what_mends_it(billing: OwnService) -> None:
    answer = await cutover("check", SYSTEM)
    assert answer.exit_code == 1
    for published in (
        "✗ mirror", f"traboule cutover mirror {SYSTEM} --reason", "✗ parity", f"traboule parity --as {SYSTEM}",
        "✗ rehearsal", f"traboule rehearse {SYSTEM}", "✓ queues", "✓ quarantine", "✗ backup", "traboule backup FOLDER",
    ):  # fmt: skip
        assert published in answer.out, published
    await cutover("note-backup", "--note", "on nas1")
    await cutover("mirror", SYSTEM, "--reason", "begun")
    stored = {item["name"]: item["holds"] for item in (await cutover("check", SYSTEM, "--json")).json}
    assert stored["mirror"]
    assert stored["backup"]

    refused = await cutover("switch", SYSTEM, "--reason", "now")
    assert refused.exit_code == 2
    assert "numelink/billing cannot be switched:" in refused.err
    assert "parity: it was never compared" in refused.err
    assert "backup" not in refused.err
    assert (await cutover("status", "--json")).json[1]["stage"] == "mirror"


async def test_over_and_back_with_a_late_message_in_between(billing: OwnService) -> None:
    assert "Traboule is the authority" in (await switched()).out
    await quarantined(billing, invoice_id="F1", number="said late")
    assert await billing.column("select number from invoices") == []
    assert (await cutover("status", "--json")).json[1]["quarantine"] == 1

    [row] = (await traboule("quarantine", "list", SYSTEM, "--json")).json
    assert (row["type"], row["state"]) == ("fr.traboule.billing.invoice-recorded.v1", "waiting")
    assert "said late" in (await traboule("quarantine", "show", row["id"])).out
    assert (await traboule("quarantine", "show", row["id"], "--json")).json["held"] is None
    done = await traboule("quarantine", "apply", row["id"], "--reason", "right after all")
    assert done.out.strip() == f"{row['id']} applied"
    assert await billing.column("select number from invoices") == ["said late"]
    again = await traboule("quarantine", "dismiss", row["id"], "--reason", "no")
    assert (again.exit_code, "was applied by" in again.err) == (2, True)

    back = await cutover("rollback", SYSTEM, "--reason", "the office is not ready")
    assert "the former system is the authority" in back.out
    history = (await cutover("history", SYSTEM, "--json")).json
    assert [item["stage"] for item in history] == ["mirror", "live", "mirror"]
    assert set(history[1]["overruled"]) == {*OVERRULED} - {"members"}, "no record was billed yet"
    await billing.publish_as("numelink.billing", an_invoice(invoice_id="F2"))

    async def applied() -> bool:
        return len(await billing.column("select number from invoices")) == 2

    await eventually(applied)


async def test_what_is_held_stands_beside_what_came_late(billing: OwnService) -> None:
    await billing.publish_as("numelink.billing", an_invoice(invoice_id="F1", number="held"))

    async def applied() -> bool:
        return await billing.column("select number from invoices") == ["held"]

    await eventually(applied)
    await switched()
    await quarantined(billing, invoice_id="F1", number="late", version=7)
    [row] = (await traboule("quarantine", "list", "--json")).json
    whole = (await traboule("quarantine", "show", row["id"], "--json")).json
    assert (whole["held"]["number"], whole["said"]["number"]) == ("held", "late")


async def test_nobody_is_asked_about_what_says_just_what_is_held(billing: OwnService) -> None:
    fact = an_invoice(invoice_id="F1", number="held")
    await billing.publish_as("numelink.billing", fact)
    await eventually(lambda: billing.column("select number from invoices"))
    await switched()
    await billing.publish_as("numelink.billing", [fact.model_copy(update={"version": 2})])
    await eventually(lambda: billing.column("select id from quarantine"))
    assert (await cutover("status", "--json")).json[1]["quarantine"] == 0
    assert "nothing waits" in (await traboule("quarantine", "list", SYSTEM)).out
    assert "✓ quarantine" in (await cutover("check", SYSTEM, "--for", "rollback")).out
    assert "applied by traboule: says what is held" in (await traboule("quarantine", "list", "--state", "applied")).out
    [row] = (await traboule("quarantine", "list", "--state", "all", "--json")).json
    shown = (await traboule("quarantine", "show", row["id"])).out
    assert "held now" in shown
    assert not {"number", "applied_late"}.intersection(shown.split()), "no field differs"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("cutover", "check", "numelink"), "write <cluster>/<service>"),
        (("cutover", "check", "nowhere/billing"), "there is no cluster 'nowhere'"),
        (("cutover", "rollback", SYSTEM, "--reason", "x"), "in stage legacy, so it cannot rollback"),
        (("cutover", "switch", SYSTEM, "--reason", " "), "--reason must be"),
        (("cutover", "check", SYSTEM, "--for", "retire"), "--for is switch or rollback"),
        (("quarantine", "show", "billing"), "write <service>:<number>"),
        (("quarantine", "show", "billing:99999"), "there is no billing:99999"),
        (("quarantine", "apply", "billing:99999", "--reason", "x"), "there is no billing:99999"),
        (("quarantine", "list", "--state", "else"), "--state is one of"),
    ],
)
async def test_wrong_input_is_told(words: tuple[str, ...], text: str) -> None:
    answer = await traboule(*words)
    assert answer.exit_code in (1, 2)
    assert text in " ".join((answer.out + answer.err).split())


async def test_retiring_asks_first_takes_the_right_away_and_is_the_end(
    billing: OwnService, monkeypatch: pytest.MonkeyPatch
) -> None:
    await switched()
    unsure = await cutover("retire", SYSTEM, "--reason", "the contract ends")
    assert unsure.exit_code == 1
    assert (await cutover("status", "--json")).json[1]["stage"] == "live"

    monkeypatch.delenv("TRABOULE_BROKER_MANAGEMENT_URL", raising=False)
    half = await cutover("retire", SYSTEM, "--reason", "the contract ends", "--yes")
    assert half.exit_code == 2
    assert "is retired, but TRABOULE_BROKER_MANAGEMENT_URL is not set" in half.err
    assert "rabbitmqctl set_permissions" in half.err
    assert "traboule former-systems revoke numelink/billing" in half.err
    assert await shown_on_the_board() == (None, "whether numelink/billing still may write was not looked at")

    monkeypatch.setenv("TRABOULE_BROKER_MANAGEMENT_URL", billing.management_url)
    assert await shown_on_the_board() == (True, "is retired, but its broker user still may write: traboule")
    whole = await cutover("retire", SYSTEM, "--reason", "the contract ends", "--yes")
    assert (whole.exit_code, "may not write any more" in whole.out) == (0, True)
    try:
        with pytest.raises(Exception, match=r"ACCESS_REFUSED|access to exchange"):
            await billing.publish_as("numelink.billing", an_invoice())
        assert await shown_on_the_board() == (False, "")
    finally:
        assert (await traboule("former-systems", "add", SYSTEM, "--again")).exit_code == 0
    assert (await cutover("rollback", SYSTEM, "--reason", "no")).exit_code == 2


async def shown_on_the_board() -> tuple[bool | None, str]:
    """Whether the retired system may write, for programs; and the first words about it for a person."""
    [line] = [item for item in (await cutover("status", "--json")).json if item["system"] == SYSTEM]
    published = " ".join((await cutover("status")).out.split())
    known = ("whether numelink/billing still may write was not looked at",
             "is retired, but its broker user still may write: traboule")  # fmt: skip
    return line["may_write"], next((item for item in known if item in published), "")


async def test_what_was_done_already_is_told_and_not_done_again(billing: OwnService) -> None:
    """An operator whose terminal died in the middle types it again."""
    for word in ("mirror", "switch", "rollback"):
        overruled = [word for name in OVERRULED for word in ("--overrule", name)] if word == "switch" else []
        for by in ("zoé", "somebody else"):
            answer = await cutover(word, SYSTEM, "--reason", "now", "--by", by, *overruled)
            assert answer.exit_code == 0, answer.err
        assert "already, since" in answer.out
        assert "UTC by zoé" in answer.out
    assert (await cutover("rollback", SYSTEM, "--reason", "x", "--json")).json["already"]
    assert (await cutover("mirror", SYSTEM, "--reason", "x", "--json")).json["already"]
    assert [item["by"] for item in (await cutover("history", SYSTEM, "--json")).json] == ["zoé"] * 3


async def test_a_mirror_that_was_never_live_cannot_be_rolled_back_to() -> None:
    await cutover("mirror", SYSTEM, "--reason", "begun")
    answer = await cutover("rollback", SYSTEM, "--reason", "x")
    assert answer.exit_code == 2
    assert "in stage mirror, so it cannot rollback" in answer.err


async def test_a_rollback_has_conditions_too(billing: OwnService) -> None:
    await switched()
    assert (await cutover("check", SYSTEM, "--for", "rollback")).exit_code == 0
    await quarantined(billing, invoice_id="F1")
    assert "✗ quarantine" in (await cutover("check", SYSTEM, "--for", "rollback")).out
    refused = await cutover("rollback", SYSTEM, "--reason", "x")
    assert refused.exit_code == 2
    assert "cannot be rolled back:" in refused.err
    assert f"traboule quarantine list {SYSTEM}" in refused.err
    done = await cutover("rollback", SYSTEM, "--reason", "they know", "--overrule", "quarantine", "--json")
    assert done.json["stage"] == "mirror"
    assert (await cutover("history", SYSTEM, "--json")).json[0]["overruled"] == ["quarantine"]
