"""Dashboard, Grafana's provisioning, Prometheus and docker-compose.yml name the same things, and Grafana can draw it.

What Grafana requires of a panel is written down from ``@grafana/schema`` 12.0.2.
"""

from __future__ import annotations

import json
from itertools import chain, combinations
from typing import Any

import pytest
import yaml

from deploy.local.runs import CHECKOUT
from tests.support.observability import DASHBOARDS, FOLDER

COMPOSE: dict[str, Any] = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())
PROVISIONING = FOLDER / "grafana" / "provisioning"
(SOURCE,) = yaml.safe_load((PROVISIONING / "datasources" / "prometheus.yml").read_text())["datasources"]
DASHBOARD: dict[str, Any] = json.loads((DASHBOARDS / "traboule.json").read_text())
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]

REQUIRED_OPTIONS = {
    "row": set[str](),
    "stat": {"colorMode", "graphMode", "reduceOptions.calcs", "textMode"},
    "timeseries": {
        "legend.calcs", "legend.displayMode", "legend.placement", "legend.showLegend", "tooltip.mode", "tooltip.sort",
    },
    "table": set[str](),
}  # fmt: skip
COLUMNS = 24


def test_every_panel_asks_the_source_that_is_provisioned() -> None:
    drawn = [panel for panel in PANELS if panel["type"] != "row"]
    asked = [document["datasource"] for document in chain(drawn, *(panel["targets"] for panel in drawn))]
    assert {(item["uid"], item["type"]) for item in asked} == {(SOURCE["uid"], SOURCE["type"])}


def test_the_source_is_the_prometheus_that_compose_starts() -> None:
    assert SOURCE["url"] == "http://prometheus:9090"
    assert any(port.endswith(":9090") for port in COMPOSE["services"]["prometheus"]["ports"])
    scraped = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["global"]["scrape_interval"]
    assert SOURCE["jsonData"]["timeInterval"] == scraped


def test_compose_mounts_what_is_provisioned_where_grafana_looks() -> None:
    (provider,) = yaml.safe_load((PROVISIONING / "dashboards" / "traboule.yml").read_text())["providers"]
    mounted = dict(volume.split(":")[:2][::-1] for volume in COMPOSE["services"]["grafana"]["volumes"])
    assert (CHECKOUT / mounted[provider["options"]["path"]]).resolve() == DASHBOARDS
    assert (CHECKOUT / mounted["/etc/grafana/provisioning"]).resolve() == PROVISIONING


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_has_what_grafana_requires(panel: dict[str, Any]) -> None:
    assert REQUIRED_OPTIONS[panel["type"]] <= set(_paths(panel.get("options", {})))
    names = [target["refId"] for target in panel.get("targets", ())]
    assert len(set(names)) == len(names)
    assert (panel["type"] == "row") == (not names)


def test_panels_stand_beside_each_other() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    places = [panel["gridPos"] for panel in PANELS]
    assert all(place["x"] >= 0 and place["x"] + place["w"] <= COLUMNS for place in places)
    for item, other in combinations(places, 2):
        periodic_tasks = item["x"] + item["w"] <= other["x"] or other["x"] + other["w"] <= item["x"]
        below = item["y"] + item["h"] <= other["y"] or other["y"] + other["h"] <= item["y"]
        assert periodic_tasks or below, (item, other)


def _paths(options: dict[str, Any], above: str = "") -> list[str]:
    """``legend.calcs`` and the like."""
    texts: list[str] = []
    for name, value in options.items():
        texts += _paths(value, f"{above}{name}.") if isinstance(value, dict) else [f"{above}{name}"]
    return texts
