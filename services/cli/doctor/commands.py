"""``traboule doctor``: what is wrong with a running installation, and how to mend it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict

import typer
from rich.table import Table

from services import SERVICES
from services.cli.doctor import broker as doctor_broker
from services.cli.doctor import database as doctor_database
from services.cli.doctor import files as doctor_files
from services.cli.doctor import service as doctor_service
from services.cli.doctor.findings import Finding, Findings, worst
from services.cli.environment import configured, settings_of
from services.cli.inspection import inspect
from services.common.environment import NotConfigured
from shared.cli.options import Json
from shared.cli.terminal import as_json, plain, terminal
from shared.runtime.settings import ServiceSettings

_COLOURS = {"fail": "red", "warn": "yellow", "ok": "green"}


def doctor(json: Json = False) -> None:
    """Check a running installation: settings, files, certificates, databases, broker, rights, processes, backups.

    Each finding says what was found and what to do. Exit code 2 if something is wrong now, 1 if something waits for a
    person or could not be looked at, 0 if all is well. It changes nothing.

    TRABOULE_BROKER_MANAGEMENT_URL lets it look at what is defined on the broker and at who has which rights;
    TRABOULE_DATABASE_URL, an administrator's, at the disk of a database server on this machine.

    Examples: [bold]traboule doctor[/], [bold]traboule doctor --json[/]
    """
    services = configured()
    findings = [*_settings(services), *asyncio.run(_examine(services))]
    findings.sort(key=lambda finding: list(_COLOURS).index(finding.state))
    if json:
        as_json({"ok": worst(findings) == 0, "findings": [asdict(finding) for finding in findings]})
    else:
        _print(findings)
    if code := worst(findings):
        raise typer.Exit(code)


def _settings(services: Mapping[str, ServiceSettings]) -> list[Finding]:
    findings: list[Finding] = []
    for name in SERVICES:
        ours = Findings(name)
        if name in services:
            findings.append(ours.ok("settings", "configured"))
            continue
        try:
            settings_of(name)
        except NotConfigured as error:
            findings.append(ours.warn("settings", str(error), "set them, or run traboule doctor where they are set"))
    return findings


async def _examine(services: Mapping[str, ServiceSettings]) -> list[Finding]:
    states = await inspect(services)
    of_processes = await asyncio.gather(*(doctor_service.examine(state, services[state.name]) for state in states))
    of_databases = await asyncio.gather(*(doctor_database.examine(name, service) for name, service in services.items()))
    return [
        *doctor_files.examine(services),
        *await doctor_database.disk(),
        *await doctor_broker.examine(services),
        *(finding for findings in (*of_processes, *of_databases) for finding in findings),
    ]


def _print(findings: list[Finding]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("", "where", "check", "found", "what to do"):
        table.add_column(title, overflow="fold")
    for finding in findings:
        state = f"[{_COLOURS[finding.state]}]{finding.state}[/]"
        table.add_row(state, finding.where, finding.check, plain(finding.found), plain(finding.mend))
    console = terminal()
    console.print(table)
    counts = {state: sum(finding.state == state for finding in findings) for state in _COLOURS}
    console.print(f"{counts['fail']} wrong, {counts['warn']} to look at, {counts['ok']} as it should be")
