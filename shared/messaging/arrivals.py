"""What a lane has received and does not have in hand: as it came, or read ahead while the database works."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from aio_pika.abc import AbstractIncomingMessage
from aio_pika.exceptions import ChannelInvalidStateError

from shared.messaging.work_items import MessageReader, WorkItem

LARGE_BYTES = 1024 * 1024
"""A hand that holds so much takes no further message: several large ones at once would be read into memory."""


@dataclass(slots=True)
class Arrivals:
    """Messages of one queue in the order of their arrival. What was read ahead came first."""

    reader: MessageReader
    most_events: int
    _unread: asyncio.Queue[AbstractIncomingMessage] = field(default_factory=asyncio.Queue)
    _read: deque[tuple[AbstractIncomingMessage, list[WorkItem]]] = field(
        default_factory=deque[tuple[AbstractIncomingMessage, list[WorkItem]]]
    )

    def __len__(self) -> int:
        return len(self._read) + self._unread.qsize()

    def put(self, raw: AbstractIncomingMessage) -> None:
        """The newest."""
        self._unread.put_nowait(raw)

    def take(self) -> tuple[AbstractIncomingMessage, list[WorkItem] | None]:
        """The oldest, and what it holds if that was read; there must be one."""
        return self._read.popleft() if self._read else (self._unread.get_nowait(), None)

    async def wait(self, stopping: asyncio.Event, seconds: float | None) -> AbstractIncomingMessage | None:
        """The next one, where none is here; None after so many ``seconds``, or as soon as ``stopping`` is set."""
        waiting = asyncio.ensure_future(self._unread.get())
        ending = asyncio.ensure_future(stopping.wait())
        done, pending = await asyncio.wait({waiting, ending}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        return waiting.result() if waiting in done else None

    async def read_ahead(self, goes_on: Callable[[], bool]) -> None:
        """Read what the next hand will hold, as long as the database works for this one: its waits cost nothing so."""
        while goes_on() and not self._unread.empty():
            if not self.has_room((raw for raw, _ in self._read), sum(len(items) for _, items in self._read)):
                return
            raw = self._unread.get_nowait()
            self._read.append((raw, await self.reader.items(raw)))

    def has_room(self, messages: Iterable[AbstractIncomingMessage], events: int) -> bool:
        """Whether a hand with these messages, which hold so many events, takes another one."""
        return events < self.most_events and sum(len(raw.body) for raw in messages) < LARGE_BYTES

    def forget_returned(self) -> None:
        """Drop what came over a channel that is closed now: the broker has it back, and sends it again over the next.

        Else a lane that waits would hold one copy more with each connection that breaks meanwhile.
        """
        self._read = deque((raw, items) for raw, items in self._read if _has_channel(raw))
        for _ in range(self._unread.qsize()):
            if _has_channel(raw := self._unread.get_nowait()):
                self._unread.put_nowait(raw)


def _has_channel(raw: AbstractIncomingMessage) -> bool:
    with contextlib.suppress(ChannelInvalidStateError):
        _ = raw.channel
        return True
    return False
