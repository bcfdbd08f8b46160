"""What the demo does and tells, in order: bring in, wait until applied, count, show one member."""

import asyncio
import contextlib
import io
import json
import os
import urllib.request
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.demo.billing import show_billing
from deploy.demo.doubles import add_duplicates
from deploy.demo.events import show_events
from deploy.demo.generate import Generated
from deploy.demo.mistakes import publish_mistakes
from deploy.demo.moving import GatewayContext, show_moving
from deploy.demo.settling import wait_until_settled
from deploy.errors import NodeError
from deploy.local.local_services import LocalServices
from deploy.provisioning.provision import SERVICES
from services.cli.main import app as traboule
from services.gateway.auth.caller import Grant
from services.gateway.auth.keys import create_key
from services.gateway.auth.people import create_link, create_person
from services.gateway.auth.rights import Role
from shared.persistence.database import create_engine

IMPORTS = (
    ("clustr-numerique/membership", ("dolibarr-tiers.csv", "dolibarr-adherents.csv")),
    ("numelink/membership", ("galette-adherents.csv", "galette_dynamic_fields_full.csv")),
    ("clustr-numerique/billing", ("invoices.jsonl", "payments.jsonl")),
    ("numelink/billing", ("invoices.jsonl", "payments.jsonl")),
    ("clustr-numerique/events", ("events.jsonl", "registrations.jsonl")),
    ("numelink/events", ("events.jsonl", "registrations.jsonl")),
    ("clustr-numerique/communications", ("consents.jsonl", "mailings.jsonl")),
    ("numelink/communications", ("consents.jsonl", "mailings.jsonl")),
)


