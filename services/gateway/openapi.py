"""The description of the HTTP side, ``/openapi.json``, with what only the configuration knows."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from fastapi import FastAPI

CLUSTERS: Final[list[str]] = []
"""An ``enum`` that is still empty: it stands for the clusters of this installation."""


def describe(app: FastAPI, clusters: Sequence[str], rights: Mapping[tuple[str, str], Sequence[str]]) -> dict[str, Any]:
    """What FastAPI says of the routes; a parameter that is declared with ``CLUSTERS`` lists these clusters.

    Each operation says as ``x-traboule-right`` what it needs. ``rights`` are by path and method; one of several is
    enough.
    """
    if app.openapi_schema is None:
        for (path, method), needed in rights.items():
            FastAPI.openapi(app)["paths"][path][method.lower()]["x-traboule-right"] = " or ".join(needed)
        for parameter in _parameters(FastAPI.openapi(app)):
            if parameter["schema"].get("enum") == CLUSTERS:
                parameter["schema"]["enum"] = list(clusters)
    return FastAPI.openapi(app)


def _parameters(document: dict[str, Any]) -> Iterable[dict[str, Any]]:
    for methods in document["paths"].values():
        for operation in methods.values():
            yield from operation.get("parameters", ())
