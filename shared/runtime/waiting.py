"""Waiting for an event, and no longer than so long."""

import asyncio
import contextlib


async def wait_at_most(seconds: float, event: asyncio.Event) -> None:
    """Until the event is set, or so many seconds have passed; 0 and less waits for nothing."""
    if seconds > 0:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), seconds)
