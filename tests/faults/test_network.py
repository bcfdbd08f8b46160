"""The network between services and servers is cut, or swallows everything and tells nobody."""

import asyncio
import time
from collections.abc import Mapping

from shared.messaging.relay import Relay
from tests.faults.nemesis import Stage
from tests.support.waiting import eventually


def test_broker_cut_off_again_and_again(stage: Stage) -> None:
    publishing = stage.publish(seconds=5)
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        publishing.wait_for(share)
        stage.to_broker.cut()
        time.sleep(0.5)
        stage.to_broker.open()
    publishing.finish()
    stage.prove()


def test_database_cut_off_again_and_again(stage: Stage) -> None:
    publishing = stage.publish(seconds=5)
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        publishing.wait_for(share)
        stage.to_database.cut()
        time.sleep(0.5)
        stage.to_database.open()
    publishing.finish()
    stage.prove()


def test_broker_hangs_and_wakes_up(stage: Stage) -> None:
    publishing = stage.publish(seconds=4)
    publishing.wait_for(0.3)
    stage.to_broker.blackhole()
    time.sleep(6)
    stage.to_broker.open()
    publishing.finish()
    stage.prove()


def test_connections_to_the_broker_hang_for_ever(stage: Stage) -> None:
    publishing = stage.publish(seconds=4)
    publishing.wait_for(0.3)
    stage.to_broker.blackhole()
    publishing.wait_for(0.5)
    stage.to_broker.forget()
    publishing.finish()
    stage.prove()


def test_database_hangs_and_wakes_up(stage: Stage) -> None:
    publishing = stage.publish(seconds=4)
    publishing.wait_for(0.3)
    stage.to_database.blackhole()
    time.sleep(8)  # longer than the check whether the database answers
    stage.to_database.open()
    publishing.finish()
    stage.prove()


def test_connections_to_the_database_hang_for_ever(stage: Stage) -> None:
    publishing = stage.publish(seconds=4)
    publishing.wait_for(0.3)
    stage.to_database.blackhole()
    publishing.wait_for(0.5)
    stage.to_database.forget()
    publishing.finish()
    # A statement is given up after a minute, and so is the check of a pooled connection before its next use.
    stage.prove(seconds=200)


async def test_the_relay_of_a_vanished_machine_loses_its_lock(stage: Stage) -> None:
    stage.stack.kill("events")  # it has the lock
    vanishing, standby = _a_relay(stage.stack.env), _a_relay(stage.provisioned.env)
    vanishing.start()
    await eventually(lambda: _is(vanishing.active))
    stage.to_database.blackhole()
    stage.to_database.forget(servers_notice=False)
    standby.start()
    try:
        await eventually(lambda: _is(standby.active), timeout=10)
    finally:
        await asyncio.gather(standby.stop(), vanishing.stop())


def _a_relay(env: Mapping[str, str]) -> Relay:
    urls = env["TRABOULE_EVENTS_DATABASE_URL"], env["TRABOULE_EVENTS_BROKER_URL"]
    return Relay(*urls, "traboule.events", publish_timeout=1, lease=3)


async def _is(what: bool) -> bool:
    return what
