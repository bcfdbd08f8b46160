"""Communications' own database, mails in its queue, and senders that hand them to a server of the test."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from services.common.queries import answered
from services.communications.brands.brand import MailSettings
from services.communications.definition import DEFINITION
from services.communications.deliveries.message import Letter
from services.communications.deliveries.post_office import PostOffice
from services.communications.deliveries.queueing import Mail, queue
from services.communications.deliveries.sender import Sender
from services.communications.deliveries.signing import Signer
from services.communications.mirror.repository import CommunicationsUnitOfWork
from services.communications.suppressions.address import Keyring
from services.communications.suppressions.repository import suppress
from services.communications.suppressions.suppression import Suppression
from services.operations.binding import Identity
from services.operations.running import OperationRequest, carry_out
from tests.support.emptying import EMPTY

KEYRING = Keyring.read("2026:" + "5a" * 32)
BRAND = {
    "code": "loire",
    "name": "Numelink à Saint-Étienne",
    "sender": "lettre@numelink.example",
    "return_domain": "bounce.numelink.example",
}
LETTER = Letter(
    "Été [[season]]",
    "Bonjour,\r\n.\r\nPour ne plus rien recevoir : [[unsubscribe_url]]\n",
    '<p>Bonjour</p><a href="[[unsubscribe_url]]">Se désinscrire</a>',
)


def mail_settings(port: int, connections: int = 4, **more: Any) -> MailSettings:
    """A relay on the loopback, and one brand."""
    relay = {"host": "127.0.0.1", "port": port, "tls": "none", "connections": connections}
    return MailSettings.model_validate(
        {"public_url": "https://adhesion.example", "relay": relay, "brands": {"loire": BRAND}} | more
    )


def a_mail(address: str, **different: Any) -> Mail:
    usual: dict[str, Any] = {
        "cause": "campaign-1",
        "kind": "newsletter",
        "mode": "bulk",
        "purpose": "news",
        "brand": "loire",
        "person_key": address,
        "letter": LETTER,
        "fields": {"season": "2027"},
    }
    return Mail(address=address, **usual | different)


@dataclass
class Mailing:
    """One database with a queue of mails."""

    engine: AsyncEngine
    keyring: Keyring = KEYRING
    signers: Mapping[str, Signer] = field(default_factory=dict[str, Signer])
    mail: MailSettings | None = None

    async def empty(self) -> None:
        await self.rows(EMPTY, fetch=False)

    async def queue(self, *mails: Mail) -> list[str]:
        async with self.engine.begin() as connection:
            return await queue(connection, self.keyring, mails)

    async def suppress(self, *suppressions: Suppression) -> set[str]:
        async with self.engine.begin() as connection:
            return await suppress(connection, self.keyring, suppressions)

    def sender(self, settings: MailSettings, **more: Any) -> Sender:
        return Sender(self.engine, PostOffice(settings, self.keyring, self.signers), **more)

    async def send(self, port: int, **more: Any) -> int:
        """Send what is due with a sender of its own."""
        return await self.sender(mail_settings(port), **more).send_due()

    async def ask(self, operation: str, **arguments: Any) -> Any:
        """What an operation answers, as the gateway and the command ask it. Raises RefusedError's JSON as a dict."""
        asked = OperationRequest(
            operation=operation, cluster=None, arguments=arguments, author="Léa", reason="essai",
            identity=Identity("key", "Léa"),
        )  # fmt: skip
        async with self.engine.begin() as connection:
            uow = CommunicationsUnitOfWork(connection, keyring=self.keyring, mail=self.mail)
            if operation in DEFINITION.queries:
                return (await answered(uow, DEFINITION, asked)).answer
            return (await carry_out(uow, DEFINITION, DEFINITION.every_operation, asked)).answer

    async def states(self) -> Counter[str]:
        rows = await self.rows("select state, count(*) from deliveries group by state")
        return Counter(dict(rows))

    async def due_now(self, states: Collection[str] = ("due", "handing")) -> None:
        """Let the time pass that a delivery waits for."""
        await self.rows(
            "update deliveries set due_at = now(), claimed_until = now() - interval '1 second' where state = any($1)",
            (list(states),),
            fetch=False,
        )

    async def rows(self, sql: str, values: Sequence[Any] = (), *, fetch: bool = True) -> Sequence[Any]:
        async with self.engine.begin() as connection:
            result = await connection.exec_driver_sql(sql, tuple(values))
            return result.all() if fetch else ()
