"""``traboule mail``: as an operator types it, on a service of its own that no process runs."""

import mailbox
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.nodes import Nodes
from services.common.transactions import transaction
from services.communications.definition import DEFINITION
from services.communications.deliveries.queueing import queue
from services.communications.deliveries.tokens import token_of
from services.communications.mirror.repository import CommunicationsUnitOfWork
from services.communications.settings import CommunicationsSettings
from tests.support.command import traboule
from tests.support.in_process import OwnService, Passwords, own_service
from tests.support.mailing import a_mail
from tests.support.returned_mail import SAMPLES

MAIL = """
public_url = "https://adhesion.example"
[relay]
host = "127.0.0.1"
port = 9
tls = "none"
[brands.loire]
name = "Numelink"
sender = "bonjour@numelink.example"
return_domain = "retour.numelink.example"
"""
ADDRESS = "lea.martin@ateliers.example"


@pytest.fixture(scope="module")
def communications(
    nodes: Nodes, passwords: Passwords, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OwnService]:
    path = tmp_path_factory.mktemp("mail") / "mail.toml"
    path.write_text(MAIL)
    with (
        own_service(nodes, passwords, "communications") as own,
        own.environment(),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("TRABOULE_COMMUNICATIONS_MAIL_FILE", str(path))
        yield own


async def _queued() -> tuple[str, str]:
    """A mail in the queue: its id, and the token of its return path."""
    async with transaction(DEFINITION, CommunicationsSettings(), "test") as uow:  # pyright: ignore[reportCallIssue]
        assert isinstance(uow, CommunicationsUnitOfWork)
        [delivery_id] = await queue(uow.connection, uow.keyring, [a_mail(ADDRESS)])
        return delivery_id, token_of(uow.keyring.keys[0][1], delivery_id, "return")


async def test_a_bounce_from_a_mailbox_is_taken_in_once_and_shown(communications: OwnService, tmp_path: Path) -> None:
    await communications.empty()
    delivery_id, token = await _queued()
    box = mailbox.mbox(tmp_path / "bounces")
    raw = SAMPLES["postfix, unknown"].raw
    box.add(raw.replace("b+token@bounce", f"b+{token}@bounce"))
    box.add("From: x@y.example\nTo: lettre@numelink.example\n\nBonjour\n")
    box.close()

    first = await traboule("mail", "bounces", str(tmp_path / "bounces"), "--json")
    assert first.json == {"mails": 2, "bounce": 1, "of nobody": 1}
    again = await traboule("mail", "bounces", str(tmp_path / "bounces"))
    assert "2 mails read, 0 of them for the first time" in again.out

    shown = await traboule("mail", "suppressed", "--delivery", delivery_id)
    assert (shown.exit_code, "unknown-user" in shown.out) == (0, True)
    listed = await traboule("mail", "deliveries", "--state", "due")
    assert ADDRESS in listed.out


async def test_staff_suppress_and_lift_with_a_proof(communications: OwnService) -> None:
    await communications.empty()
    done = await traboule("mail", "suppress", "--record", "numelink/1042", "--reason", "par téléphone", "--json")
    assert done.json == {"changed": 1}
    items = (await traboule("mail", "suppressed", "--record", "numelink/1042", "--json")).json["items"]
    number = str(items[0]["suppression_id"])
    lifted = await traboule("mail", "lift", number, "--proof", "dossier 12", "--reason", "à sa demande")
    assert lifted.exit_code == 0
    again = await traboule("mail", "lift", number, "--proof", "dossier 12", "--reason", "à sa demande")
    assert (again.exit_code, "no such suppression" in again.err) == (1, True)


async def test_records_that_are_missing_are_printed_to_be_entered(communications: OwnService) -> None:
    shown = await traboule("mail", "dns")
    assert shown.exit_code == 1
    assert "_dmarc.numelink.example" in shown.out
    assert "v=spf1" in shown.out
    assert (await traboule("mail", "dns", "--brand", "x")).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("suppress", "--reason", "x"), 2, "give --address, --record, or both"),
        (("suppressed",), 2, "give --record or --delivery"),
        (("suppress", "--address", "nobody", "--reason", "x"), 2, "address"),
        (("resume", "orange.fr", "--reason", "x"), 2, "not paused"),
        (("test", "a@b.example", "--brand", "x"), 1, "no such brand"),
        (("bounces", "pyproject.toml"), 2, "neither a mailbox file"),
    ],
)
async def test_what_cannot_be_done_is_said_without_a_traceback(
    communications: OwnService, arguments: tuple[str, ...], code: int, words: str
) -> None:
    answer = await traboule("mail", *arguments)
    assert (answer.exit_code, words in " ".join(answer.err.split())) == (code, True), answer.err


async def test_a_status_that_wants_a_decision_is_an_exit_code(communications: OwnService) -> None:
    await communications.empty()
    assert (await traboule("mail", "status")).exit_code == 0
    await communications.query(
        "insert into paces (domain, paused_because, paused_at) values ('orange.fr', 'spam', now())"
    )
    status = await traboule("mail", "status")
    assert (status.exit_code, "orange.fr" in status.out) == (1, True)
