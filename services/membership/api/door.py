"""What the routes work with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.responses import Response

from services.membership.api.keyring import Keyring
from services.membership.api.pool import ReadPool
from shared.runtime.clock import Clock
from shared.runtime.clusters import Cluster


@dataclass(frozen=True, slots=True)
class Door:
    """Made once in ``create_http`` and given to every module of routes."""

    pool: ReadPool
    keyring: Keyring
    clock: Clock
    clusters: Mapping[str, Cluster]


def answer(content: Any, headers: Mapping[str, str] | None = None) -> Response:
    """JSON that no cache keeps, since it holds members' data."""
    kept = {"cache-control": "private, no-store", **(headers or {})}
    return Response(orjson.dumps(content), headers=kept, media_type="application/json")
