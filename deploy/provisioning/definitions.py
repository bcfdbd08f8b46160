"""Broker definitions over the management HTTP API: one way for our own nodes and for named servers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from deploy.errors import NodeError
from shared.messaging.management import Management, ManagementError

ATTEMPTS: Final = 15
PAUSE_SECONDS: Final = 1.0


def load_definitions(management_url: str, definitions: Mapping[str, Any]) -> None:
    """Create or update the users, virtual hosts, exchanges, queues, bindings and policies of a definitions document.

    A busy broker answers 500 now and then while virtual hosts come and go. What is loaded twice is there once, so it is
    asked again. Raises NodeError.
    """
    for left in range(ATTEMPTS - 1, -1, -1):
        try:
            Management(management_url).call("POST", "/api/definitions", definitions)
            return
        except ManagementError as error:
            if error.status != HTTPStatus.INTERNAL_SERVER_ERROR or not left:
                raise NodeError(str(error)) from None
        time.sleep(PAUSE_SECONDS)


def call(management_url: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """One request to the management API, as the URL's user: the answer's JSON, or `None` if there is none."""
    try:
        return Management(management_url).call(method, path, body)
    except ManagementError as error:
        raise NodeError(str(error)) from None
