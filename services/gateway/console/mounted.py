"""What pages are made with; :mod:`mounting` puts it into the app."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from fastapi import Request

from services.gateway.console.display import Mark
from shared.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class Console:
    """Kept in the app's state."""

    marks: Mapping[str, Mark]
    clock: Clock


def marks(request: Request) -> Mapping[str, Mark]:
    """The clusters' marks by code, in their order."""
    console: Console = request.app.state.console
    return console.marks


def clock(request: Request) -> Clock:
    """What tells the time."""
    console: Console = request.app.state.console
    return console.clock


def today(request: Request) -> date:
    """The day that pages go by, as the API does."""
    return clock(request).today()
