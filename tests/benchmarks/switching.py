"""A switch and a rollback in the middle of traffic: for how long commands are refused, and what is lost."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

import aiormq
import httpx2
import orjson
from pamqp.commands import Basic

from schemas.envelope import encode, routing_key, source_of
from schemas.membership import MemberRecorded
from services import SERVICES
from services.cli.cutover.operations import in_service
from services.cutover import operations
from services.gateway.definition import DEFINITION
from services.membership.settings import MembershipSettings
from shared.messaging.topology import EXCHANGE
from shared.persistence.database import create_engine
from tests.benchmarks.stage import BenchmarkError, Stage
from tests.support.keys import create_key

CLUSTER, SERVICE = "numelink", "membership"
MESSAGES_A_SECOND, COMMANDS_A_SECOND = 200, 20
THEIRS, OURS = 400, 60
"""Records that the former system goes on writing, and those that staff change."""
WRITTEN = 3_000
"""Records that were written here while it was live, and that a rollback has to look at."""
OVERRULED = {
    "switch": ("parity", "rehearsal", "queues", "outbox", "backup", "quarantine"),
    "rollback": ("quarantine", "way-back-read", "expressible", "new-ids"),
}
_SYLLABLES = ("ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru", "sa", "te", "vi", "zo", "cha", "phi")


@dataclass(frozen=True)
class Switching:
    """Seconds from when each move was asked for: until it was made (``switch``, ``rollback``), and until the first
    command that was carried out (``refused``), which is for how long commands were still refused. ``waited``: those of
    the command that the rollback held up for longest. ``p50`` and ``p99`` are milliseconds of a command while we are
    the authority. ``lost`` is what neither side can account for.
    """

    messages: int
    applied: int
    quarantined: int
    commands: int
    carried_out: int
    switch: float
    refused: float
    rollback: float
    waited: float
    unheard: float
    p50: float
    p99: float
    lost: int


@dataclass(frozen=True, slots=True)
class Answer:
    """One command: when it was sent and answered, and what the door said."""

    sent: float
    answered: float
    status: int


def measure(stage: Stage, *, quick: bool) -> Switching:
    """Mirror, switch and roll back while the former system writes 200 messages and staff 20 commands a second."""
    stage.clear("membership")
    for service in SERVICES:
        stage.stack.start(service, stage.extra if service == SERVICE else None, wait=False)
    stage.stack.wait_until_ready(SERVICES)
    try:
        return asyncio.run(_Traffic(stage, 3 if quick else 10).run())
    finally:
        for service in SERVICES:
            stage.stack.stop(service)


class _Traffic:
    """Both sides, writing all the while, and the operator."""

    def __init__(self, stage: Stage, seconds: float) -> None:
        self._stage, self._seconds = stage, seconds
        self._settings = MembershipSettings(
            database_url=stage.database_url(SERVICE), broker_url=stage.stack.env["TRABOULE_MEMBERSHIP_BROKER_URL"]
        )  # pyright: ignore[reportCallIssue]
        self._ended = asyncio.Event()
        self._version = 0
        self._confirmed = 0
        self._answers: list[Answer] = []
        self._etags: dict[str, str] = {}

    async def run(self) -> Switching:
        key = await self._key()
        connection = await aiormq.connect(self._stage.former_system(CLUSTER, SERVICE))
        self._channel = await connection.channel(publisher_confirms=True)
        counts = {"THEIRS": THEIRS, "OURS": OURS, "WRITTEN": WRITTEN}
        record_ids = [f"{whose}-{n}" for whose, count in counts.items() for n in range(count)]
        for first in range(0, len(record_ids), 500):
            await self._print(record_ids[first : first + 500])
        await self._until(lambda: self._count("source_records") >= sum(counts.values()))
        async with httpx2.AsyncClient(
            base_url=self._stage.stack.url(SERVICE), headers={"Authorization": f"Bearer {key}"}, trust_env=False
        ) as gateway:
            await self._look(gateway)
            await self._move("mirror")
            everybody = [asyncio.create_task(self._publish()), asyncio.create_task(self._command(gateway))]
            await asyncio.sleep(self._seconds)
            asked, switched = await self._move("switch")
            await asyncio.to_thread(self._write_in_traboule)
            await asyncio.sleep(self._seconds)
            asked_back, rolled_back = await self._move("rollback")
            await asyncio.sleep(self._seconds / 2)
            self._ended.set()
            await asyncio.gather(*everybody)
        await connection.close()
        return await self._matches(asked, switched, asked_back, rolled_back)

    # --- the former system -----------------------------------------------------------------------------------------

    async def _publish(self) -> None:
        begun, sent, under_way = time.perf_counter(), 0, set[asyncio.Task[None]]()
        while not self._ended.is_set():
            due = int((time.perf_counter() - begun) * MESSAGES_A_SECOND)
            for number in range(sent, due):
                task = asyncio.create_task(self._print([f"THEIRS-{number % THEIRS}"]))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
            sent = due
            await asyncio.sleep(0.005)
        await asyncio.gather(*under_way)

    async def _print(self, record_ids: Sequence[str]) -> None:
        self._version += 1
        facts = [
            MemberRecorded(version=self._version, record_id=text, name=_name(text), city="Saint-Étienne")
            for text in record_ids
        ]
        message = encode(source_of(CLUSTER, SERVICE), facts)
        await self._channel.basic_publish(
            message.body,
            exchange=EXCHANGE,
            routing_key=routing_key(CLUSTER, MemberRecorded),
            mandatory=True,
            properties=Basic.Properties(
                content_type=message.content_type,
                message_id=message.message_id,
                delivery_mode=2,
                user_id=f"{CLUSTER}.{SERVICE}",
            ),
        )
        self._confirmed += len(facts)

    # --- staff -----------------------------------------------------------------------------------------------------

    async def _look(self, gateway: httpx2.AsyncClient) -> None:
        for number in range(OURS):
            answer = await gateway.get(f"/records/{CLUSTER}/OURS-{number}")
            answer.raise_for_status()
            self._etags[f"OURS-{number}"] = answer.headers["etag"]

    async def _command(self, gateway: httpx2.AsyncClient) -> None:
        begun, sent, under_way = time.perf_counter(), 0, set[asyncio.Task[None]]()
        while not self._ended.is_set():
            due = int((time.perf_counter() - begun) * COMMANDS_A_SECOND)
            for number in range(sent, due):
                task = asyncio.create_task(self._change(gateway, number))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
            sent = due
            await asyncio.sleep(0.005)
        await asyncio.gather(*under_way)

    async def _change(self, gateway: httpx2.AsyncClient, number: int) -> None:
        record_id = f"OURS-{number % OURS}"
        sent = time.perf_counter()
        answer = await gateway.patch(
            f"/records/{CLUSTER}/{record_id}",
            json={"fields": {"phone": f"04 77 00 {number // 100 % 100:02} {number % 100:02}"}, "reason": "a benchmark"},
            headers={"If-Match": self._etags[record_id]},
        )
        self._answers.append(Answer(sent, time.perf_counter(), answer.status_code))
        if answer.status_code == 200:
            self._etags[record_id] = answer.headers["etag"]
        elif answer.status_code not in (409, 503):  # refused, or held up for so long that it was not tried
            raise BenchmarkError(f"the door answered {answer.status_code}: {answer.text[:200]}")

    # --- the operator ----------------------------------------------------------------------------------------------

    async def _move(self, which: Any) -> tuple[float, float]:
        """When it was asked for, and when it was made."""
        asked = time.perf_counter()
        # As the command does it, with connections and an event loop of its own.
        await asyncio.to_thread(
            lambda: asyncio.run(
                in_service(
                    DEFINITION,
                    self._settings,
                    lambda uow: operations.move(
                        uow,
                        DEFINITION,
                        CLUSTER,
                        which,
                        by="bench",
                        reason="a benchmark",
                        overrule=OVERRULED.get(which, ()),
                    ),
                )
            )
        )
        return asked, time.perf_counter()

    def _write_in_traboule(self) -> None:
        """As 3,000 commands leave it; how fast they are is measured elsewhere."""
        self._stage.query(
            SERVICE,
            "with written as (update source_records set written_here = true where record_id like 'WRITTEN-%' "
            "returning cluster, record_id, version) insert into record_changes (cluster, record_id, version, command, "
            "author, fields) select cluster, record_id, version, 'change', 'bench', '{city}' from written",
        )

    # --- what came of it -------------------------------------------------------------------------------------------

    async def _matches(self, asked: float, switched: float, asked_back: float, rolled_back: float) -> Switching:
        await self._until(lambda: self._count("inbox") >= self._confirmed)
        await asyncio.sleep(1)
        heard, quarantined, changes = await asyncio.to_thread(
            lambda: [self._count(item) for item in ("inbox", "quarantine", "record_changes")]
        )
        done = [answer for answer in self._answers if answer.status == 200]
        first = min((answer.answered for answer in done), default=float("inf"))
        # Sent after the rollback was made: refused from then on, and none that was carried out is missing.
        late = [answer for answer in done if answer.sent > rolled_back]
        if late:
            raise BenchmarkError(f"{len(late)} commands were carried out after the rollback")
        last = max((answer.answered for answer in done), default=asked_back)
        blocked = [answer for answer in self._answers if answer.sent <= rolled_back and answer.answered >= asked_back]
        waited = max((answer.answered - answer.sent for answer in blocked), default=0.0)
        live = [(answer.answered - answer.sent) * 1000 for answer in done]
        cuts = quantiles(live, n=100)
        lost = (self._confirmed - heard) + (len(done) - (changes - WRITTEN)) + await asyncio.to_thread(self._behind)
        return Switching(
            self._confirmed, heard - quarantined, quarantined, len(self._answers), len(done), switched - asked,
            first - asked, rolled_back - asked_back, waited, max(0.0, rolled_back - last), cuts[49], cuts[98], lost,
        )  # fmt: skip

    def _behind(self) -> int:
        """Records of the former system whose newest word is neither applied nor kept."""
        rows = self._stage.query(
            SERVICE,
            "select record_id, version from source_records where cluster = $1 and record_id like 'THEIRS-%'",
            CLUSTER,
        )
        late = self._stage.query(SERVICE, "select body from quarantine where cluster = $1", CLUSTER)
        newest = dict(rows)
        for (body,) in late:
            data = orjson.loads(body)["data"]
            newest[data["record_id"]] = max(newest.get(data["record_id"], 0), data["version"])
        return THEIRS - len(newest)

    def _count(self, table: str) -> int:
        # The service hears its own announcements too.
        theirs = f" where message like '{source_of(CLUSTER, SERVICE)} %'" if table == "inbox" else ""
        return self._stage.query(SERVICE, f"select count(*) from {table}{theirs}")[0][0]

    async def _until(self, true: Any, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not await asyncio.to_thread(true):
            if time.monotonic() > deadline:
                raise BenchmarkError("messages that were confirmed are not in the inbox")
            await asyncio.sleep(0.1)

    async def _key(self) -> str:
        engine = create_engine(self._stage.database_url(SERVICE), application="bench", pool_size=1)
        async with engine.begin() as connection:
            made = await create_key(connection, "benchmark", "admin", 1)
        await engine.dispose()
        return made


def _name(record_id: str) -> str:
    """Like no other's: what is measured is no crowd of one name."""
    mixed = hash(record_id) * 2_654_435_761 % 2**32
    return "".join(_SYLLABLES[mixed >> shift & 15] for shift in range(0, 24, 4)).capitalize()
