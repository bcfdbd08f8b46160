"""One cluster's story: its former system writes, staff ask, an operator moves it over and back, all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any

import orjson
from sqlalchemy.exc import DBAPIError

from schemas.commands import ChangeMember, CreateMember
from schemas.envelope import routing_key
from schemas.membership import MemberRecorded
from schemas.membership_write_back import MemberWritten
from services.cutover import late_messages, quarantine, stages
from services.cutover.fence import NotOursError
from services.cutover.moves import move
from services.cutover.parity.compare import Comparison, Difference
from services.cutover.parity.mirror_reader import mirrored_records
from services.cutover.stages import Move, MoveError
from services.gateway.definition import DEFINITION as MEMBERSHIP
from services.membership.connections import DatabaseUnavailableError, writing
from services.membership.policy import Policy
from services.membership.records.ids import new_id
from services.membership.records.record import RecordKey
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.usecases.edit_record import (
    By,
    Command,
    RecordChangedError,
    RecordExistsError,
    RecordMissingError,
    execute_command,
)
from shared.messaging.topology import OWN_PUBLISHER
from shared.persistence.database import rows_of
from tests.support.interleaving.broker import Broker
from tests.support.interleaving.former_system import ATTACKS, MARK, PAUSE, Answer, Asked, FormerSystem, T, a_name
from tests.support.interleaving.hostile import Hostile
from tests.support.interleaving.trouble import Shaken


class Story:
    """Everything of one cluster, until its former system is the authority again and both sides agree."""

    def __init__(self, cluster: str, engine: Shaken, policy: Policy, seed: int) -> None:
        self.cluster, self.seed = cluster, seed
        self._engine, self._policy, self._rng = engine, policy, Random(seed)
        self.broker = Broker(engine, self._unit_of_work, policy.clusters, self._rng)
        self.hostile = Hostile(cluster, seed)
        self.former = FormerSystem(cluster, self.broker, self._rng, self.hostile)
        self.asked: dict[str, Asked] = {}
        self.decided: dict[int, Answer] = {}
        self.differences: list[Difference] = []
        self.untold: list[str] = []
        self.broken: str | None = None

    async def run(self) -> None:
        """Live it through."""
        try:
            async with asyncio.TaskGroup() as everybody:
                everybody.create_task(self._operate())
                everybody.create_task(self._write())
                everybody.create_task(self._attack())
                everybody.create_task(self._ask())
                everybody.create_task(self._ask())
                if self._rng.random() < 0.15:
                    everybody.create_task(self._kill_a_service())
            await self.broker.drained()
            await self._decide_all()
            self.former.take_over(await self._again(self._written))
            await self.broker.drained()
            self.differences = await self._again(self._compare)
        finally:
            await self.broker.stop()

    # --- who does what ---------------------------------------------------------------------------------------------

    async def _operate(self) -> None:
        await self._rest()
        await self._move("mirror")
        for _ in range(self._rng.choice([1, 1, 2])):
            await self._rest()
            await self._move("switch")
            await self._rest(2)
            if self._rng.random() < 0.5:
                await self._decide_one()
            await self._move("rollback")

    async def _write(self) -> None:
        for _ in range(self._rng.randint(3, 6)):
            facts = await self._again(self._read_way_back) if self._rng.random() < 0.3 else {}
            if facts:
                self.former.echo(facts)
            else:
                self.former.write()
            await self._rest()

    async def _attack(self) -> None:
        for _ in range(ATTACKS):
            self.broker.attack(self.cluster, MemberRecorded, self.hostile)
            await asyncio.sleep(PAUSE)

    async def _read_way_back(self) -> dict[str, MemberRecorded]:
        async with self._transaction() as uow:
            return await told(uow, self.cluster)

    async def _ask(self) -> None:
        for _ in range(self._rng.randint(1, 2)):
            await self._rest(2)
            await self._again(self._command)

    async def _kill_a_service(self) -> None:
        await self._rest(3)
        await self.broker.kill()

    async def _rest(self, longer: float = 1) -> None:
        await asyncio.sleep(self._rng.random() * PAUSE * longer)

    # --- commands --------------------------------------------------------------------------------------------------

    async def _command(self) -> None:
        """Staff look at a record, and ask for a change of it or for a new one: at the door, or by the broker."""
        version, record_id = await self._seen()
        name = f"here-{len(self.asked)}"
        asked = self.asked[name] = Asked(record_id or new_id(datetime.now(UTC)), name, version)
        fields: dict[str, Any] = {"extra": {MARK: name}}
        if version is None:
            fields["name"] = a_name(self.cluster, 1_000 + len(self.asked))
        if self._rng.random() < 0.4:
            about = {"cluster": self.cluster, "record_id": asked.record_id, "author": "m.durand", "reason": name}
            if version is None:
                command: Any = CreateMember.model_validate(about | {"fields": fields})
            else:
                command = ChangeMember.model_validate(about | {"fields": fields, "expected_version": version})
            [event] = self.broker.publish("staff", [command])
            asked.by_broker = event.id
            return
        for _ in range(3):
            asked.answers.append(await self._asked_over_http(asked, fields))
            if asked.answers[-1] != "unknown":
                break

    async def _seen(self) -> tuple[int | None, str | None]:
        """A record as it is now; none, if there is none or a new one is wanted."""
        if self._rng.random() < 0.2:
            return None, None
        async with self._engine.begin() as connection:
            rows = await connection.exec_driver_sql(
                "select version, record_id from source_records where cluster = $1 and not removed", (self.cluster,)
            )
            result = sorted(tuple(row) for row in rows.all())
        return self._rng.choice(result) if result else (None, None)

    async def _asked_over_http(self, asked: Asked, fields: dict[str, Any]) -> Answer:
        command = Command(
            "create" if asked.expected is None else "change",
            RecordKey(self.cluster, asked.record_id),
            lambda _: fields,
            By("m.durand", asked.mark, "a-key"),
            asked.mark,
            datetime.now(UTC),
            as_seen=lambda version, _etag: asked.expected in (None, version),
        )

        async def ask() -> Answer:
            try:
                async with writing(self._engine, self._policy) as uow:  # type: ignore[arg-type]
                    await execute_command(uow, command)
            except (NotOursError, RecordChangedError, RecordMissingError, RecordExistsError):
                return "refused"
            return "done"

        return await self._once(ask) or "unknown"

    # --- the operator ----------------------------------------------------------------------------------------------

    async def _move(self, which: Move) -> None:
        async def make() -> None:
            async with self._transaction() as uow:
                try:
                    await move(uow, "membership", self.cluster, which, by="ops", reason="a test")
                except MoveError as error:
                    # Killed before it was told that the move was made.
                    if error.state.stage != stages.MOVES[which][1]:
                        raise

        await self._again(make)

    async def _decide_one(self) -> bool:
        """Apply or dismiss one late message; whether others are left."""

        async def decide() -> bool:
            async with self._transaction() as uow:
                waiting = await quarantine.listed(uow.connection, self.cluster)
                if waiting:
                    item = late_messages.apply if self._rng.random() < 0.5 else late_messages.dismiss
                    await item(uow, MEMBERSHIP, self._rng.choice(waiting).number, by="ops", reason="a test")
                return len(waiting) > 1

        return await self._again(decide)

    async def _decide_all(self) -> None:
        while await self._decide_one():
            pass

    # --- afterwards ------------------------------------------------------------------------------------------------

    async def _written(self) -> dict[str, MemberRecorded]:
        """What the former system was told of all that was written here, which must be just that."""
        async with self._transaction() as uow:
            facts, heard = await written_here(uow, self.cluster), await told(uow, self.cluster)
        answer = {name: fact.model_copy(update={"version": 0}) for name, fact in facts.items()}
        self.untold = sorted(name for name, fact in answer.items() if heard.get(name) != fact)
        return {name: heard[name] for name in facts if name in heard}

    async def _compare(self) -> list[Difference]:
        [kind] = MEMBERSHIP.mirrored
        comparison = Comparison({("member", name): fact for name, fact in self.former.records.items()})
        async with self._transaction() as uow:
            async for item_id, fact in mirrored_records(uow.connection, self.cluster, kind):
                comparison.add_ours("member", item_id, fact)
        return comparison.result().differences

    # --- trouble ---------------------------------------------------------------------------------------------------

    async def _again(self, work: Callable[[], Awaitable[T]]) -> T:
        """Whoever is killed does it again until he is told that it is done."""
        while True:
            done: list[T] = []

            async def once(done: list[T] = done) -> None:
                done.append(await work())

            await self._once(once)
            if done:
                return done[0]

    async def _once(self, work: Callable[[], Awaitable[T]]) -> T | None:
        """None if it was killed or cut off: whether it was committed is then unknown."""
        try:
            return await asyncio.ensure_future(work())
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) and task.cancelling():
                raise
        except (OSError, DBAPIError, DatabaseUnavailableError):
            pass
        return None

    def _unit_of_work(self, connection: Any) -> MembershipUnitOfWork:
        return MembershipUnitOfWork(connection, self._policy)

    def _transaction(self) -> Any:
        return writing(self._engine, self._policy)  # type: ignore[arg-type]


async def written_here(uow: MembershipUnitOfWork, cluster: str) -> dict[str, MemberRecorded]:
    """The records that commands wrote and that the former system has not said since."""
    rows = await uow.connection.exec_driver_sql(
        "select record_id, written::text from source_records where cluster = $1 and written_here and not removed",
        (cluster,),
    )
    return {record_id: MemberRecorded.model_validate_json(written) for record_id, written in rows_of(rows)}


async def told(uow: MembershipUnitOfWork, cluster: str) -> dict[str, MemberRecorded]:
    """What the former system was last told of each record, read from its queue-to-be as it would read it."""
    key = routing_key(OWN_PUBLISHER, MemberWritten, cluster)
    rows = await uow.connection.exec_driver_sql("select body from outbox where routing_key = $1", (key,))
    trees = [orjson.loads(body) for (body,) in rows_of(rows)]
    events = [event["data"] for tree in trees for event in (tree if isinstance(tree, list) else [tree])]
    newest = {event["record_id"]: event for event in sorted(events, key=lambda event: event["version"])}
    return {name: _read(item) for name, item in newest.items() if not item.get("removed")}


def _read(published: Mapping[str, Any]) -> MemberRecorded:
    [row] = published["rows"]
    cells = {column: cell for column, cell in zip(published["columns"], row, strict=True) if cell}
    known = {name: cell for name, cell in cells.items() if name in MemberRecorded.model_fields}
    added = {name: cell for name, cell in cells.items() if name not in known}
    return MemberRecorded.model_validate_json(orjson.dumps({**known, "version": 0, "extra": added}))
