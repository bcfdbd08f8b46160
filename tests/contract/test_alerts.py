"""Alerts, dashboard and runbook belong together, and Prometheus' own tools accept them."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import yaml
from prometheus_client import REGISTRY

import services.gateway.app  # noqa: F401 - registers the metrics of the HTTP gateway
from deploy.errors import MissingPackagesError
from deploy.local.tools import tool
from services import SERVICES
from services.cli.registry import definition_of
from tests.support.documentation import parse_command
from tests.support.observability import DASHBOARDS, FOLDER, RULES, alerts, expressions, rules
from tests.support.promql import grouped_labels, metrics_of, selected_labels

RUNBOOK = (FOLDER / "RUNBOOK.md").read_text()
SECTIONS: dict[str, str] = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", RUNBOOK, re.DOTALL | re.MULTILINE))
RULE_TESTS = sorted((FOLDER / "rules" / "tests").glob("*.yml"))
COMMANDS = sorted(set(re.findall(r"`(traboule [^`]+)`", RUNBOOK)))


def check(name: str, *arguments: str | Path) -> None:
    """Run one of Prometheus' tools on files, and let it say what is wrong."""
    try:
        program = tool(name)
    except MissingPackagesError as error:
        # Whoever may install packages has no excuse: in CI these tests always run.
        if os.geteuid() == 0 and shutil.which("apt-get"):
            raise
        pytest.skip(f"{name} is not here: {error}")
    run = subprocess.run([program, *arguments], check=False, capture_output=True, text=True, cwd=FOLDER)
    assert run.returncode == 0, run.stdout + run.stderr


def test_prometheus_accepts_configuration_and_rules() -> None:
    check("promtool", "check", "config", "prometheus.yml")
    check("promtool", "check", "rules", RULES)


def test_every_alert_behaves_as_its_tests_say() -> None:
    check("promtool", "test", "rules", *RULE_TESTS)


@pytest.mark.parametrize("name", ["alertmanager.yml", "alertmanager.production.yml"])
def test_alertmanager_accepts_its_configuration(name: str) -> None:
    check("amtool", "check-config", name)


def test_prometheus_can_read_what_the_dashboard_asks(tmp_path: Path) -> None:
    recorded = [
        {"record": f"panel:{number}", "expr": expression.text} for number, expression in enumerate(expressions())
    ]
    path = tmp_path / "panels.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": recorded}]}))
    check("promtool", "check", "rules", path)


def test_every_alert_is_seen_to_fire_and_to_keep_quiet() -> None:
    fires, quiet = set[str](), set[str]()
    for path in RULE_TESTS:
        for item in yaml.safe_load(path.read_text())["tests"]:
            for asked in item["alert_rule_test"]:
                (fires if asked["exp_alerts"] else quiet).add(asked["alertname"])
    names = {alert["alert"] for alert in alerts()}
    assert fires == names
    assert quiet == names


def test_every_alert_has_its_section_and_every_section_its_alert() -> None:
    assert SECTIONS.keys() == {alert["alert"] for alert in alerts()}
    for alert in alerts():
        assert alert["annotations"]["runbook_url"] == f"deploy/observability/RUNBOOK.md#{alert['alert'].lower()}"
        section = SECTIONS[alert["alert"]]
        for part in (f"**Means** ({alert['labels']['severity']})", "**Look**", "**Do**", "**Harmless**"):
            assert part in section, (alert["alert"], part)


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_runbook_exists(line: str) -> None:
    parse_command(line)


def test_the_runbook_names_panels_that_exist() -> None:
    titles = {
        panel["title"].split(" (")[0]
        for path in DASHBOARDS.glob("*.json")
        for panel in json.loads(path.read_text())["panels"]
    }
    named = set[str]()
    for sentence in re.findall(r"[Pp]anels? [^.:?;`]*", RUNBOOK):
        named |= set(re.findall(r"\*([^*]+)\*", sentence))
    assert named
    assert named <= titles


def test_the_dashboard_names_alerts_that_exist() -> None:
    names = {alert["alert"] for alert in alerts()}
    text = "".join(path.read_text() for path in DASHBOARDS.glob("*.json"))
    published = set(re.findall(r"Runbook: (\w+)", text))
    assert published
    assert published <= names


def test_inhibitions_name_alerts_that_exist() -> None:
    names = {alert["alert"] for alert in alerts()}
    for path in FOLDER.glob("alertmanager*.yml"):
        for rule in yaml.safe_load(path.read_text())["inhibit_rules"]:
            for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
                (listed,) = re.findall(r'alertname=~"([^"]+)"', matcher)
                assert set(listed.split("|")) <= names


def test_recorded_rules_are_used() -> None:
    asked = {name for expression in expressions() for name in metrics_of(expression.text)}
    assert {rule["record"] for rule in rules() if "record" in rule} <= asked


def test_rules_and_dashboard_look_at_labels_that_our_metrics_have() -> None:
    labels = {name: frozenset(names) for name, names in _own_metrics()}
    for expression in expressions():
        for name, label in selected_labels(expression.text):
            if name.startswith("traboule_"):
                assert label in labels[name] | {"job", "instance"}, (expression.where, name, label)
        known = frozenset[str]().union(*(labels.get(name, frozenset()) for name in metrics_of(expression.text)))
        of_others = {"job", "instance", "queue"} | ({"cluster"} if "label_replace" in expression.text else set())
        assert grouped_labels(expression.text) <= known | of_others, expression.where


def _own_metrics() -> Iterator[tuple[str, Sequence[str]]]:
    """The series of every metric that our services register, each with its labels."""
    for service in SERVICES:
        definition_of(service)
    for collector, names in REGISTRY._collector_to_names.items():
        labels = getattr(collector, "_labelnames", ())
        for name in names:
            yield name, (*labels, "le") if name.endswith("_bucket") else labels


def test_an_expression_is_taken_apart() -> None:
    text = (
        'sum by (job, le) (rate(a_bucket{queue=~"x{2}\\\\..+", le!="1"}[5m])) / on (job) group_left () max(b) > bool 2'
    )
    assert metrics_of(f"{text} and c") == {"a_bucket", "b", "c"}
    assert selected_labels(text) == {("a_bucket", "queue"), ("a_bucket", "le")}
    assert grouped_labels(text) == {"job", "le"}
