"""The operators' files below ``deploy/observability``, read as Prometheus and Grafana read them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from deploy.local.runs import CHECKOUT

FOLDER = CHECKOUT / "deploy" / "observability"
RULES = FOLDER / "rules" / "traboule.yml"
DASHBOARDS = FOLDER / "grafana" / "dashboards"


@dataclass(frozen=True)
class Expression:
    """One PromQL expression, and where it stands."""

    where: str
    text: str


def rules() -> list[dict[str, Any]]:
    """Every rule, alerts and recorded ones."""
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    """The rules that alert."""
    return [rule for rule in rules() if "alert" in rule]


def expressions() -> list[Expression]:
    """Everything that rules and dashboards ask Prometheus for."""
    from_rules = [Expression(rule.get("alert") or rule["record"], rule["expr"]) for rule in rules()]
    return [*from_rules, *panels()]


def panels() -> list[Expression]:
    """Everything that dashboards ask Prometheus for."""
    return [panel for path in sorted(DASHBOARDS.glob("*.json")) for panel in _panels(path)]


def _panels(path: Path) -> Iterator[Expression]:
    for panel in json.loads(path.read_text())["panels"]:
        for target in panel.get("targets", ()):
            # Grafana fills it in; any duration does for reading it.
            text = target["expr"].replace("$__rate_interval", "5m")
            yield Expression(f"{path.name}: {panel['title']}, {target['refId']}", text)
