"""Whether a CancelledError is our own end, or that of a connection."""

import asyncio


def reraise_if_cancelled() -> None:
    """In an ``except`` block: raise what is being handled, if this task itself was cancelled.

    A connection that dies can cancel whoever waits on it. Only our own cancellation ends the work.
    """
    if is_cancelled():
        raise


def is_cancelled() -> bool:
    """Whether this task was asked to end, also if a library that it called swallowed that."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
