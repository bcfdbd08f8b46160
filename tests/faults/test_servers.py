"""The broker and the database are killed, stopped, starved and away, in the middle of traffic."""

import time

from tests.faults.nemesis import Stage

A_MINUTE = 60


def test_broker_killed_and_restarted(stage: Stage) -> None:
    publishing = stage.publish(seconds=4)
    publishing.wait_for(0.3)
    stage.nodes.broker.kill()
    time.sleep(1)
    stage.nodes.broker.start()
    publishing.finish()
    stage.prove()


def test_broker_stopped_and_started(stage: Stage) -> None:
    publishing = stage.publish(seconds=4)
    publishing.wait_for(0.4)
    stage.nodes.broker.stop()
    stage.nodes.broker.start()
    publishing.finish()
    stage.prove()


def test_database_killed_and_restarted(stage: Stage) -> None:
    publishing = stage.publish(seconds=4)
    for share in (0.2, 0.6):
        publishing.wait_for(share)
        stage.nodes.database.kill()
        time.sleep(1)
        stage.nodes.database.start()
    publishing.finish()
    stage.prove()


def test_database_down_for_a_minute(stage: Stage) -> None:
    publishing = stage.publish(seconds=4)
    publishing.wait_for(0.3)
    stage.nodes.database.stop()
    publishing.finish()  # the broker takes in whatever the services cannot
    time.sleep(A_MINUTE)
    stage.nodes.database.start()
    stage.prove()


def test_services_start_before_their_servers(stage: Stage) -> None:
    services = stage.stack.services
    for service in services:
        stage.stack.kill(service)
    publishing = stage.publish(seconds=0)
    publishing.finish()
    stage.nodes.broker.kill()
    stage.nodes.database.kill()
    for service in services:
        stage.stack.start(service, wait=False)
    time.sleep(3)  # connections are taken, and closed again at once
    stage.to_broker.cut()
    time.sleep(3)  # and now they are refused
    stage.nodes.broker.start()
    stage.to_broker.open()
    time.sleep(2)
    stage.nodes.database.start()
    stage.prove()


def test_broker_memory_alarm(stage: Stage) -> None:
    publishing = stage.publish(seconds=4)
    publishing.wait_for(0.2)
    with stage.memory_alarm():
        time.sleep(12)  # longer than the relay waits for one confirm
    publishing.finish()
    stage.prove()
