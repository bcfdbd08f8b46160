"""``python -m tests.benchmarks``: measure, print a table, write ``.local/bench.json``; ``--fill`` README.md."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime

from deploy.local.runs import LOCAL
from deploy.provisioning.definitions import call
from tests.benchmarks import (
    billing,
    console,
    filling,
    growing,
    journey,
    lanes,
    linking,
    mail,
    matching,
    members,
    operations,
    pages,
    profiled,
    rates,
    recognition,
    registering,
    replicas,
    seats,
    switching,
    taking,
)
from tests.benchmarks.report import Report
from tests.benchmarks.stage import Stage, stage, stop_services

JOURNEY = ("import", "latency", "reads", "memory")
PARTS = (
    "lanes",
    *JOURNEY,
    "growth",
    "taking",
    "recognition",
    "matching",
    "linking",
    "replicas",
    "switching",
    "operations",
    "billing",
    "mail",
    "seats",
    "registering",
    "pages",
)


UNLIMITED = {"TRABOULE_MEMBERSHIP_REQUESTS_PER_SECOND": "1000000"}
"""Many clients share one key here."""


def main() -> int:
    """Run what was asked for."""
    letters = [lane.letter for lane in lanes.LANES]
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything, one round: a first look in 90 s")
    parser.add_argument("--rounds", type=int, help="rounds of every lane (3; with --quick 1)")
    parts = (*PARTS, *letters)
    parser.add_argument("--only", nargs="+", choices=parts, metavar="PART", help=", ".join(parts))
    parser.add_argument("--fill", action="store_true", help="write what was measured into the README's tables")
    parser.add_argument("--profile", choices=["a", "a0", "b", "b0"], help="run one lane under cProfile")
    parser.add_argument("--env", nargs="+", default=[], metavar="NAME=VALUE", help="other settings for our services")
    arguments = parser.parse_args()
    wanted = set(arguments.only or PARTS)
    chosen = [lane for lane in lanes.LANES if "lanes" in wanted or lane.letter in wanted]
    if arguments.quick and arguments.only is None:
        chosen = [lane for lane in chosen if lane.relay]
    if arguments.fill and arguments.quick:
        parser.error("--fill: figures of a first look are not for the README")
    started, load = time.monotonic(), os.getloadavg()[0]
    with stage() as where:
        where.extra = UNLIMITED | dict(item.split("=", 1) for item in arguments.env)
        if arguments.profile:
            return _profile(where, arguments.profile, quick=arguments.quick)
        report = Report(_servers(where), quick=arguments.quick)
        report.figures |= {"parts": sorted(wanted), "settings": where.extra}
        rounds = arguments.rounds or (1 if arguments.quick else 3)
        if chosen:
            _part(report, "lanes", lambda: _lanes(report, where, chosen, rounds, quick=arguments.quick))
        if wanted.intersection(JOURNEY):
            _part(report, "journey", lambda: _journey(report, where, wanted, rounds, quick=arguments.quick))
        if "growth" in wanted:
            _part(report, "growth", lambda: growing.growth(report, members.measure(where, quick=arguments.quick)))
        if "taking" in wanted:
            _print("taking")
            _part(report, "taking", lambda: growing.taking(report, taking.measure(where, quick=arguments.quick)))
        if "recognition" in wanted:
            _print("recognition")
            _part(
                report,
                "recognition",
                lambda: growing.recognition(report, recognition.measure(where, quick=arguments.quick)),
            )
        if "matching" in wanted:
            _print("matching")
            _part(report, "matching", lambda: growing.matching(report, matching.recognise(quick=arguments.quick)))
        if "linking" in wanted:
            _print("linking")
            _part(report, "linking", lambda: rates.linking(report, linking.measure(where, quick=arguments.quick)))
        if "replicas" in wanted:
            _print("replicas")
            _part(report, "replicas", lambda: rates.replicas(report, replicas.measure(where, quick=arguments.quick)))
        if "switching" in wanted:
            _print("switching")
            _part(report, "switching", lambda: rates.switching(report, switching.measure(where, quick=arguments.quick)))
        if "operations" in wanted:
            _print("operations")
            _part(
                report, "operations", lambda: rates.operations(report, operations.measure(where, quick=arguments.quick))
            )
        if "billing" in wanted:
            _print("billing")
            _part(report, "billing", lambda: rates.billing(report, billing.measure(where, quick=arguments.quick)))
        if "mail" in wanted:
            _print("mail")
            _part(report, "mail", lambda: rates.mail(report, mail.measure(where, quick=arguments.quick)))
        if "seats" in wanted:
            _print("seats")
            _part(report, "seats", lambda: rates.seats(report, seats.measure(where, quick=arguments.quick)))
        if "registering" in wanted:
            _print("registering")
            _part(
                report,
                "registering",
                lambda: rates.registering(report, registering.measure(where, quick=arguments.quick)),
            )
        if "pages" in wanted:
            _print("pages")
            _part(report, "pages", lambda: console.pages(report, pages.measure(where, quick=arguments.quick)))
    report.show(LOCAL / "bench.json", time.monotonic() - started)
    if arguments.fill:
        caption = filling.caption(datetime.now(UTC).date(), report.figures["servers"], load)
        absent = filling.fill(filling.README, report.parts, caption)
        _print(
            f"{filling.README} has the new figures" + (f"; it has no table for {', '.join(absent)}" if absent else "")
        )
    return 1 if "failed" in report.figures else 0


def _part(report: Report, name: str, work: Callable[[], None]) -> None:
    """A part that fails leaves the others their figures."""
    try:
        work()
    except Exception as error:
        report.missing(name, f"{type(error).__name__}: {error}"[:300])


def _lanes(report: Report, where: Stage, chosen: Sequence[lanes.QueueConsumer], rounds: int, *, quick: bool) -> None:
    results = lanes.measure(where, chosen, rounds, quick=quick, echo=_print)
    rates.lanes(report, results, lanes.ratios(results))


def _journey(report: Report, where: Stage, wanted: Collection[str], rounds: int, *, quick: bool) -> None:
    key = journey.start(where)
    try:
        growing.imported(report, journey.import_exports(where, quick=quick))
        journey.settle(where)
        if "latency" in wanted:
            _print("latency")
            growing.latency(report, journey.latency(where, key, seconds=8 if quick else 30))
        if "reads" in wanted:
            _print("reads")
            growing.reads(report, journey.reads(where, key, seconds=1.5 if quick else 3, rounds=rounds))
        if "memory" in wanted:
            growing.memory(report, journey.memory(where))
    finally:
        stop_services(where)


def _profile(where: Stage, letter: str, *, quick: bool) -> int:
    lane = next(item for item in lanes.LANES if item.letter == letter)
    lanes.measure(where, [lane], 1, quick=quick, echo=_print, profile=True)
    print(profiled.table(where.stack.folder / f"{letter}.profile"))
    return 0


def _servers(where: Stage) -> dict[str, str]:
    database = where.query("billing", "show server_version")[0][0].split()[0]
    broker = call(where.nodes.broker.management_url, "GET", "/api/overview")["rabbitmq_version"]
    return {"PostgreSQL": database, "RabbitMQ": broker}


def _print(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
