"""Staff merge and un-merge, and the service is killed before it could answer: all of it is done, or nothing."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from services.membership.records.record import RecordKey
from shared.persistence.database import create_engine
from tests.faults.nemesis import Stage, wait_until
from tests.support.keys import create_key

Rows = dict[str, list[Any]]

DECIDED = """
    select p.a_cluster, p.a_record_id, p.verdict
    from decisions d join decision_pairs p on p.decision_id = d.id order by 3
"""


class Staff:
    """Somebody at the door while all is quiet."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.key = asyncio.run(self._key())

    async def _key(self) -> str:
        engine = create_engine(self.stage.provisioned.env["TRABOULE_MEMBERSHIP_DATABASE_URL"], application="tests")
        async with engine.begin() as connection:
            made = await create_key(connection, "a test", "staff", 1)
        await engine.dispose()
        return made

    def rows(self, sql: str, *values: Any) -> list[Any]:
        async def fetch() -> list[Any]:
            connection = await asyncpg.connect(self.stage.provisioned.env["TRABOULE_MEMBERSHIP_DATABASE_URL"])
            try:
                return [tuple(row) for row in await connection.fetch(sql, *values)]
            finally:
                await connection.close()

        return asyncio.run(fetch())

    def views(self) -> dict[str, bytes]:
        return dict(self.rows("select member_id::text, document from views"))

    def strangers(self) -> tuple[RecordKey, RecordKey]:
        """Two records that stand alone, and have dues, registrations or consents to follow them."""
        rows = self.rows(
            """
            select min(s.cluster), min(s.record_id) from source_records s
            where not s.removed and (s.cluster, s.record_id) in (select cluster, record_id from related)
            group by s.member_id having count(*) = 1 order by 1, 2 limit 2
            """
        )
        return RecordKey(*rows[0]), RecordKey(*rows[1])

    def decide(self, verdict: str, pair: tuple[RecordKey, RecordKey]) -> Any:
        return self.post(
            "/duplicates/decisions",
            {"verdict": verdict, "records": [str(key) for key in pair], "reason": "a fault test"},
        )

    def post(self, path: str, body: Any) -> Any:
        request = urllib.request.Request(
            self.stage.stack.url("membership") + path,
            json.dumps(body).encode(),
            {"authorization": f"Bearer {self.key}", "content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)


@pytest.fixture
def staff(stage: Stage) -> Staff:
    stage.publish(seconds=1).finish()
    stage.checker.wait_until_quiet(stage.workload)
    return Staff(stage)


def restarted(stage: Stage) -> None:
    stage.stack.start("membership")
    stage.prove(stage.workload)


def killed_while(stage: Stage, step: str, ask: Callable[[], Any]) -> None:
    stage.start_special("membership", step, 1)
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        ask()
    stage.wait_until_dead("membership")
    restarted(stage)


@pytest.mark.parametrize("step", ["before-decision", "after-decision", "before-publish", "after-confirm"])
def test_a_merge_and_an_unmerge_that_are_killed_end_whole(stage: Stage, staff: Staff, step: str) -> None:
    apart, pair = staff.views(), staff.strangers()
    first = min(pair).own_id

    if step.endswith("decision"):
        killed_while(stage, step, lambda: staff.decide("same", pair))
    else:
        stage.start_special("membership", step, 1)
        staff.decide("same", pair)
        stage.wait_until_dead("membership")
        restarted(stage)
    merged = staff.views()
    if step == "before-decision":
        assert merged == apart
        assert staff.rows(DECIDED) == []
        staff.decide("same", pair)
        stage.prove(stage.workload)
        merged = staff.views()
    assert merged.keys() == apart.keys() - {max(pair).own_id}
    assert set(json.loads(merged[first])["former_ids"]) == {max(pair).own_id}
    if step == "after-decision":
        # Nobody was told, so it is asked for again: the answer is the same decision.
        assert staff.decide("same", pair)["repeated"]

    if step.endswith("decision"):
        killed_while(stage, step, lambda: staff.decide("different", pair))
    else:
        stage.start_special("membership", step, 1)
        staff.decide("different", pair)
        stage.wait_until_dead("membership")
        restarted(stage)
    if step == "before-decision":
        assert staff.views() == merged
        staff.decide("different", pair)
        stage.prove(stage.workload)
    wait_until(lambda: staff.views() == apart, 20, "the views were not what they were before the merge")
