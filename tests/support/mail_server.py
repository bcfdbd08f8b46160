"""A mail server (RFC 5321) on the loopback that keeps what it takes, and misbehaves where a plan says so.

``python -m tests.support.mail_server`` is one that keeps nothing, and prints its port.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

Fault = Literal[
    "close-at-rcpt", "defer-at-rcpt", "unknown-at-rcpt", "policy-at-rcpt", "close-at-data", "close-in-text",
    "close-after-dot", "keep-and-close-after-dot", "defer-after-dot", "go-away", "hang-after-dot",
]  # fmt: skip
Plan = Callable[[str, int], Fault | None]
"""What happens to a recipient's mail at its ``n``-th attempt, the first being 1."""

_ADDRESS = re.compile(rb"<([^>]*)>")
_REPLIES: dict[Fault, bytes] = {
    "defer-at-rcpt": b"450 4.2.0 greylisted, try again later",
    "unknown-at-rcpt": b"550 5.1.1 no such user here",
    "policy-at-rcpt": b"550 5.7.1 blocked: listed at a blocklist",
    "go-away": b"421 4.3.2 shutting down",
    "defer-after-dot": b"451 4.3.0 try again later",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """A mail that was kept: ``answered`` is whether its sender could know."""

    sender: str
    recipient: str
    text: bytes
    answered: bool


@dataclass(slots=True)
class MailServer:
    """Where it listens, and what it took."""

    plan: Plan = field(default=lambda _, __: None)
    smtputf8: bool = True
    port: int = 0
    taken: list[Taken] = field(default_factory=list[Taken])
    attempts: Counter[str] = field(default_factory=Counter[str])
    connections: int = 0
    keeps: bool = True

    def to(self, recipient: str) -> list[Taken]:
        """What it took for one address."""
        return [mail for mail in self.taken if mail.recipient == recipient]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await _Session(self, reader, writer).run()
        writer.close()


@dataclass(slots=True)
class _Session:
    server: MailServer
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    sender: str = ""
    recipient: str = ""
    fault: Fault | None = None

    async def run(self) -> None:
        self.reply(b"220 mail.test ESMTP")
        while line := await self.reader.readline():
            verb = line[:4].upper()
            if verb == b"QUIT":
                self.reply(b"221 bye")
                return
            if verb in (b"EHLO", b"HELO"):
                utf8 = b"250-SMTPUTF8\r\n" if self.server.smtputf8 else b""
                self.reply(b"250-mail.test\r\n" + utf8 + b"250 8BITMIME")
            elif verb == b"MAIL":
                self.sender = _address(line)
                self.reply(b"250 2.1.0 ok")
            elif verb == b"RCPT":
                if not self.recipient_offered(_address(line)):
                    return
            elif verb == b"DATA":
                if not await self.text_received():
                    return
            else:
                self.reply(b"250 2.0.0 ok")

    def recipient_offered(self, recipient: str) -> bool:
        self.recipient = recipient
        self.server.attempts[recipient] += 1
        self.fault = self.server.plan(recipient, self.server.attempts[recipient])
        if self.fault == "close-at-rcpt":
            return False
        if self.fault in ("defer-at-rcpt", "unknown-at-rcpt", "policy-at-rcpt", "go-away"):
            self.reply(_REPLIES[self.fault])
            return self.fault != "go-away"
        self.reply(b"250 2.1.5 ok")
        return True

    async def text_received(self) -> bool:
        if self.fault == "close-at-data":
            return False
        self.reply(b"354 go ahead")
        if self.fault == "close-in-text":
            await self.reader.read(100)
            return False
        text = (await self.reader.readuntil(b"\r\n.\r\n"))[:-3].replace(b"\r\n..", b"\r\n.")
        if self.fault == "defer-after-dot":
            self.reply(_REPLIES["defer-after-dot"])
            return True
        if self.fault == "close-after-dot":
            return False
        answered = self.fault not in ("keep-and-close-after-dot", "hang-after-dot")
        if self.server.keeps:
            self.server.taken.append(Taken(self.sender, self.recipient, text, answered))
        if self.fault == "hang-after-dot":
            await asyncio.sleep(60)
        if not answered:
            return False
        self.reply(b"250 2.0.0 queued")
        return True

    def reply(self, line: bytes) -> None:
        self.writer.write(line + b"\r\n")


def _address(line: bytes) -> str:
    found = _ADDRESS.search(line)
    return found[1].decode() if found else ""


@asynccontextmanager
async def mail_server(plan: Plan = lambda _, __: None, *, smtputf8: bool = True) -> AsyncGenerator[MailServer]:
    """One that listens until the end of the block."""
    server = MailServer(plan, smtputf8)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=16 * 1024 * 1024)
    server.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield server


async def _main() -> None:
    async with mail_server() as server:
        server.keeps = False
        print(server.port, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main())
