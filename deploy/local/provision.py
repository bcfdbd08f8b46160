"""Broker definitions over the management HTTP API: one way for our own nodes and for named servers."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from deploy.local.errors import NodeError

TIMEOUT_SECONDS = 30.0


def load_definitions(management_url: str, definitions: Mapping[str, Any]) -> None:
    """Create or update the users, virtual hosts, exchanges, queues, bindings and policies of a definitions document."""
    call(management_url, "POST", "/api/definitions", definitions)


def call(management_url: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """One request to the management API, as the URL's user: the answer's JSON, or `None` if there is none."""
    parts = urlsplit(management_url)
    port = f":{parts.port}" if parts.port else ""
    address = f"{parts.scheme}://{parts.hostname}{port}{parts.path.rstrip('/')}{path}"
    credentials = f"{unquote(parts.username or 'guest')}:{unquote(parts.password or 'guest')}"
    request = urllib.request.Request(  # noqa: S310 - the scheme is the operator's choice
        address,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Authorization": "Basic " + base64.b64encode(credentials.encode()).decode(),
            "Content-Type": "application/json",
        },
    )
    try:
        with _OPENER.open(request, timeout=TIMEOUT_SECONDS) as response:
            answer = response.read()
    except urllib.error.HTTPError as error:
        with error:
            said = error.read().decode(errors="replace").strip()[:500]
        raise NodeError(f"the broker's management API answered {error.code} to {method} {address}: {said}") from None
    except (OSError, ValueError) as error:
        raise NodeError(f"no answer from the broker's management API at {address}: {error}") from None
    return json.loads(answer) if answer else None


# A proxy from the environment has no business between us and our own broker.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
