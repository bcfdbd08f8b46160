"""From what a service announces over the broker to the mail, and back from the mail to the door."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from deploy.local.nodes import Nodes
from services.common.qr_code import grouped
from tests.support.events import Events
from tests.support.in_process import OwnService, Passwords, own_service
from tests.support.letters import PDF, a_document, part, read
from tests.support.mail_server import MailServer, mail_server
from tests.support.mailing import BRAND
from tests.support.qr_codes import codes_in
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def own(nodes: Nodes, passwords: Passwords) -> Iterator[OwnService]:
    with own_service(nodes, passwords, "communications", "billing", "events") as own:
        yield own


async def test_one_that_cannot_be_sent_is_parked_and_keeps_no_other_back(own: OwnService, tmp_path: Path) -> None:
    async with mail_server() as server:
        mail_file = tmp_path / "mail.toml"
        mail_file.write_text(_toml(server.port))
        facts = [a_document(number=f"F-{n}") for n in range(5)]
        facts[2] = a_document(number="F-2", recipient={"name": "A", "email": "nobody"})
        async with own.running(mail_file=mail_file):
            await own.publish_as("traboule.billing", facts)
            await own.publish_as("traboule.billing", facts[0])

            async def settled() -> bool:
                return len(server.taken) == 4 and bool(await own.parked())

            await eventually(settled)
        [parked] = await own.parked()
    assert (parked["queue"], parked["reason"]) == ("communications.document-issued", "address-unusable")
    assert sorted(mail["Subject"].rpartition(" ")[2] for mail in read(server)) == ["F-0", "F-1", "F-3", "F-4"]
    assert all([file.get_content() for file in mail.iter_attachments()] == [PDF] for mail in read(server))


async def test_a_ticket_in_a_mail_lets_its_person_in_until_another_comes_instead(
    own: OwnService, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """From the seat to the mail over the broker, and from the picture in the mail to the door."""
    async with mail_server() as server:
        mail_file = tmp_path / "mail.toml"
        mail_file.write_text(_toml(server.port))
        serving = replace(own, name="events").running(public_url="https://adhesion.example")
        async with own.running(mail_file=mail_file), serving as service:
            assert service.engine is not None
            events = Events(service.engine, "https://adhesion.example")
            session = await events.session(capacity=3)
            # The assistant orders for both, one of whom has no address.
            people = [{"name": "Ada", "email": "ada@example.fr"}, {"name": "Alan"}]
            order = {"session_id": session, "key": "k", "email": "office@example.fr", "people": people}
            [kept] = (await events.ask("register", **order))["items"]
            await eventually(_arrived(server, 2))
            tickets = {mail["To"].addresses[0].display_name: await _scanned(mail, tmp_path) for mail in read(server)}
            assert set(tickets) == {"Ada", "Alan"}
            assert server.to("office@example.fr") != []
            ada = kept["attendees"][0]["attendee_id"]
            await events.ask("replace-attendee", attendee_id=ada, name="Anne", email="anne@example.fr")
            await eventually(_arrived(server, 4))
            [anne] = [mail for mail in read(server) if "anne@example.fr" in mail["To"]]
            tickets["Anne"] = await _scanned(anne, tmp_path)
            entries = [{"key": name, "ticket": ticket} for name, ticket in sorted(tickets.items())]
            answer = await events.ask("check-in", session_id=session, entries=entries)
    assert [(each["outcome"], each["name"]) for each in answer["items"]] == [
        ("not-expected", "Ada"), ("in", "Alan"), ("in", "Anne"),
    ]  # fmt: skip
    written = "".join(capfd.readouterr())
    for url in tickets.values():
        code = url.rpartition("/")[2]
        assert await _tables_with(replace(own, name="events"), code) == set()
        assert await _tables_with(own, grouped(code)) == {"contents"}
        assert await _tables_with(own, code) == set()
        assert code not in written
        assert grouped(code) not in written


async def _tables_with(service: OwnService, text: str) -> set[str]:
    """The tables of a service where this text is in a row."""
    names = await service.column("select tablename from pg_tables where schemaname = 'public'")
    counted = " union all ".join(f"select '{name}' from {name} t where t::text like '%' || $1 || '%'" for name in names)
    return set(await service.column(counted, text))


def _arrived(server: MailServer, mails: int) -> Callable[[], Awaitable[bool]]:
    async def arrived() -> bool:
        return len(server.taken) >= mails

    return arrived


async def _scanned(mail: EmailMessage, folder: Path) -> str:
    """The ticket as a camera reads it from the picture; the mail is built as Outlook and Gmail want it."""
    assert [part.get_content_type() for part in mail.iter_parts()] == [
        "text/plain", "multipart/related", "text/calendar",
    ]  # fmt: skip
    html, picture = list(mail.iter_parts())[1].iter_parts()
    assert f'src="cid:{picture["Content-ID"].strip("<>")}"' in html.get_content()
    assert (picture.get_content_type(), picture.get_content_disposition()) == ("image/png", "inline")
    file = folder / "ticket.png"
    file.write_bytes(picture.get_content())
    [url] = codes_in(file)
    # Who types it reads the same code in both parts.
    typed = grouped(url.rpartition("/")[2])
    assert url.startswith("HTTPS://ADHESION.EXAMPLE/C/")
    assert typed in part(mail, "plain")
    assert typed in html.get_content()
    return url


def _toml(port: int) -> str:
    brand = "\n".join(f'{name} = "{value}"' for name, value in BRAND.items() if name != "code")
    return (
        f'public_url = "https://adhesion.example"\n[relay]\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\n'
        f"[brands.loire]\n{brand}\n"
    )
