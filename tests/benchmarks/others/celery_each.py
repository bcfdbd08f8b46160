"""Celery: one SQLAlchemy transaction for each task, acknowledged late, in a prefork worker."""

import os

import sqlalchemy as sa
from celery import Celery
from celery.signals import worker_process_init
from kombu.entity import Queue
from sqlalchemy.engine import make_url

from tests.benchmarks.others import statements
from tests.benchmarks.workload import CELERY_TASK

app = Celery(broker=os.environ["BENCH_BROKER_URL"])
app.conf.update(
    task_queues=[Queue(os.environ["BENCH_QUEUE"], queue_arguments={"x-queue-type": "quorum"})],
    task_acks_late=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=50,
    worker_detect_quorum_queues=True,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
    worker_enable_remote_control=False,
)
engine = sa.create_engine(make_url(os.environ["BENCH_DATABASE_URL"]).set(drivername="postgresql+psycopg"))


@worker_process_init.connect
def _own_connections(**_: object) -> None:
    engine.dispose(close=False)


@app.task(name=CELERY_TASK)
def record_invoice(body: str) -> None:
    """Inbox, mirror, outbox, commit; Celery acknowledges afterwards."""
    event = statements.loads(body)
    with engine.begin() as connection:
        if connection.execute(statements.ADMIT, statements.admitted(event)).scalar() is None:
            return
        row = statements.row_of(event)
        connection.execute(statements.SAVE, row)
        connection.execute(statements.ANNOUNCE, statements.announced(event, row["cluster"]))


if __name__ == "__main__":
    app.worker_main(
        [
            "worker",
            "--pool=prefork",
            f"--concurrency={os.environ['BENCH_CONCURRENCY']}",
            "--loglevel=ERROR",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
        ]
    )
