"""Mail: deliveries of a second against a bare loop of aiosmtplib, on as many connections, with the same DKIM key.

Both build and sign the very same mails and hand them to one server, which runs in a process of its own and keeps
nothing. The loop knows no queue, no mark and no objection. Rounds take turns, so that others disturb both alike.
"""

import asyncio
import gc
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from uuid import uuid4

import aiosmtplib
import psutil
import uvloop
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from deploy.local.runs import CHECKOUT
from services.communications.brands.brand import MailSettings
from services.communications.deliveries import repository
from services.communications.deliveries.post_office import Built, Job, PostOffice
from services.communications.deliveries.signing import Signer
from shared.persistence.database import create_engine
from tests.benchmarks.stage import BenchmarkError, Stage
from tests.support.mailing import KEYRING, Mailing, a_mail, mail_settings

CONNECTIONS, ROUNDS, MANY = 10, 5, 20_000


@dataclass(frozen=True)
class Measured:
    """Mails of a second, here and by the bare loop, with DKIM; the lowest and highest ratio of a round.

    ``processor`` and ``bare_processor`` are milliseconds of a mail; ``grown`` the megabytes of the sender over
    :data:`MANY` mails.
    """

    mails: float
    bare: float
    lowest: float
    highest: float
    processor: float
    bare_processor: float
    grown: float


def measure(stage: Stage, *, quick: bool) -> Measured:
    """All of it; the communications service does not run."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.support.mail_server"], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        return uvloop.run(_measured(stage.database_url("communications"), port, quick=quick))
    finally:
        server.kill()
        server.wait()


async def _measured(url: str, port: int, *, quick: bool) -> Measured:
    engine = create_engine(url, application="bench", pool_size=8)
    settings = mail_settings(port, CONNECTIONS)
    with tempfile.TemporaryDirectory() as folder:
        signer = Signer.read("numelink.example", "2027", _key(Path(folder)))
    mailing = Mailing(engine, signers={"loire": signer})
    await mailing.empty()
    count = 200 if quick else 1_000
    ours, bare = list[tuple[float, float]](), list[tuple[float, float]]()
    try:
        for number in range(ROUNDS):
            addresses = [f"r{number}-{n}@exemple.fr" for n in range(count)]
            await mailing.queue(*(a_mail(address) for address in addresses))
            ours.append(await _timed(mailing.sender(settings).send_due(), count))
            jobs = await _jobs(mailing, f"bare-{number}", count)
            bare.append(await _timed(_sent_bare(PostOffice(settings, KEYRING, mailing.signers), jobs, port), count))
        grown = await _grown(mailing, settings, 1_000 if quick else MANY)
    finally:
        await engine.dispose()
    ratios = [mine[0] / theirs[0] for mine, theirs in zip(ours, bare, strict=True)]
    return Measured(
        mails=median(rate for rate, _ in ours),
        bare=median(rate for rate, _ in bare),
        lowest=min(ratios),
        highest=max(ratios),
        processor=median(spent for _, spent in ours),
        bare_processor=median(spent for _, spent in bare),
        grown=grown,
    )


async def _timed(work: Awaitable[int], count: int) -> tuple[float, float]:
    """Mails of a second, and milliseconds of this process for each."""
    spent, began = time.process_time(), time.perf_counter()
    done = await work
    took = time.perf_counter() - began
    if done != count:
        raise BenchmarkError(f"{done} of {count} mails went out")
    return count / took, (time.process_time() - spent) / count * 1_000


async def _jobs(mailing: Mailing, cause: str, count: int) -> list[Job]:
    """Mails as the sender would claim them, for the loop; they are settled as sent."""
    await mailing.queue(*(a_mail(f"b{n}@exemple.fr", cause=cause) for n in range(count)))
    async with mailing.engine.begin() as connection:
        claimed = await repository.claim(connection, str(uuid4()), count)
        letters = await repository.letters(connection, {item.content_id for item in claimed})
    await mailing.rows("update deliveries set state = 'cancelled' where state = 'due'", fetch=False)
    return [Job(item, letters[item.content_id]) for item in claimed]


async def _sent_bare(office: PostOffice, jobs: Sequence[Job], port: int) -> int:
    """What anybody writes first: so many connections, and on each one mail after the other."""
    waiting = list(jobs)

    async def work() -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            while waiting:
                job = waiting.pop()
                built = await asyncio.to_thread(office.build, *job)
                assert isinstance(built, Built)
                await client.mail(built.sender)
                await client.rcpt(job.delivery.address)
                await client.data(built.text)

    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
    return len(jobs)


async def _grown(mailing: Mailing, settings: MailSettings, count: int) -> float:
    """Megabytes by which this process grew while it sent so many mails."""
    for first in range(0, count, 1_000):
        await mailing.queue(*(a_mail(f"g{n}@exemple.fr", cause="many") for n in range(first, first + 1_000)))
    gc.collect()
    before = psutil.Process().memory_info().rss
    await mailing.sender(settings).send_due()
    return (psutil.Process().memory_info().rss - before) / 1024**2


def _key(folder: Path) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = folder / "dkim.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path
