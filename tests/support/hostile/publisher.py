"""An AMQP 0-9-1 client that sends what it is given, byte by byte, and says what the broker made of each message."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Literal, cast
from urllib.parse import unquote, urlsplit

from pamqp import commands, frame

from shared.messaging.topology import EXCHANGE
from tests.support.hostile.message import HostileMessage

Answer = Literal["confirmed", "refused", "unsure"]
"""``unsure``: the connection ended before the broker had answered, over this message or another."""
METHOD, HEADER, BODY, END = 1, 2, 3, b"\xce"
BASIC = 60
ANSWER_SECONDS = 20.0


class Refused(Exception):
    """The broker closed the channel or the connection; the text says why."""


class Publisher:
    """One connection at a time, opened again when the broker closes it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._line: _Line | None = None
        self.refusals: list[str] = []

    async def publish(self, messages: Sequence[HostileMessage]) -> list[Answer]:
        """Send all at once; of more than one message that was refused, the culprit is not known."""
        if self._line is None:
            self._line = await _Line.open(self._url)
        unknown: Answer = "unsure"
        try:
            answers = await self._line.publish(messages)
        except (Refused, OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            self.refusals.append(str(error))
            answers = [self._line.answered.get(tag) for tag in self._line.tags]
            answers += [None] * (len(messages) - len(answers))
            await self.close()
            # Silence refuses nothing: the broker may have taken what it had no time to confirm.
            if isinstance(error, Refused) and len(messages) == 1:
                unknown = "refused"
        return cast("list[Answer]", [answer or unknown for answer in answers])

    async def close(self) -> None:
        """Hang up."""
        if self._line is not None:
            self._line.close()
            self._line = None


@asynccontextmanager
async def publishing(url: str) -> AsyncGenerator[Publisher]:
    """A publisher that is closed at the end."""
    publisher = Publisher(url)
    try:
        yield publisher
    finally:
        await publisher.close()


class _Line:
    """A connection with one channel in confirm mode."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._room = 0
        self._sent = 0
        self.tags: list[int] = []
        self.answered: dict[int, Answer | None] = {}

    @classmethod
    async def open(cls, url: str) -> _Line:
        at = urlsplit(url)
        reader, writer = await asyncio.open_connection(at.hostname, at.port)
        line = cls(reader, writer)
        writer.write(b"AMQP\x00\x00\x09\x01")
        await line._expect(commands.Connection.Start)
        who = f"\0{unquote(at.username or '')}\0{unquote(at.password or '')}"
        line._send(commands.Connection.StartOk({}, "PLAIN", who, "en_US"), 0)
        tune: Any = await line._expect(commands.Connection.Tune)
        line._room = tune.frame_max - 8
        line._send(commands.Connection.TuneOk(tune.channel_max, tune.frame_max, 0), 0)
        line._send(commands.Connection.Open(unquote(at.path[1:])), 0)
        await line._expect(commands.Connection.OpenOk)
        line._send(commands.Channel.Open(), 1)
        await line._expect(commands.Channel.OpenOk)
        line._send(commands.Confirm.Select(), 1)
        await line._expect(commands.Confirm.SelectOk)
        return line

    async def publish(self, messages: Sequence[HostileMessage]) -> list[Answer | None]:
        self.tags, self.answered = [], {}
        async with asyncio.timeout(ANSWER_SECONDS):
            sending = asyncio.ensure_future(self._send_all(messages))
            try:
                while len(self.tags) < len(messages) or not all(self.answered.get(tag) for tag in self.tags):
                    await self._answer()
                    await asyncio.sleep(0)
            finally:
                sending.cancel()
                with suppress(asyncio.CancelledError, OSError):
                    await sending
        return [self.answered[tag] for tag in self.tags]

    async def _send_all(self, messages: Sequence[HostileMessage]) -> None:
        for message in messages:
            self._sent += 1
            self.tags.append(self._sent)
            self._send(commands.Basic.Publish(0, EXCHANGE, message.key, False, False), 1)
            head = struct.pack(">HHQ", BASIC, 0, len(message.body)) + message.properties
            self._frame(HEADER, head)
            for at in range(0, len(message.body), self._room):
                self._frame(BODY, message.body[at : at + self._room])
                await self._writer.drain()

    async def _answer(self) -> None:
        method = await self._method()
        if isinstance(method, commands.Basic.Ack | commands.Basic.Nack):
            answer: Answer = "confirmed" if isinstance(method, commands.Basic.Ack) else "refused"
            tag = method.delivery_tag or 0
            open_tags = [number for number in self.tags if number <= tag and not self.answered.get(number)]
            for number in open_tags if method.multiple else [tag]:
                self.answered[number] = answer

    async def _expect(self, kind: type[Any]) -> Any:
        while not isinstance(method := await self._method(), kind):
            pass
        return method

    async def _method(self) -> Any:
        while True:
            kind, channel, size = struct.unpack(">BHI", await self._reader.readexactly(7))
            payload = await self._reader.readexactly(size + 1)
            if kind != METHOD:
                continue
            _, _, method = frame.unmarshal(struct.pack(">BHI", kind, channel, size) + payload)
            if isinstance(method, commands.Channel.Close | commands.Connection.Close):
                raise Refused(f"{method.reply_code} {method.reply_text}")
            return method

    def _send(self, method: Any, channel: int) -> None:
        self._writer.write(frame.marshal(method, channel))

    def _frame(self, kind: int, payload: bytes) -> None:
        self._writer.write(struct.pack(">BHI", kind, 1, len(payload)) + payload + END)

    def close(self) -> None:
        self._writer.close()
