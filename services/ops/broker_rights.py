"""Taking a retired former system's right to write away, at the broker's management API."""

from __future__ import annotations

import base64
import json
import os
import urllib.error
import urllib.request
from urllib.parse import quote, unquote, urlsplit

MANAGEMENT = "TRABOULE_BROKER_MANAGEMENT_URL"
"""Names the variable with the address of the management API, with an administrator's name and password in it."""
TIMEOUT_SECONDS = 20.0
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class RightsError(Exception):
    """The broker did not do it; the message says what to do instead."""


def revoke(user: str, broker_url: str) -> None:
    """Let a broker user neither write nor read any more, on the virtual host of ``broker_url``. Raises RightsError."""
    vhost = unquote(urlsplit(broker_url).path[1:]) or "/"
    by_hand = f"run  rabbitmqctl set_permissions -p {vhost} {user} '^$' '^$' '^$'"
    address = os.environ.get(MANAGEMENT)
    if not address:
        raise RightsError(f"{MANAGEMENT} is not set, so its broker user still may write: {by_hand}")
    parts = urlsplit(address)
    port = f":{parts.port}" if parts.port else ""
    credentials = f"{unquote(parts.username or 'guest')}:{unquote(parts.password or 'guest')}"
    path = f"/api/permissions/{quote(vhost, safe='')}/{quote(user, safe='')}"
    request = urllib.request.Request(  # noqa: S310 - the scheme is the operator's choice
        f"{parts.scheme}://{parts.hostname}{port}{parts.path.rstrip('/')}{path}",
        json.dumps({"configure": "^$", "write": "^$", "read": "^$"}).encode(),
        {
            "Authorization": "Basic " + base64.b64encode(credentials.encode()).decode(),
            "Content-Type": "application/json",
        },
        method="PUT",
    )
    try:
        with _OPENER.open(request, timeout=TIMEOUT_SECONDS):
            return
    except urllib.error.HTTPError as error:
        with error:
            raise RightsError(f"the management API answered {error.code}: {by_hand}") from None
    except (OSError, ValueError) as error:
        raise RightsError(f"no answer from the management API ({type(error).__name__}): {by_hand}") from None
