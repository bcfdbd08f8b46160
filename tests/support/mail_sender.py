"""A sender as a process of its own, that a test kills: ``python -m tests.support.mail_sender URL PORT CONNECTIONS``."""

import asyncio
import sys
from datetime import timedelta

from shared.persistence.database import create_engine
from tests.support.mailing import Mailing, mail_settings

LEASE = timedelta(seconds=3)


async def main(url: str, port: str, connections: str) -> None:
    """Send what is due, until it is killed."""
    engine = create_engine(url, application="sender", pool_size=8)
    mailing, settings = Mailing(engine), mail_settings(int(port), int(connections))
    while True:
        await mailing.sender(settings, lease=LEASE, dot_seconds=2).send_due()
        await asyncio.sleep(0.2)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
