"""Senders: killed, restored, several at once, at the pace of a domain, and stopped."""

import asyncio

import pytest

from services.communications.deliveries import repository
from services.communications.suppressions import repository as suppressions
from tests.support.mail_server import mail_server
from tests.support.mailing import KEYRING, Mailing, a_mail, mail_settings

ADDRESS = "lea.martin@ateliers.example"


async def test_what_a_killed_sender_left_is_decided_by_its_mode(mailing: Mailing) -> None:
    await mailing.queue(a_mail(ADDRESS), a_mail("b@exemple.fr", mode="transactional"), a_mail("c@exemple.fr"))
    claim_id = "0b0b0b0b-0b0b-4b0b-8b0b-0b0b0b0b0b0b"
    async with mailing.engine.begin() as connection:
        claimed = await repository.claim(connection, claim_id, 10)
        left = [item for item in claimed if item.address != "c@exemple.fr"]
        await repository.mark(connection, KEYRING, claim_id, left)
    async with mail_server() as server:
        await mailing.send(server.port)
        assert (await mailing.states(), server.taken) == ({"handing": 2, "due": 1}, [])
        await mailing.due_now()
        await mailing.send(server.port)
        assert await mailing.states() == {"uncertain": 1, "due": 1, "accepted": 1}
        await mailing.due_now(("due",))
        await mailing.send(server.port)
    assert await mailing.states() == {"uncertain": 1, "accepted": 2}
    assert [mail.recipient for mail in server.taken] == ["c@exemple.fr", "b@exemple.fr"]


@pytest.mark.parametrize("decision", ["leave", "send-again"])
async def test_what_waited_in_a_backup_is_left_to_a_person(mailing: Mailing, decision: str) -> None:
    async with mail_server() as server:
        await mailing.queue(a_mail("first@exemple.fr"))
        await mailing.send(server.port)
        await mailing.queue(a_mail(ADDRESS), a_mail("b@exemple.fr", mode="transactional"))
        # The backup was made here, and restored on another server.
        await mailing.rows("update mail_databases set fingerprint = 'another'", fetch=False)
        await mailing.send(server.port)
        assert await mailing.states() == {"accepted": 1, "uncertain": 2}
        await mailing.queue(a_mail("later@exemple.fr"))
        await mailing.send(server.port)
        result = await mailing.ask("decide-uncertain", cause="*", decision=decision)
        assert result == {"changed": 2}
        await mailing.send(server.port)
    recipients = [mail.recipient for mail in server.taken]
    assert recipients[:2] == ["first@exemple.fr", "later@exemple.fr"]
    assert set(recipients[2:]) == (set() if decision == "leave" else {ADDRESS, "b@exemple.fr"})


async def test_several_senders_send_each_mail_once(mailing: Mailing) -> None:
    addresses = [f"p{number}@exemple.fr" for number in range(300)]
    async with mail_server() as server:
        await mailing.queue(*(a_mail(address) for address in addresses))
        await asyncio.gather(*(mailing.send(server.port) for _ in range(2)))
    assert sorted(mail.recipient for mail in server.taken) == sorted(addresses)
    assert await mailing.states() == {"accepted": 300}


async def test_a_domain_is_written_to_at_its_own_pace_by_all_senders_together(mailing: Mailing) -> None:
    await mailing.queue(
        *(a_mail(f"p{n}@orange.fr") for n in range(20)), *(a_mail(f"p{n}@exemple.fr") for n in range(20))
    )
    arrived: list[tuple[str, float]] = []

    def noted(recipient: str, _: int) -> None:
        arrived.append((recipient, asyncio.get_running_loop().time()))

    async with mail_server(noted) as server:
        settings = mail_settings(server.port, paces={"orange.fr": {"per_minute": 1200}})
        for _ in range(40):
            await asyncio.gather(*(mailing.sender(settings).send_due() for _ in range(2)))
            if (await mailing.states())["accepted"] == 40:
                break
            await asyncio.sleep(0.05)
    moments = sorted(at for recipient, at in arrived if recipient.endswith("@orange.fr"))
    assert len(moments) == 20
    assert moments[-1] - moments[0] > 19 * 0.05 * 0.8


async def test_stopping_ends_what_is_on_its_way_and_leaves_the_rest_to_the_next(mailing: Mailing) -> None:
    await mailing.queue(*(a_mail(f"p{number}@exemple.fr") for number in range(400)))
    async with mail_server() as server:
        sending = asyncio.create_task(mailing.send(server.port))
        while len(server.taken) < 40:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        states = await mailing.states()
        assert states["accepted"] == len(server.taken) < 400
        assert set(states) == {"accepted", "due"}
        assert await mailing.send(server.port) == 400 - states["accepted"]
    assert await mailing.states() == {"accepted": 400}
    assert len({mail.recipient for mail in server.taken}) == len(server.taken) == 400


async def test_an_address_that_a_relay_cannot_write_is_refused_with_the_reason(mailing: Mailing) -> None:
    async with mail_server(smtputf8=False) as server:
        await mailing.queue(a_mail("prénom@exemple.fr"))
        await mailing.send(server.port)
    [(state, answer)] = await mailing.rows("select state, answer from deliveries")
    assert state == "refused"
    assert "SMTPUTF8" in answer
    async with mail_server() as server:
        await mailing.queue(a_mail("prénom@exemple.fr", cause="again"))
        await mailing.send(server.port)
    assert [mail.recipient for mail in server.taken] == ["prénom@exemple.fr"]


async def test_a_name_with_a_line_break_refuses_its_own_mail_alone(mailing: Mailing) -> None:
    async with mail_server() as server:
        await mailing.queue(a_mail(ADDRESS, name="Léa\r\nBcc: all@exemple.fr"), a_mail("b@exemple.fr"))
        await mailing.send(server.port)
    assert await mailing.states() == {"refused": 1, "accepted": 1}
    assert [mail.recipient for mail in server.taken] == ["b@exemple.fr"]


async def test_what_forbids_a_mail_is_looked_up_by_keys_while_tables_are_empty(mailing: Mailing) -> None:
    """Else each mail that is marked reads all members and suppressions, once there are many."""
    ids = [a_mail(f"p{n}@exemple.fr").delivery_id for n in range(50)]
    sql = suppressions._BLOCKED  # pyright: ignore[reportPrivateUsage]
    plan = [line for (line,) in await mailing.rows(f"explain {sql}", (ids, ids, [b"x"] * 50))]
    assert any("Index" in line for line in plan)
    assert not [line for line in plan if "Seq Scan" in line], plan
