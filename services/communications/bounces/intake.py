"""Where mail comes back to: a server for LMTP (RFC 2033), for return paths alone.

A mail is answered after the commit, so a relay that heard nothing sends it again, and that changes nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from services.communications.bounces.returned import Returned, is_ours, returned_to

log = structlog.get_logger()

LARGEST_MAIL: Final = 2 * 1024 * 1024
Keep = Callable[[Returned], Awaitable[None]]


@dataclass(slots=True)
class Intake:
    """aiosmtpd's handler: takes mail for our return paths alone, one at a time."""

    keep: Keep

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Whether an address is ours."""
        if envelope.rcpt_tos:
            return "452 4.5.3 one recipient at a time"
        if not is_ours(address):
            return "550 5.1.1 mail for return paths alone is taken here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep it, then say so."""
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        item = returned_to(envelope.rcpt_tos[0], raw, datetime.now(UTC))
        assert item is not None, "handle_RCPT took it"
        try:
            await self.keep(item)
        except Exception as error:
            log.warning("bounce.not_kept", error=type(error).__name__)
            return "451 4.3.0 it cannot be kept now, send it again"
        return "250 2.0.0 kept"


async def serve(host: str, port: int, keep: Keep) -> None:
    """Take mail in until the service stops."""
    loop = asyncio.get_running_loop()
    make = partial(LMTP, Intake(keep), data_size_limit=LARGEST_MAIL, ident="traboule", loop=loop)
    server = await loop.create_server(make, host, port)
    async with server:
        await server.serve_forever()
