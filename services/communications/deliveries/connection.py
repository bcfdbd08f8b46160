"""One connection to the relay, driven step by step, so that a delivery is marked as late as can be.

aiosmtplib raises the same error whether a connection dies before the text or after the dot that ends it. So DATA is
sent apart: what fails before the server asked for the text (354) has certainly not gone out.
"""

from dataclasses import dataclass, field
from typing import Final

import aiosmtplib
from aiosmtplib.errors import SMTPException, SMTPResponseException

from services.communications.brands.brand import Relay
from services.communications.deliveries.delivery import Answer

COMMAND_SECONDS: Final = 60.0
"""For an answer to MAIL, RCPT and DATA; RFC 5321 §4.5.3.2 asks for 2 to 5 minutes, and all of these are tried again."""
DOT_SECONDS: Final = 600.0
"""For the answer to the text (RFC 5321 §4.5.3.2.6): less makes uncertain mails out of slow servers."""
MOST_MAILS: Final = 100
"""That one connection carries; relays part with longer ones."""
_UTF8: Final = Answer(553, "5.6.7 the relay takes no addresses with letters beyond ASCII (SMTPUTF8, RFC 6531)")


@dataclass(slots=True)
class Connection:
    """Opened when it is first needed, and again after it was lost."""

    relay: Relay
    password: str | None = field(default=None, repr=False)
    dot_seconds: float = DOT_SECONDS
    _client: aiosmtplib.SMTP | None = None
    _carried: int = 0

    async def offer(self, sender: str, recipient: str) -> Answer | None:
        """MAIL and RCPT: None if the server would take a mail for them, else its answer."""
        about_recipient = False
        try:
            client = await self._opened()
            utf8 = not recipient.isascii()
            if utf8 and not client.supports_extension("smtputf8"):
                return _UTF8
            encoding, options = ("utf-8", ["SMTPUTF8"]) if utf8 else ("ascii", [])
            await client.mail(sender, options=options, encoding=encoding)
            about_recipient = True
            await client.rcpt(recipient, encoding=encoding)
        except SMTPResponseException as error:
            return await self._refused(error, about_recipient=about_recipient)
        except (SMTPException, OSError, TimeoutError) as error:
            self.close()
            return Answer(None, f"{type(error).__name__} before the text", about_recipient=False)
        return None

    async def send_text(self, text: bytes) -> Answer:
        """DATA and the text: the server's answer, or that nobody knows."""
        client, text_left = self._client, False
        assert client is not None, "a mail is offered first"
        try:
            answer = await client.execute_command(b"DATA", timeout=COMMAND_SECONDS)
            if answer.code != 354:
                return await self._refused(SMTPResponseException(answer.code, answer.message))
            text_left = True
            answer = await self._sent(client, text)
        except (SMTPException, OSError, TimeoutError) as error:
            self.close()
            when = "after the text left" if text_left else "before the text"
            return Answer(None, f"{type(error).__name__} {when}", text_left, about_recipient=False)
        self._carried += 1
        if answer.code != 250:
            return await self._refused(SMTPResponseException(answer.code, answer.message))
        if self._carried >= MOST_MAILS:
            await self.quit()
        return Answer(answer.code, answer.message)

    async def forget(self) -> None:
        """Take back what was offered (RSET)."""
        try:
            if self._client is not None:
                await self._client.rset()
        except (SMTPException, OSError, TimeoutError):
            self.close()

    async def quit(self) -> None:
        """Part politely."""
        client, self._client = self._client, None
        if client is not None:
            try:
                await client.quit(timeout=5)
            except (SMTPException, OSError, TimeoutError):
                client.close()

    def close(self) -> None:
        """Part at once."""
        if self._client is not None:
            self._client.close()
        self._client = None

    async def _sent(self, client: aiosmtplib.SMTP, text: bytes) -> aiosmtplib.SMTPResponse:
        assert client.protocol is not None
        text = text if text.endswith(b"\r\n") else text + b"\r\n"
        lines = text.replace(b"\r\n.", b"\r\n..")
        client.protocol.write((b"." if lines.startswith(b".") else b"") + lines + b".\r\n")
        return await client.protocol.read_response(self.dot_seconds)

    async def _refused(self, error: SMTPResponseException, *, about_recipient: bool = True) -> Answer:
        if error.code == 421:
            # The server goes away: nothing is wrong with this recipient.
            self.close()
            return Answer(error.code, error.message, about_recipient=False)
        await self.forget()
        return Answer(error.code, error.message, about_recipient=about_recipient)

    async def _opened(self) -> aiosmtplib.SMTP:
        if self._client is not None and self._client.is_connected:
            return self._client
        client = aiosmtplib.SMTP(
            hostname=self.relay.host,
            port=self.relay.port,
            use_tls=self.relay.tls == "implicit",
            start_tls=self.relay.tls == "starttls",
            cert_bundle=str(self.relay.ca_file) if self.relay.ca_file else None,
            username=self.relay.username,
            password=self.password,
            local_hostname=self.relay.hello,
            timeout=COMMAND_SECONDS,
        )
        await client.connect()
        if client.is_ehlo_or_helo_needed:
            await client.ehlo()
        self._client, self._carried = client, 0
        return client
