"""Which broker users there are, and what each may do beside what it should."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.table import Table

from schemas.catalogue import COMMANDS
from shared.cli.terminal import plain, terminal
from shared.messaging import accounts
from shared.messaging.accounts import Account
from shared.messaging.topology import OWN_PUBLISHER, STAFF


def user_of(system: str) -> str:
    """The broker user of a former system: ``numelink.billing`` of ``numelink/billing``."""
    return system.replace("/", ".", 1)


def outside(clusters: Mapping[str, Any], services: Any) -> list[str]:
    """Former systems and staff tools that publish to these services."""
    systems = [f"{code}/{name}" for code, cluster in clusters.items() for name in cluster.services if name in services]
    return [*systems, *(f"{STAFF}/{name}" for name in commanded() if name in services)]


def commanded() -> list[str]:
    """The services that take commands from staff tools."""
    return sorted({kind.service for kind in COMMANDS})


def compared(stages: Mapping[str, str | None], known: Mapping[str, Account]) -> list[dict[str, Any]]:
    """Every former system and staff tool, and whoever else has rights here: what it may do beside what it should."""
    rows = [_row(system, stage, known.get(user_of(system))) for system, stage in stages.items()]
    return rows + [_stranger(account) for account in known.values() if _is_stranger(account, stages)]


def mends(row: Mapping[str, Any]) -> str:
    """The command that makes one of these rows as it should be."""
    if row["system"] is None:
        return f"rabbitmqctl delete_user {row['user']}"
    return f"traboule former-systems {'revoke' if row['stage'] == 'retired' else 'add'} {row['system']}"


def _row(system: str, stage: str | None, account: Account | None) -> dict[str, Any]:
    should = accounts.intended(user_of(system))
    row: dict[str, Any] = {"system": system, "user": user_of(system), "stage": stage, "differences": [], "wrong": False}
    row |= {"connections": 0, "rights": None, "should": asdict(should)}
    if account is None or not account.in_vhost:
        return row | {"state": "missing", "wrong": stage != "retired"}
    row |= {"connections": account.connections, "rights": asdict(account.rights)}
    differences = accounts.differences(account, should)
    if stage == "retired" and not account.rights.none:
        differences = ["is retired, and should have no right any more", *differences]
    state = "differs" if differences else "revoked" if account.rights.none else "as it should be"
    return row | {"state": state, "differences": differences, "wrong": bool(differences)}


def _is_stranger(account: Account, known: Mapping[str, Any]) -> bool:
    """Who has rights in our virtual host, and is neither ours nor the broker's administrator."""
    own = account.name in {user_of(system) for system in known} or account.name.startswith(f"{OWN_PUBLISHER}.")
    return not own and not account.rights.none and "administrator" not in account.tags


def _stranger(account: Account) -> dict[str, Any]:
    problems = ["has rights here, and is neither in the clusters file nor a service"]
    row: dict[str, Any] = {"system": None, "user": account.name, "stage": None, "state": "stranger", "wrong": True}
    rights = asdict(account.rights)
    return row | {"differences": problems, "connections": account.connections, "rights": rights, "should": None}


def print_table(rows: list[dict[str, Any]]) -> None:
    """Show these rows to a person, and what mends the wrong ones."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("former system", "broker user", "stage", "rights", "connections"):
        table.add_column(title, no_wrap=title != "rights", justify="right" if title == "connections" else "left")
    for row in rows:
        colour = "red" if row["wrong"] else "yellow" if row["state"] == "revoked" else "green"
        state = "\n".join([f"[{colour}]{row['state']}[/]", *(plain(item) for item in row["differences"])])
        table.add_row(row["system"] or "", plain(row["user"]), row["stage"] or "", state, str(row["connections"]))
    console = terminal()
    console.print(table)
    for row in rows:
        if row["wrong"]:
            console.print(f"mend: {plain(mends(row))}", highlight=False)
