"""When the last backup was noted is a metric, so that somebody is told when none comes any more."""

import time

from prometheus_client import REGISTRY

from tests.support.command import traboule
from tests.support.in_process import OwnService


async def test_the_time_of_the_last_backup_is_measured(empty_billing: OwnService) -> None:
    async with empty_billing.running() as service:

        async def measured() -> float | None:
            async with service.engine.begin() as connection:
                for measure in service.measures:
                    await measure(connection)
            return REGISTRY.get_sample_value("traboule_backup_timestamp_seconds")

        assert await measured() == 0
        await empty_billing.query("insert into backups (at, by, note) values (now() - interval '2 days', 'zoé', 'old')")
        answer = await traboule("cutover", "note-backup", "--note", "pg_dump on nas1")
        assert answer.exit_code == 0, answer.err
        noted = await measured()
        assert noted is not None
        assert abs(noted - time.time()) < 60
