"""What staff ask of mail and decide, as the gateway and the command ask it."""

from email import message_from_bytes
from email.policy import SMTP

import pytest

from services.common.sections import Record
from tests.support.mail_server import mail_server
from tests.support.mailing import Mailing, a_mail, mail_settings

ADDRESS = "lea.martin@ateliers.example"
RECORD = Record("numelink", "1042")


@pytest.fixture(autouse=True)
def with_a_mail_file(mailing: Mailing) -> None:
    mailing.mail = mail_settings(25)


async def test_counts_add_up_and_what_wants_a_decision_is_named(mailing: Mailing) -> None:
    faults = {"b@exemple.fr": "close-after-dot", "c@orange.fr": "policy-at-rcpt"}
    async with mail_server(lambda recipient, _: faults.get(recipient)) as server:  # pyright: ignore[reportArgumentType]
        await mailing.queue(*(a_mail(address) for address in (ADDRESS, *faults)))
        await mailing.send(server.port)
    status = await mailing.ask("mail-status")
    counts = {(item["kind"], item["state"]): item["count"] for item in status["counts"]}
    assert counts == {("newsletter", "accepted"): 1, ("newsletter", "uncertain"): 1, ("newsletter", "due"): 1}
    assert [(item["domain"], item["waiting"]) for item in status["paused"]] == [("orange.fr", 1)]

    assert await mailing.ask("resume-domain", domain="orange.fr") == {"changed": 1}
    assert (await mailing.ask("resume-domain", domain="orange.fr"))["kind"] == "domain-not-paused"
    assert (await mailing.ask("mail-status"))["paused"] == []


async def test_who_got_what_and_what_was_answered(mailing: Mailing) -> None:
    async with mail_server(lambda recipient, _: "unknown-at-rcpt" if recipient == ADDRESS else None) as server:
        await mailing.queue(a_mail(ADDRESS, records=(RECORD,)), a_mail("b@exemple.fr"))
        await mailing.send(server.port)
    [item] = (await mailing.ask("deliveries", record="numelink/1042"))["items"]
    assert (item["state"], item["address"], item["records"]) == ("refused", ADDRESS, ["numelink/1042"])
    assert "no such user" in item["answer"]
    [found] = (await mailing.ask("suppressions", delivery_id=item["delivery_id"]))["items"]
    assert (found["reason"], found["covers"], found["lifted_at"]) == ("unknown-user", "everything", None)
    assert [row["state"] for row in (await mailing.ask("deliveries", state="accepted"))["items"]] == ["accepted"]


async def test_staff_suppress_and_only_with_a_proof_somebody_is_written_to_again(mailing: Mailing) -> None:
    assert await mailing.ask("suppress", record="numelink/1042", address=ADDRESS.upper()) == {"changed": 1}
    async with mail_server() as server:
        await mailing.queue(a_mail(ADDRESS), a_mail("b@exemple.fr", records=(RECORD,)))
        await mailing.send(server.port)
        assert await mailing.states() == {"suppressed": 2}
        [found] = (await mailing.ask("suppressions", record="numelink/1042"))["items"]
        assert found["source"] == "staff, Léa: essai"
        lifted = await mailing.ask("lift-suppression", suppression_id=found["suppression_id"], proof="dossier 12")
        assert lifted == {"changed": 1}
        again = await mailing.ask("lift-suppression", suppression_id=found["suppression_id"], proof="dossier 12")
        assert again["kind"] == "suppression-unknown"
        [found] = (await mailing.ask("suppressions", record="numelink/1042"))["items"]
        assert (found["lifted_by"], found["proof"]) == ("Léa", "dossier 12: essai")
        await mailing.queue(a_mail(ADDRESS, cause="c2"))
        await mailing.send(server.port)
    assert len(server.taken) == 1


async def test_a_test_mail_goes_the_way_of_all_others(mailing: Mailing) -> None:
    async with mail_server() as server:
        answer = await mailing.ask("send-test-mail", brand="loire", address="staff@numelink.example")
        await mailing.send(server.port)
    assert len(server.to("staff@numelink.example")) == 1
    assert b"[test]" in server.taken[0].text
    assert answer["delivery_id"].encode() in server.taken[0].text


def _code(raw: bytes) -> str:
    body = message_from_bytes(raw, policy=SMTP).get_body(("plain",))
    assert body is not None
    return body.get_content().split()[-1]


async def test_whoever_saw_a_test_mail_says_so_by_its_code_and_the_first_counts(mailing: Mailing) -> None:
    assert (await mailing.ask("confirm-test-mail", code="abcdefgh"))["kind"] == "test-mail-unknown"
    async with mail_server() as server:
        await mailing.ask("send-test-mail", brand="loire", address="staff@numelink.example")
        await mailing.ask("send-test-mail", brand="loire", address="other@numelink.example")
        await mailing.send(server.port)
    first, other = (_code(mail.text) for mail in server.taken)
    assert first != other
    seen = await mailing.ask("confirm-test-mail", code=first.upper())
    assert (seen["brand"], seen["seen_by"]) == ("loire", "Léa")
    assert await mailing.ask("confirm-test-mail", code=first) == seen
    await mailing.rows("update deliveries set state = 'due', attempt = 0", fetch=False)
    assert (await mailing.ask("confirm-test-mail", code=other))["kind"] == "test-mail-not-sent"
    for state in ("handing", "uncertain", "due"):
        await mailing.rows("update deliveries set state = $1, attempt = 1", (state,), fetch=False)
        assert (await mailing.ask("confirm-test-mail", code=other))["seen_by"] == "Léa", "who has the code has the mail"
    await mailing.rows("update deliveries set state = 'accepted', created_at = now() - interval '8 d'", fetch=False)
    assert (await mailing.ask("confirm-test-mail", code=other))["kind"] == "test-mail-unknown"


@pytest.mark.parametrize(
    ("operation", "arguments", "kind"),
    [
        ("send-test-mail", {"brand": "x", "address": "a@b.example"}, "brand-unknown"),
        ("send-test-mail", {"brand": "loire", "address": "nobody"}, "arguments-invalid"),
        ("suppress", {}, "arguments-invalid"),
        ("suppressions", {}, "arguments-invalid"),
        ("suppressions", {"delivery_id": "0b0b0b0b-0b0b-5b0b-8b0b-0b0b0b0b0b0b"}, "delivery-unknown"),
        ("decide-uncertain", {"cause": "c", "decision": "perhaps"}, "arguments-invalid"),
    ],
)
async def test_what_cannot_be_done_is_refused_in_words(
    mailing: Mailing, operation: str, arguments: dict[str, str], kind: str
) -> None:
    answer = await mailing.ask(operation, **arguments)
    assert answer["kind"] == kind
    assert answer["detail"]
