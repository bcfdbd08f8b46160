"""What pages are made with; :mod:`mounting` puts it into the app."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request

from services.gateway.console.display import Mark


@dataclass(frozen=True, slots=True)
class Console:
    """Kept in the app's state."""

    marks: Mapping[str, Mark]


def marks(request: Request) -> Mapping[str, Mark]:
    """The clusters' marks by code, in their order."""
    console: Console = request.app.state.console
    return console.marks
