"""A task's own end is told apart from a connection that died under it."""

import asyncio

import pytest

from shared.runtime.cancellation import reraise_if_cancelled


async def test_a_cancellation_by_a_connection_is_swallowed() -> None:
    try:
        raise asyncio.CancelledError
    except asyncio.CancelledError:
        reraise_if_cancelled()


async def test_the_own_cancellation_of_a_task_is_raised_again_whatever_came_of_it() -> None:
    async def work() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            try:
                raise OSError("what the connection made of it")
            except OSError:
                reraise_if_cancelled()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(OSError, match="what the connection made of it"):
        await task
