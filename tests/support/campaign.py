"""A whole mailing against a server that misbehaves by plan, while people object and senders are killed."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, cast

from deploy.local.nodes import Nodes
from deploy.local.runs import CHECKOUT
from schemas.objections import ObjectionReceived
from services.communications.deliveries.tokens import digest_of, token_of
from services.communications.suppressions.suppression import Suppression
from services.communications.usecases import objections
from shared.persistence.database import create_engine
from tests.support.mail_server import Fault, MailServer, mail_server
from tests.support.mailing import Mailing, a_mail
from tests.support.merging import a_database

FAULTS: Sequence[Fault] = (
    "close-at-rcpt", "defer-at-rcpt", "unknown-at-rcpt", "close-at-data", "close-in-text", "close-after-dot",
    "keep-and-close-after-dot", "defer-after-dot", "go-away",
)  # fmt: skip
LOST: frozenset[Fault] = frozenset({"close-in-text", "close-after-dot", "keep-and-close-after-dot"})
_AT_ONCE = 2_000
_HANDED_LATE = """
    select count(*) from deliveries d
    join unnest($1::text[], $2::timestamptz[]) as o (address, at) on o.address = d.address
    where d.handed_at > o.at
"""


@dataclass(slots=True)
class Outcome:
    """What a mailing came to. ``wrong`` is what must never be."""

    states: Counter[str]
    expected: int
    twice: list[str]
    objected_before: set[str]
    late: int
    planned_lost: int
    kills: int
    connections: int
    taken: Counter[str]
    sums: set[int] = field(default_factory=set[int])

    @property
    def wrong(self) -> list[str]:
        found = [f"{self.twice[:5]} got it twice"] if self.twice else []
        if mailed := sorted(self.objected_before & set(self.taken)):
            found.append(f"{mailed[:5]} had objected")
        if self.late:
            found.append(f"{self.late} were marked after they had objected")
        if self.sums != {self.expected} or self.states.total() != self.expected:
            found.append(f"the states add up to {sorted(self.sums)}, and there were {self.expected}")
        if self.states["due"] or self.states["handing"]:
            found.append(f"{self.states['due']} and {self.states['handing']} were forgotten")
        # Whoever is not accepted and got it is among those that are named as uncertain.
        if len(self.taken) - self.states["accepted"] not in range(self.states["uncertain"] + 1):
            found.append(f"{len(self.taken)} got it, {self.states['accepted']} are said to have")
        if self.states["uncertain"] > self.planned_lost + self.kills * self.connections:
            found.append(f"{self.states['uncertain']} are uncertain")
        return found


async def run_campaign(
    mailing: Mailing, url: str, people: int, *, seed: int, kills: int, connections: int = 4
) -> Outcome:
    """Send to so many people, of whom three in ten are in both lists."""
    random = Random(seed)
    addresses = [f"p{number}@exemple.fr" for number in range(people)]
    both = random.sample(addresses, people * 3 // 10)
    faults: dict[str, Fault] = {each: random.choice(FAULTS) for each in random.sample(addresses, people // 50)}
    before = set(random.sample(addresses, people // 30))
    during = random.sample(sorted(set(addresses) - before), people // 30)

    def plan(recipient: str, attempt: int) -> Fault | None:
        return faults.get(recipient) if attempt == 1 else None

    await mailing.suppress(
        *(Suppression(cause=f"before/{a}", address=a, source="import", at=datetime.now(UTC)) for a in before)
    )
    for first in range(0, people, _AT_ONCE):
        await mailing.queue(*(a_mail(address) for address in addresses[first : first + _AT_ONCE]))
    await mailing.queue(*(a_mail(address) for address in both))
    async with mail_server(plan) as server:
        objected = await _live(mailing, url, server, during, people, kills, connections)
    sums = objected.pop("sums")
    states = await mailing.states()
    taken = Counter(mail.recipient for mail in server.taken)
    [(late,)] = await mailing.rows(_HANDED_LATE, (list(objected), list(objected.values())))
    return Outcome(
        states, people, [address for address, count in taken.items() if count > 1], before, late,
        sum(fault in LOST for fault in faults.values()), kills, connections, taken, sums,
    )  # fmt: skip


async def _live(
    mailing: Mailing, url: str, server: MailServer, during: list[str], people: int, kills: int, connections: int
) -> dict[str, Any]:
    """Kill and start senders and let people object, until nothing is due; when each objection was committed."""
    objected: dict[str, Any] = {}
    sums = set[int]()
    moments = [people * (number + 1) // (kills + 2) for number in range(kills)]
    sender = await _started(url, server.port, connections)
    try:
        deadline = datetime.now(UTC) + timedelta(minutes=10)
        while datetime.now(UTC) < deadline:
            if moments and len(server.taken) >= moments[0]:
                moments.pop(0)
                sender.send_signal(signal.SIGKILL)
                await sender.wait()
                sender = await _started(url, server.port, connections)
            if during:
                objected |= await _object(mailing, [during.pop() for _ in range(min(len(during), 1 + people // 300))])
            states = await mailing.states()
            sums.add(states.total())
            if not moments and not during and set(states) <= {"accepted", "suppressed", "refused", "uncertain"}:
                break
            if states["accepted"] + states["suppressed"] > people * 9 // 10:
                # Retries wait for minutes: let them pass. What is on its way is left to its sender's lease.
                await mailing.rows("update deliveries set due_at = now() where state = 'due' and due_at > now()",
                                   fetch=False)  # fmt: skip
            await asyncio.sleep(0.1)
    finally:
        sender.kill()
        await sender.wait()
    return objected | {"sums": sums}


async def _object(mailing: Mailing, addresses: list[str]) -> dict[str, datetime]:
    """Use the links of these people's mails; when that was committed, by the database's clock."""
    at = datetime.now(UTC)
    facts = [
        ObjectionReceived(
            version=1,
            link_digest=digest_of(token_of(mailing.keyring.keys[0][1], a_mail(address).delivery_id, "links")).hex(),
            act="object",
            way="one-click",
            received_at=at,
        )
        for address in addresses
    ]
    async with mailing.engine.begin() as connection:
        await objections.keep(connection, mailing.keyring, facts)
    rows = await mailing.rows("select clock_timestamp()")
    return dict.fromkeys(addresses, cast("datetime", rows[0][0]))


async def _started(url: str, port: int, connections: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.mail_sender", url, str(port), str(connections), cwd=CHECKOUT
    )


def outcome_is_right(nodes: Nodes, people: int, kills: int, seed: int) -> None:
    """Run one on a database of its own, and assert all that must hold."""

    async def run(url: str) -> Outcome:
        engine = create_engine(url, application="test", pool_size=4)
        try:
            return await run_campaign(Mailing(engine), url, people, seed=seed, kills=kills)
        finally:
            await engine.dispose()

    with a_database(nodes, "communications") as database:
        outcome = asyncio.run(run(database.url))
    assert outcome.wrong == [], f"{outcome.states}"
    assert outcome.states["uncertain"] > 0
    assert outcome.states["suppressed"] > 0
