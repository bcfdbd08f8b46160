"""The objects that kustomize builds, and those of one kind."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[4] / "deploy" / "kubernetes"
OPS = "traboule-ops"


def of_kind(built: list[dict[str, Any]], *kinds: str) -> list[dict[str, Any]]:
    return [item for item in built if item["kind"] in kinds]


def pods(built: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Each program's pod template, by its name."""
    return {item["metadata"]["name"]: item["spec"]["template"] for item in of_kind(built, "Deployment", "Job")}


def containers(built: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, template in pods(built).items():
        for item in [*template["spec"].get("initContainers", []), *template["spec"]["containers"]]:
            yield name, item
