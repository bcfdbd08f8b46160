"""What is defined on the broker, in one virtual host: taken out for a backup, and put in again by a restore.

Queues are not emptied into a backup: what was on its way is told again (``traboule republish``), or published again.
How much of the latter waited is counted, for whoever has to see to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.cli.errors import CannotAct, Unreachable
from shared.messaging import broker_version
from shared.messaging.management import VARIABLE, Management, ManagementError, path
from shared.messaging.topology import EXCHANGE, OWN_PUBLISHER
from shared.runtime.tls import address


def export(vhost: str) -> dict[str, Any]:
    """All that is defined in a virtual host, with the users that have rights there and hashes of their passwords.

    Administrators are left out: a restore must not give a new broker's administrator an old password.
    Raises CannotAct, Unreachable.
    """
    whole = call("GET", "/api/definitions")
    inside = {
        name: [
            {key: value for key, value in item.items() if key != "vhost"} for item in items if item["vhost"] == vhost
        ]
        for name, items in whole.items()
        if isinstance(items, list) and all("vhost" in item for item in items)
    }
    members = {item["user"] for item in inside.get("permissions", ())}
    users = [item for item in whole.get("users", ()) if item["name"] in members and not _is_administrator(item)]
    names = {user["name"] for user in users}
    for rights in ("permissions", "topic_permissions"):
        inside[rights] = [item for item in inside.get(rights, ()) if item["user"] in names]
    return {**{name: items for name, items in inside.items() if items}, "users": users}


def waiting(definitions: Mapping[str, Any], vhost: str) -> dict[str, int]:
    """How many messages wait in each queue, those in a consumer's hand included, as the broker knew seconds ago.

    Without queues that only hear our own services, who tell it again. Raises CannotAct, Unreachable.
    """
    ours = {
        item["destination"]
        for item in definitions.get("bindings", ())
        if item["source"] == EXCHANGE and item["routing_key"].startswith(f"{OWN_PUBLISHER}.")
    }
    theirs = call("GET", path("queues", vhost) + "?columns=name,messages")
    # A queue that has no leader at the moment has no number either.
    counts = {queue["name"]: queue.get("messages") or 0 for queue in theirs if queue["name"] not in ours}
    return {name: count for name, count in sorted(counts.items()) if count}


def load(definitions: Mapping[str, Any], vhost: str) -> None:
    """Define all of it in a virtual host; what is there already stays.

    Raises CannotAct, also where former systems were let in and the broker is too old for them; Unreachable.
    """
    if any(not item["name"].startswith(f"{OWN_PUBLISHER}.") for item in definitions.get("users", ())):
        _require_new()
    inside = {
        name: items if name == "users" else [{"vhost": vhost} | item for item in items]
        for name, items in definitions.items()
    }
    call("POST", "/api/definitions", {"vhosts": [{"name": vhost}], **inside})


def set_password(user: str, password: str) -> None:
    """Let a broker user log in with this password. Raises CannotAct, Unreachable."""
    call("PUT", path("users", user), {"password": password, "tags": ""})


def call(method: str, where: str, body: Mapping[str, Any] | None = None) -> Any:
    """One request to the management API: the answer's JSON, or None if there is none. Raises CannotAct, Unreachable."""
    url = address(VARIABLE)
    if url is None:
        raise CannotAct(f"{VARIABLE} is not set: the address of the management API, with an administrator in it")
    try:
        return Management(url).call(method, where, body)
    except ManagementError as error:
        # What it said to a body of definitions may quote them.
        if error.status is not None:
            raise CannotAct(f"the broker's management API answered {error.status} to {method} {where}") from None
        raise Unreachable(str(error)) from None


def _require_new() -> None:
    if (url := address(VARIABLE)) is None:
        return  # told by whoever asks next
    try:
        broker_version.require(Management(url))
    except broker_version.OldBrokerError as error:
        raise CannotAct(str(error)) from None
    except ManagementError as error:
        raise Unreachable(str(error)) from None


def _is_administrator(user: Mapping[str, Any]) -> bool:
    tags = user.get("tags") or []
    return "administrator" in (tags.split(",") if isinstance(tags, str) else tags)
