"""Broker definitions over the management HTTP API: one way for our own nodes and for named servers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deploy.errors import NodeError
from shared.messaging.management import Management, ManagementError


def load_definitions(management_url: str, definitions: Mapping[str, Any]) -> None:
    """Create or update the users, virtual hosts, exchanges, queues, bindings and policies of a definitions document."""
    call(management_url, "POST", "/api/definitions", definitions)


def call(management_url: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """One request to the management API, as the URL's user: the answer's JSON, or `None` if there is none."""
    try:
        return Management(management_url).call(method, path, body)
    except ManagementError as error:
        raise NodeError(str(error)) from None
