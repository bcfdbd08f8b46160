"""The named cases, together."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.support.hostile.bodies import BINARIES, BODIES
from tests.support.hostile.message import HostileMessage, Writer
from tests.support.hostile.properties import PROPERTIES

CORPUS: Mapping[str, Callable[[Writer], list[HostileMessage]]] = {**BODIES, **BINARIES, **PROPERTIES}


def written(writer: Writer, name: str) -> list[HostileMessage]:
    """The messages of one case."""
    writer.name = name
    return CORPUS[name](writer)
