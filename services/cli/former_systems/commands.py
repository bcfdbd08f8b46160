"""``traboule former-systems``: who may publish on the broker, and with which password."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from services import SERVICES
from services.cli.cutover import operations
from services.cli.environment import configured
from services.cli.former_systems.address import given, written
from services.cli.former_systems.revoke_retired import revoke_retired
from services.cli.former_systems.table import commanded, compared, outside, print_table, user_of
from shared.cli.errors import CannotAct
from shared.cli.options import Json
from shared.cli.terminal import as_json, nothing, refuse, run
from shared.messaging import accounts
from shared.messaging.topology import STAFF
from shared.runtime.clusters import load_clusters
from shared.runtime.settings import ServiceSettings

app = typer.Typer(
    no_args_is_help=True,
    help="Who may publish on the broker, former systems and staff tools: list, add, rotate, revoke.",
)

System = Annotated[
    str, typer.Argument(metavar="SYSTEM", help="such as numelink/billing, or staff/membership for staff tools")
]
UrlFile = Annotated[
    Path | None,
    typer.Option("--url-file", help="write the address there, readable by you alone, and do not print it"),
]


@app.command("list")
def list_(json: Json = False) -> None:
    """Show every former system's broker user: what it may do beside what it should. Exit code 1 if one differs.

    TRABOULE_BROKER_MANAGEMENT_URL names the broker's management API, as for all of these commands. Open connections
    are those of some seconds ago.

    Examples: [bold]traboule former-systems list[/], [bold]traboule former-systems list --json[/]
    """
    services = configured()
    stages = _stages(services)
    try:
        vhost = accounts.vhost_of(next(iter(services.values())).broker_url)
        known = accounts.read_accounts(accounts.management(), vhost)
    except accounts.RightsError as error:
        refuse(str(error))
    rows = compared(stages, known)
    if json:
        as_json(rows)
    else:
        print_table(rows)
    if any(row["wrong"] for row in rows):
        raise typer.Exit(1)


@app.command()
def add(
    system: System,
    again: Annotated[bool, typer.Option("--again", help="give a revoked one its rights back")] = False,
    url_file: UrlFile = None,
    json: Json = False,
) -> None:
    """Let a former system publish: its broker user, its rights and limits, the queues that it needs.

    One that is there already keeps its password, and gets whatever right it lacks. The address with the new password
    is shown once, as the variable that `traboule import` reads; there is no way to see it again, only to rotate it.
    Where former systems reach the broker by another name than the services, TRABOULE_BROKER_PUBLIC_URL says by which.

    A cluster that is new in the clusters file is known to the services from their next start on.

    Examples: [bold]traboule former-systems add grandlyon/membership[/],
    [bold]traboule former-systems add grandlyon/billing --url-file grandlyon-billing.url[/]
    """
    settings = _named(system)
    user, vhost = user_of(system), accounts.vhost_of(settings.broker_url)
    url: str | None = None
    try:
        broker = accounts.management()
        account = accounts.read_accounts(broker, vhost).get(user)
        if account is not None and account.in_vhost and account.rights.none and not again:
            refuse(f"{system} was revoked. Say --again if it shall publish again")
        if account is None:
            password = secrets.token_urlsafe(24)
            url = given(settings.broker_url, user, password)
            with written(url_file, url):
                accounts.grant(broker, vhost, user, password)
        else:
            accounts.grant(broker, vhost, user, None)
    except (accounts.RightsError, CannotAct) as error:
        refuse(str(error))
    detail = f"the broker user {user} may publish"
    if url is None:
        detail += "; it was there, and its password stays" + (f": {url_file} was not written" if url_file else "")
    _report(system, detail, url, url_file, json=json)
    if url is not None and not json:
        typer.echo("The services know a cluster from their start on: restart them if this one is new.", err=True)


@app.command()
def rotate(
    system: System,
    disconnect: Annotated[bool, typer.Option("--disconnect", help="close what is open with the old password")] = False,
    url_file: UrlFile = None,
    json: Json = False,
) -> None:
    """Give a former system's broker user a new password. The old one is worth nothing from that moment.

    A broker user has one password. A connection that is open stays open, so a former system that is connected goes on
    until it connects anew: tell it the new address first, or let it wait. With --disconnect its connections are
    closed, which is what to do when a password has become known.

    Examples: [bold]traboule former-systems rotate numelink/billing --url-file numelink-billing.url[/],
    [bold]traboule former-systems rotate numelink/billing --disconnect[/]
    """
    settings = _named(system)
    user, password = user_of(system), secrets.token_urlsafe(24)
    try:
        broker = accounts.management()
        account = accounts.read_accounts(broker, accounts.vhost_of(settings.broker_url)).get(user)
        if account is None:
            nothing(f"there is no broker user {user}: traboule former-systems add {system}")
        url = given(settings.broker_url, user, password)
        with written(url_file, url):
            accounts.set_password(broker, account, password)
    except (accounts.RightsError, CannotAct) as error:
        refuse(str(error))
    detail, failed = f"the broker user {user} has a new password", None
    if disconnect:
        try:
            closed = accounts.disconnect(broker, user)
            detail += f"; {closed} open connections were closed" if closed != 1 else "; one open connection was closed"
        except accounts.RightsError as error:
            failed = error
    # The password is the new one now, whatever became of the connections.
    _report(system, detail, url, url_file, json=json)
    if failed is not None:
        refuse(f"its open connections were not closed: {failed}. Run this command again")


@app.command()
def revoke(
    system: System,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    json: Json = False,
) -> None:
    """Take a former system's rights away and close its connections. What is in the queues already stays.

    `traboule cutover retire` does this too. Until then it is for an emergency: what the former system says meanwhile is
    refused at the broker, and it has to say it again later. `add --again` undoes it.

    Example: [bold]traboule former-systems revoke numelink/billing[/]
    """
    settings = _named(system)
    user = user_of(system)
    try:
        account = accounts.read_accounts(accounts.management(), accounts.vhost_of(settings.broker_url)).get(user)
        if account is None:
            nothing(f"there is no broker user {user}")
        if not yes:
            typer.confirm(f"{system} can publish nothing any more. Revoke it?", abort=True, err=True)
        accounts.revoke(user, settings.broker_url)
    except accounts.RightsError as error:
        refuse(str(error))
    if json:
        as_json({"system": system, "user": user, "state": "revoked"})
    else:
        typer.echo(f"the broker user {user} may publish nothing any more, and is not connected")


app.command("revoke-retired")(revoke_retired)


# --- whom ----------------------------------------------------------------------------------------------------------


def _named(system: str) -> ServiceSettings:
    """The settings of the service that it publishes to, or the command ends."""
    cluster, _, service = system.partition("/")
    if service not in SERVICES:
        refuse(f"{system!r} is no former system: write <cluster>/<service>, such as numelink/billing")
    settings = configured(service)[service]
    known = outside(load_clusters(settings.clusters_file), [service])
    if system not in known:
        theirs = ", ".join(known) or "none"
        hint = f"staff tools send commands to {', '.join(commanded())}" if cluster == STAFF else (
            f"is it in {settings.clusters_file}?"
        )  # fmt: skip
        refuse(f"there is no {system}; there are {theirs} ({hint})")
    return settings


def _stages(services: Mapping[str, ServiceSettings]) -> dict[str, str | None]:
    """Each former system's stage, in order; staff tools have none."""
    clusters = load_clusters(next(iter(services.values())).clusters_file)
    stages = {row["system"]: row["stage"] for row in run(operations.board(services, clusters))}
    return {system: stages.get(system) for system in outside(clusters, services)}


# --- the answer -------------------------------------------------------------------------------------------------------


def _report(system: str, text: str, url: str | None, url_file: Path | None, *, json: bool) -> None:
    variable = "TRABOULE_BROKER_URL_" + system.replace("/", "_").replace("-", "_").upper()
    if json:
        shown = {} if url is None else {"url_file": str(url_file)} if url_file else {"url": url}
        as_json({"system": system, "user": user_of(system), "variable": variable, **shown})
        return
    typer.echo(text)
    if url is not None and url_file is not None:
        typer.echo(f"its address is in {url_file}: {variable}_FILE={url_file}")
    elif url is not None:
        typer.echo(f"{variable}={url}")
