"""The network between services and servers is cut, or swallows everything and tells nobody."""

import time

from tests.faults.nemesis import Stage


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
    stage.prove(seconds=120)  # a statement is given up after a minute
