"""One service's process, queues and outbox, as ``traboule status`` sees them, each with what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from services.cli.doctor import certificates as doctor_certificates
from services.cli.doctor.findings import PREPARE, Finding, Findings
from services.cli.inspection import OLD_SECONDS, ServiceState, metrics, stuck
from shared.cli.terminal import span
from shared.messaging.topology import is_way_back
from shared.runtime.clusters import ClustersFileError, load_clusters
from shared.runtime.settings import ServiceSettings

_STARTED = "process_start_time_seconds"
_STAGE = "traboule_stage"
_SKEW_SECONDS = 5.0
_ROUNDING = 2.0
"""Seconds: a process's start is known to a tick of the kernel's clock, a file's time exactly."""


async def examine(state: ServiceState, settings: ServiceSettings) -> list[Finding]:
    """What the service looks like from outside, and the certificates that it meets and shows."""
    ours = Findings(state.name)
    findings = [*_process(ours, state), *_queues(ours, state), *_outbox(ours, state), *_parked(ours, state)]
    if state.checks and state.url is not None:
        findings += await asyncio.to_thread(_started_with, ours, state.url, settings)
        if (own := settings.http_certificate_file) is not None:
            findings.append(await asyncio.to_thread(doctor_certificates.of_http_server, ours, state.url, own))
    for check, url in (
        ("database's certificate", settings.database_url),
        ("broker's certificate", settings.broker_url),
    ):
        findings += await asyncio.to_thread(doctor_certificates.of_server, ours, check, url)
    return findings


def _process(report: Findings, state: ServiceState) -> list[Finding]:
    start = f"traboule serve {state.name}, or what runs it here; then look at its log"
    if state.url is None:
        variable = f"TRABOULE_{state.name.upper()}_HTTP_PORT"
        return [report.warn("process", f"{variable} is not set: it was not asked", f"set {variable}")]
    if not state.checks:
        return [report.fail("process", f"does not answer at {state.url}", start)]
    failing = [f"its {check} check fails" for check, works in state.checks.items() if not works]
    return report.judged("process", failing, start, f"ready at {state.url}")


def _queues(report: Findings, state: ServiceState) -> Iterator[Finding]:
    if not state.queues:
        yield report.fail(
            "broker",
            "the broker does not let it in",
            f"is it running? is the password in TRABOULE_{state.name.upper()}_BROKER_URL its own? If not, {PREPARE}",
        )
        return
    missing = [f"there is no queue {queue.name}" for queue in state.queues if queue.messages is None]
    yield from report.judged("queues", missing, PREPARE, f"{len(state.queues)} are there")
    own = [queue for queue in state.queues if queue.name.startswith(f"{state.name}.") and queue.messages is not None]
    deserted = [f"nobody consumes {item.name}" for item in own if item.consumers == 0]
    start = f"traboule serve {state.name}, or restart it"
    yield from report.judged("consumers", deserted, start, "every queue has one")
    waiting = sum(item.messages or 0 for item in own)
    in_flight = sum(batch_in_flight.messages for batch_in_flight in state.in_flight.values())
    look = f"look at the log of {state.name}, and restart it"
    yield from report.judged("messages in hand", stuck(state), look, f"{in_flight:,} are being settled")
    quiet = state.database.get("last_event_seconds")
    if waiting and state.database and (quiet is None or quiet > OLD_SECONDS):
        detail = f"{waiting:,} messages wait, and nothing was applied for over {OLD_SECONDS} s"
        yield report.fail("backlog", detail, look)
    else:
        yield report.ok("backlog", f"{waiting:,} messages wait")
    yield from _unread(report, state)


def _unread(report: Findings, state: ServiceState) -> Iterator[Finding]:
    for queue in state.queues:
        if queue.messages and is_way_back(queue.name):
            system = "/".join(queue.name.split(".")[:2])
            detail = f"{queue.messages:,} messages wait until {system} reads them"
            yield report.warn("way back", detail, f"traboule cutover way-back {system}")


def _outbox(report: Findings, state: ServiceState) -> Iterable[Finding]:
    if not (known := state.database):
        return []  # what is wrong with the database is told by whoever looks at it
    rows, oldest = known["outbox_rows"], known["outbox_oldest_seconds"] or 0
    detail = f"{rows:,} messages wait to be published" + (f", the oldest for {span(oldest)}" if rows else "")
    if oldest <= OLD_SECONDS:
        return [report.ok("outbox", detail)]
    refused = known["outbox_refused"]
    mend = f"{refused:,} were refused by the broker, for want of a queue or of room: {PREPARE}" if refused else (
        f"is the broker there? Then restart {state.name}"
    )  # fmt: skip
    return [report.fail("outbox", detail, mend)]


def _parked(report: Findings, state: ServiceState) -> Iterable[Finding]:
    if not (known := state.database):
        return []
    if number := known["dead_letters"]:
        mend = f"traboule dead-letters list --service {state.name}"
        return [report.warn("dead letters", f"{number:,} wait for a person", mend)]
    return [report.ok("dead letters", "none")]


# --- what it was started with --------------------------------------------------------------------------------------


def _started_with(report: Findings, url: str, settings: ServiceSettings) -> list[Finding]:
    """Whether the process knows the clusters, and was started after its files changed."""
    try:
        text, its_time = metrics(url, settings.http_certificate_file)
        families = list(text_string_to_metric_families(text))
        systems = _systems(report.where, settings)
    except (OSError, ValueError) as error:
        return [report.warn("started with", f"it cannot be told ({type(error).__name__})", "traboule status")]
    restart = f"restart {report.where}"
    samples = [sample for family in families for sample in family.samples]
    known = {sample.labels["former_system"] for sample in samples if sample.name == _STAGE}
    wrong: list[str] = []
    # One that is in the process alone may have left the file, and keeps its stage.
    if known and (new := systems - known):
        wrong.append(f"the process does not know {', '.join(sorted(new))}")
    started = next((sample.value for sample in samples if sample.name == _STARTED), None)
    files = {settings.clusters_file, getattr(settings, "survivorship_file", settings.clusters_file)}
    if started is not None:
        wrong += [f"{path} changed after it was started" for path in sorted(files) if _changed(path, started)]
    ahead = (its_time - datetime.now(UTC)).total_seconds()
    return [*report.judged("started with", wrong, restart, "the files as they are"), _clock(report, ahead)]


def _clock(report: Findings, ahead: float) -> Finding:
    if abs(ahead) <= _SKEW_SECONDS:
        return report.ok("process's clock", f"within {_SKEW_SECONDS:.0f} s of this machine's")
    detail = f"its clock is {span(abs(ahead))} {'ahead of' if ahead > 0 else 'behind'} this machine's"
    return report.warn(
        "process's clock", detail, "let both follow NTP: lags, and what falls due by the day, are told by it"
    )


def _systems(service: str, settings: ServiceSettings) -> set[str]:
    try:
        clusters = load_clusters(settings.clusters_file)
    except ClustersFileError as error:
        raise ValueError("no clusters file") from error
    return {f"{code}/{service}" for code in clusters}


def _changed(path: Path, since: float) -> bool:
    return path.is_file() and path.stat().st_mtime > since + _ROUNDING
