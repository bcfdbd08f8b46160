"""What is defined on the broker, in one virtual host: taken out for a backup, and put in again by a restore.

Queues are not emptied into a backup: what was on its way is told again (``traboule retell``), or published again.
"""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from services.ops.broker_rights import MANAGEMENT
from services.ops.parked import CannotAct, Unreachable
from shared.runtime.tls import address, ca_file, client_context

TIMEOUT_SECONDS = 30.0


def vhost_of(broker_url: str) -> str:
    """The virtual host that an AMQP address names."""
    return unquote(urlsplit(broker_url).path[1:]) or "/"


def export(vhost: str) -> dict[str, Any]:
    """All that is defined in a virtual host, with the users that have rights there and hashes of their passwords.

    Administrators are left out: a restore must not give a new broker's administrator an old password.
    Raises CannotAct, Unreachable.
    """
    whole = call("GET", "/api/definitions")
    inside = {
        name: [{key: value for key, value in one.items() if key != "vhost"} for one in items if one["vhost"] == vhost]
        for name, items in whole.items()
        if isinstance(items, list) and all("vhost" in one for one in items)
    }
    members = {one["user"] for one in inside.get("permissions", ())}
    users = [one for one in whole.get("users", ()) if one["name"] in members and not _is_administrator(one)]
    names = {one["name"] for one in users}
    for rights in ("permissions", "topic_permissions"):
        inside[rights] = [one for one in inside.get(rights, ()) if one["user"] in names]
    return {**{name: items for name, items in inside.items() if items}, "users": users}


def load(definitions: Mapping[str, Any], vhost: str) -> None:
    """Define all of it in a virtual host; what is there already stays. Raises CannotAct, Unreachable."""
    inside = {
        name: items if name == "users" else [{"vhost": vhost} | one for one in items]
        for name, items in definitions.items()
    }
    call("POST", "/api/definitions", {"vhosts": [{"name": vhost}], **inside})


def set_password(user: str, password: str) -> None:
    """Let a broker user log in with this password. Raises CannotAct, Unreachable."""
    call("PUT", f"/api/users/{quote(user, safe='')}", {"password": password, "tags": ""})


def call(method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """One request to the management API: the answer's JSON, or None if there is none. Raises CannotAct, Unreachable."""
    told = address(MANAGEMENT)
    if told is None:
        raise CannotAct(f"{MANAGEMENT} is not set: the address of the management API, with an administrator in it")
    parts = urlsplit(told)
    port = f":{parts.port}" if parts.port else ""
    credentials = f"{unquote(parts.username or 'guest')}:{unquote(parts.password or 'guest')}"
    request = urllib.request.Request(  # noqa: S310 - the scheme is the operator's choice
        f"{parts.scheme}://{parts.hostname}{port}{parts.path.rstrip('/')}{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Authorization": "Basic " + base64.b64encode(credentials.encode()).decode(),
            "Content-Type": "application/json",
        },
    )
    # A proxy from the environment has no business between us and our own broker.
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if parts.scheme == "https":
        handlers.append(urllib.request.HTTPSHandler(context=client_context(ca_file())))
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=TIMEOUT_SECONDS) as response:
            answer = response.read()
    except urllib.error.HTTPError as error:
        with error:
            raise CannotAct(f"the broker's management API answered {error.code} to {method} {path}") from None
    except (OSError, ValueError) as error:
        raise Unreachable(f"the broker's management API: {type(error).__name__}") from None
    return json.loads(answer) if answer else None


def _is_administrator(user: Mapping[str, Any]) -> bool:
    tags = user.get("tags") or []
    return "administrator" in (tags.split(",") if isinstance(tags, str) else tags)