class Story:
    """The demo on a running house."""

    def __init__(self, console: Console, services: LocalServices, exports: Generated, folder: Path) -> None:
        self._console = console
        self._services = services
        self._exports = exports
        self._folder = folder
        os.environ.update(services.env)  # as an operator's shell would be told of the house
        self._key = asyncio.run(_make_key(services.env["TRABOULE_MEMBERSHIP_DATABASE_URL"]))

    def run(self) -> None:
        """Everything, from the exports to a consolidated view."""
        reports = [self._import(system, names) for system, names in IMPORTS]
        asyncio.run(publish_mistakes(self._services.env["TRABOULE_BROKER_URL_NUMELINK_MEMBERSHIP"]))
        seconds = asyncio.run(wait_until_settled(self._services.env))
        self._console.print(f"  every message was applied {seconds:.1f} s after the last import")
        self._print_imports(reports)
        self._print_rejects(reports)
        self._print_counts()
        self._print_member()
        add_duplicates(self._console, self._ask)
        export = self._exports.paths["numelink/galette-adherents.csv"]
        context = GatewayContext(self._services.url("membership"), self._key)
        show_moving(self._console, self._services.env, export, self._folder, context)
        events = [self._exports.paths[f"clustr-numerique/{name}"] for name in dict(IMPORTS)["clustr-numerique/events"]]
        show_events(self._console, events)
        bills = [self._exports.paths[f"numelink/{name}"] for name in dict(IMPORTS)["numelink/billing"]]
        show_billing(self._console, self._services.env, bills, self._folder)

    def print_addresses(self) -> None:
        """Addresses and commands, while everything keeps running."""
        gateway = self._services.url("membership")
        link = asyncio.run(_make_link(self._services.env["TRABOULE_MEMBERSHIP_DATABASE_URL"]))
        self._console.print(
            f"""
[bold]Where to look next[/] (Ctrl-C ends everything)
  the console   {gateway.replace("127.0.0.1", "localhost")}/console/connexion/{link}
                (for one use, within 8 hours; another: .venv/bin/traboule people link demo)
  members       curl -H 'Authorization: Bearer {self._key}' '{gateway}/members?search=lyon'
  statistics    curl -H 'Authorization: Bearer {self._key}' '{gateway}/statistics'
  the contract  {gateway}/openapi.json
  in another terminal, from this folder:
                .venv/bin/traboule status
                .venv/bin/traboule dead-letters list
                .venv/bin/traboule duplicates list
                .venv/bin/traboule keys create --name "my script" --role reader""",
            soft_wrap=True,
        )

    # --- bringing in -----------------------------------------------------------------------------------------------

    def _import(self, system: str, names: tuple[str, ...]) -> tuple[str, dict[str, Any]]:
        cluster = system.split("/")[0]
        files = [str(self._exports.paths[f"{cluster}/{name}"]) for name in names]
        rejects = self._folder / f"rejects-{system.replace('/', '-')}.csv"
        # The command itself, in this process: starting Python eight times would be most of the demo's work.
        arguments = ["import", "--as", system, "--json", "--rejects", str(rejects), *files]
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = traboule(arguments, standalone_mode=False)
        if code not in (None, 0, 3):
            raise NodeError(f"traboule {' '.join(arguments)} ended with {code}: {err.getvalue().strip()}")
        return system, json.loads(out.getvalue())

    # --- telling ---------------------------------------------------------------------------------------------------

    def _print_imports(self, reports: list[tuple[str, dict[str, Any]]]) -> None:
        table = Table("Former system", "File", "Recognised as", title="What came in", title_justify="left")
        for heading in ("Rows", "Accepted", "Set aside"):
            table.add_column(heading, justify="right")
        total = Counter[str]()
        for system, report in reports:
            for file in report["files"]:
                counts = {name: file[name] for name in ("rows", "accepted", "rejected")}
                total.update(counts)
                table.add_row(system, Path(file["file"]).name, file["product"], *map(str, counts.values()))
        table.add_section()
        table.add_row("[bold]all", "", "", *(f"[bold]{total[name]}" for name in ("rows", "accepted", "rejected")))
        self._console.print(table)
        if total["rows"] != total["accepted"] + total["rejected"]:
            raise NodeError("rows were lost: rows are not accepted + set aside")

    def _print_rejects(self, reports: list[tuple[str, dict[str, Any]]]) -> None:
        faults = [
            (fault, f"{system.split('/')[0]}/{Path(file['file']).name}, line {fault['line']}")
            for system, report in reports
            for file in report["files"]
            for fault in file["rejections"]
        ]
        why = Counter(fault["reason"] for fault, _ in faults)
        table = Table("Rows", "Why", "For example", title="What was set aside, and why", title_justify="left")
        for reason, count in why.most_common(12):
            fault, where = next(item for item in faults if item[0]["reason"] == reason)
            value = f" {_short(fault['value'])!r}" if fault["value"] else ""
            table.add_row(str(count), escape(reason), escape(f"{where}: {fault['field']}{value}"))
        if len(why) > 12:
            rest = sum(count for _, count in why.most_common()[12:])
            table.add_row(
                str(rest), "other reasons", "all of them are in the rejects files, with line, field and value"
            )
        self._console.print(table)
        self._print_doubts(reports)
        self._print_parked()

    def _print_doubts(self, reports: list[tuple[str, dict[str, Any]]]) -> None:
        doubts = Counter[str]()
        for _, report in reports:
            for file in report["files"]:
                doubts.update({doubt["meaning"]: doubt["count"] for doubt in file["doubts"]})
        flagged = "; ".join(f"{count} × {meaning}" for meaning, count in doubts.most_common(6))
        self._console.print(f"Accepted as written, and flagged: {flagged}.\n")

    def _print_parked(self) -> None:
        table = Table(
            "Queue", "Why", "In words", title="Messages that were parked (dead letters)", title_justify="left"
        )
        for queue, reason, detail in asyncio.run(_parked(self._services.env)):
            table.add_row(queue, reason, escape(detail))
        self._console.print(table)

    def _print_counts(self) -> None:
        statistics = self._get("/statistics")
        truth = self._exports
        total, both = statistics["total"], statistics["in_several_clusters"]
        table = Table("", "Members", "Up to date with dues", title="How many members there are", title_justify="left")
        for item in statistics["clusters"]:
            table.add_row(item["name"], str(item["members"]), str(item["paid_up"]))
        table.add_section()
        table.add_row("[bold]each counted once", f"[bold]{total['members']}", f"[bold]{total['paid_up']}")
        self._console.print(table)
        self._console.print(
            f"In truth there are {truth.companies}, of which {truth.overlap} are in both clusters. "
            f"{both['members']} are recognised in both without anybody being asked."
        )

    def _print_member(self) -> None:
        best = max((self._get(f"/members/{text}") for text in self._both()), key=lambda view: len(json.dumps(view)))
        table = Table("Field", "Value", "Said by", "Others say", title=f"One consolidated view: {best['id']}")
        for name, field in best.items():
            if isinstance(field, dict) and "said_by" in field:
                others = "; ".join(f"{_plain(o['value'])} ({', '.join(o['said_by'])})" for o in field.get("others", ()))
                table.add_row(name, _plain(field["value"]), ", ".join(field["said_by"]), others)
        dues, consents = best["dues"], best["consents"]["in_force"]
        refused = ", ".join(f"{c['channel']} ({c['purpose']})" for c in consents if not c["allowed"]) or "nothing"
        table.add_section()
        table.add_row("paid until", best["paid_until"] or "never")
        table.add_row(
            "dues",
            f"{len(dues['invoices'])} invoices: {dues['invoiced']} € billed, {dues['outstanding']} € outstanding",
        )
        table.add_row("registrations", str(len(best["registrations"])))
        table.add_row("mailings", str(len(best["mailings"])))
        table.add_row("refuses", refused)
        self._console.print(table)

    def _both(self) -> list[str]:
        """Members that were recognised in both clusters, a page of them."""
        result = self._get("/members?limit=500")["items"]
        return [item["id"] for item in result if len(item["clusters"]) > 1][:40] or [result[0]["id"]]

    def _get(self, path: str) -> Any:
        return self._ask(path)

    def _ask(self, path: str, body: Any = None) -> Any:
        """Read, or post a body."""
        headers = {"Authorization": f"Bearer {self._key}", "Accept-Language": "en"}
        sent = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - our own loopback address
            self._services.url("membership") + path,
            sent,
            headers | ({"Content-Type": "application/json"} if sent else {}),
        )
        with _OPENER.open(request, timeout=10) as answer:
            return json.load(answer)


