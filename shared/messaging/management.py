"""The broker's management API: users, their rights and their connections."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from shared.runtime.tls import client_context

VARIABLE = "TRABOULE_BROKER_MANAGEMENT_URL"
"""Names the variable with the API's address, with an administrator's name and password in it."""
TIMEOUT_SECONDS = 30.0


class ManagementError(Exception):
    """The broker did not do it; ``status`` is its HTTP status, None when it did not answer. Holds no password."""

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status


class Management:
    """The API at ``http(s)://user:password@host:port``; ``?cafile=`` names whom to check an https server with."""

    def __init__(self, url: str) -> None:
        """Nothing is asked yet."""
        parts = urlsplit(url)
        self.host = parts.hostname
        try:
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            parts, port = urlsplit(""), ""
        credentials = f"{unquote(parts.username or 'guest')}:{unquote(parts.password or 'guest')}"
        self._address = f"{parts.scheme}://{parts.hostname}{port}{parts.path.rstrip('/')}"
        self._headers = {
            "Authorization": "Basic " + base64.b64encode(credentials.encode()).decode(),
            "Content-Type": "application/json",
        }
        # A proxy from the environment has no business between us and our own broker.
        handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
        if parts.scheme == "https":
            authority = parse_qs(parts.query).get("cafile")
            context = client_context(Path(authority[0]) if authority else None)
            handlers.append(urllib.request.HTTPSHandler(context=context))
        self._opener = urllib.request.build_opener(*handlers)

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One request: the answer's JSON, None if there is none. Raises ManagementError."""
        if not self._address.startswith(("http://", "https://")) or "://None" in self._address:
            # Said without the address: what stands where the host should may be a password.
            raise ManagementError(f"{VARIABLE} is no address such as http://user:password@host:15672")
        request = urllib.request.Request(  # noqa: S310 - the scheme is the operator's choice
            self._address + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers=self._headers,
        )
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS) as response:
                answer = response.read()
        except urllib.error.HTTPError as error:
            with error:
                text = error.read().decode(errors="replace").strip()[:500]
            raise ManagementError(
                f"the broker's management API answered {error.code} to {method} {self._address}{path}: {text}",
                error.code,
            ) from None
        except (OSError, ValueError, HTTPException) as error:
            raise ManagementError(f"no answer from the broker's management API at {self._address}: {error}") from None
        return json.loads(answer) if answer else None

    def find(self, path: str) -> Any:
        """What is there, None if nothing is. Raises ManagementError."""
        try:
            return self.call("GET", path)
        except ManagementError as error:
            if error.status == 404:
                return None
            raise


def path(*parts: str) -> str:
    """``/api/…`` of parts that may hold any character."""
    return "/api/" + "/".join(quote(part, safe="") for part in parts)