def _plain(value: Any) -> str:
    return " ".join(map(str, value.values())) if isinstance(value, dict) else _short(str(value))


def _short(text: str) -> str:
    return text if len(text) <= 48 else text[:47] + "…"


async def _make_key(database_url: str) -> str:
    engine = create_engine(database_url, application="demo")
    try:
        async with engine.begin() as connection:
            return await create_key(connection, "demo", [Grant(Role.ADMIN)], 1, by="demo", signs_for_others=True)
    finally:
        await engine.dispose()


async def _make_link(database_url: str) -> str:
    engine = create_engine(database_url, application="demo")
    try:
        async with engine.begin() as connection:
            person_id = await create_person(connection, "demo", None, [Grant(Role.ADMIN)], by="demo")
            token, _ = await create_link(connection, person_id, by="demo", minutes=480)
            return token
    finally:
        await engine.dispose()


async def _parked(env: Mapping[str, str]) -> list[tuple[str, str, str]]:
    result: list[tuple[str, str, str]] = []
    for service in SERVICES:
        connection = await asyncpg.connect(env[f"TRABOULE_{service.upper()}_DATABASE_URL"])
        rows = await connection.fetch(
            "select queue, reason, detail from dead_letters where status = 'parked' order by id"
        )
        result += [(row["queue"], row["reason"], row["detail"]) for row in rows]
        await connection.close()
    return result


# A proxy from the environment has no business between us and our own service.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
