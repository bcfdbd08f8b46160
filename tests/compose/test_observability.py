"""``docker compose --profile observability`` for real: Prometheus reads every service and the broker, has every rule,
can answer all that alerts and dashboard ask, and what it alerts of reaches Alertmanager and the mailbox.

Where no image registry can be reached there is no Grafana: what its panels ask is asked of Prometheus in its place. Nor
is there Mailpit: a stand-in takes the mail.
The tests share one installation and run in this order.
"""

from __future__ import annotations

import json
import math
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from tests.compose.engine import WATCHING_IMAGES, Project, make_base_images
from tests.compose.operating import get, wait_until_settled
from tests.faults.generator import workload
from tests.faults.publisher import Publishing
from tests.support.observability import FOLDER, expressions, panels, rules

WATCHING = ("prometheus", "alertmanager", "mailpit")
STOPPED = "communications"
SCRAPED_SECONDS = 90.0
"""Longer than a name is asked for, its container scraped and a rule evaluated, every 15 s each."""

# A panel that is empty while all is well, and what must happen before it shows something.
EMPTY_WHILE_ALL_IS_WELL = {
    "traboule.json: Backlog, A": "messages wait at the broker",
    "traboule.json: Relayed, B": "the broker does not confirm what the relay publishes",
    "traboule.json: Put off, by error, A": "a message is put off",
    "traboule.json: Holding, and relays, A": "a consumer holds its messages",
}


@dataclass(frozen=True)
class Watching:
    """Where Prometheus, Alertmanager and the mailbox answer, and how long they took until they were healthy."""

    prometheus: str
    alertmanager: str
    mailpit: str
    seconds: float

    def query(self, text: str) -> tuple[list[float], list[str]]:
        """What Prometheus answers now: values without those that are no number, and what it warns of.

        Raises AssertionError where it cannot answer.
        """
        try:
            answer = _answer(f"{self.prometheus}/api/v1/query?" + urllib.parse.urlencode({"query": text}))
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{text}: {error.read().decode()}") from error
        values = [float(series["value"][1]) for series in answer["data"]["result"]]
        return [value for value in values if not math.isnan(value)], [
            *answer.get("warnings", ()),
            *answer.get("infos", ()),
        ]

    def targets(self) -> list[dict[str, Any]]:
        """All that Prometheus scrapes."""
        return _answer(f"{self.prometheus}/api/v1/targets?state=active")["data"]["activeTargets"]

    def rules(self) -> dict[str, dict[str, Any]]:
        """The rules that Prometheus evaluates, by name."""
        groups = _answer(f"{self.prometheus}/api/v1/rules")["data"]["groups"]
        return {rule["name"]: rule for group in groups for rule in group["rules"]}

    def alerts(self) -> set[tuple[str, str]]:
        """Alert and job of all that Alertmanager was told and that has not ended."""
        answer = _answer(f"{self.alertmanager}/api/v2/alerts?active=true")
        # Links of an alert lead to a place that a person can open.
        assert all(urllib.parse.urlsplit(item["generatorURL"]).hostname == "localhost" for item in answer)
        return {(item["labels"]["alertname"], item["labels"].get("job", "")) for item in answer}

    def mail(self) -> set[tuple[str, str]]:
        """Recipient and subject of all mail that came."""
        messages = _answer(f"{self.mailpit}/api/v1/messages")["messages"]
        return {(to["Address"], message["Subject"]) for message in messages for to in message["To"]}


@pytest.fixture(scope="module")
def watching(project: Project) -> Iterator[Watching]:
    """All three beside a running house, taken away at the end."""
    make_base_images(project.found, WATCHING_IMAGES)
    project.up()
    try:
        seconds = project.up(*WATCHING)
        urls = {item: f"http://127.0.0.1:{project.environment[f'{item.upper()}_PORT']}" for item in WATCHING}
        yield Watching(**urls, seconds=seconds)
    finally:
        project.compose("--profile", "*", "rm", "--stop", "--force", *WATCHING)


def test_they_are_up_and_healthy(project: Project, watching: Watching) -> None:
    sizes = {
        name: int(project.found.run("image", "inspect", "--format", "{{.Size}}", f"docker.io/{name}")) / 1e6
        for name in WATCHING_IMAGES
    }
    print(f"\nPrometheus and Alertmanager are healthy after {watching.seconds:.1f} s; images in MB: {sizes}")
    shown = project.compose("ps", "--format", "json", *WATCHING)
    rows: list[dict[str, Any]] = [json.loads(line) for line in shown.splitlines()]
    assert sorted(row["Service"] for row in rows) == sorted(WATCHING)
    assert {row["Health"] for row in rows if row["Service"] != "mailpit"} == {"healthy"}
    published = [item for row in rows for item in row["Publishers"] if item["PublishedPort"]]
    assert [item["URL"] for item in published] == ["127.0.0.1"] * len(WATCHING)


@pytest.mark.parametrize(("service", "room"), [("prometheus", "/prometheus"), ("alertmanager", "/alertmanager")])
def test_each_writes_into_its_own_volume_alone(project: Project, watching: Watching, service: str, room: str) -> None:
    # The container's first process only starts and reaps the program.
    (program,) = psutil.Process(project.pid(service)).children()
    assert program.name() == service
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{program.pid}/status").read_text().splitlines())
    assert fields["Uid"].split() == ["65534"] * 4
    assert int(fields["CapEff"], 16) == 0
    assert fields["NoNewPrivs"].strip() == "1"
    project.compose("exec", "--no-TTY", service, "touch", f"/etc/{service}/written", codes=(1,))
    project.compose("exec", "--no-TTY", service, "touch", f"{room}/written")


def test_every_target_is_scraped(watching: Watching) -> None:
    configured = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]

    def all_up() -> bool:
        targets = watching.targets()
        assert sorted(target["labels"]["job"] for target in targets) == sorted(item["job_name"] for item in configured)
        assert {target["health"]: target["lastError"] for target in targets} == {"up": ""}
        return True

    assert _eventually(all_up)


def test_every_rule_is_evaluated(watching: Watching) -> None:
    def all_well() -> bool:
        evaluated = watching.rules()
        assert evaluated.keys() == {rule.get("alert") or rule["record"] for rule in rules()}
        assert {rule["health"] for rule in evaluated.values()} == {"ok"}
        return True

    assert _eventually(all_well)
    assert {name: rule["lastError"] for name, rule in watching.rules().items() if "lastError" in rule} == {}


def test_everything_that_is_asked_is_answered(watching: Watching) -> None:
    complaints = {expression.where: watching.query(expression.text)[1] for expression in expressions()}
    assert {where: complaint for where, complaint in complaints.items() if complaint} == {}


def test_panels_show_what_happened(project: Project, watching: Watching, passwords: Mapping[str, str]) -> None:
    key = json.loads(project.traboule("keys", "create", "--name", "panels", "--role", "staff", "--json"))["key"]
    export = Path(project.environment["TRABOULE_FILES"]) / "compared.csv"
    export.write_text("record_id;name\nP-1;Inconnu chez nous SARL\n", "utf-8")
    project.traboule("parity", "--as", "numelink/membership", f"/files/{export.name}", "--by", "ops", codes=(1,))
    # Twice, with a look of Prometheus between: what has only just appeared has no rate.
    for seed in (51, 52):
        _former_systems_speak(project, passwords, seed)
        wait_until_settled(project)
        for path in ("/members", "/statistics"):
            get(project, path, key)
        time.sleep(20)
    assert {panel.where for panel in panels()} >= EMPTY_WHILE_ALL_IS_WELL.keys()

    def nothing_missing() -> bool:
        empty = {panel.where for panel in panels() if not watching.query(panel.text)[0]}
        assert empty <= EMPTY_WHILE_ALL_IS_WELL.keys()
        return True

    assert _eventually(nothing_missing)


def test_a_service_that_stops_is_told_to_alertmanager_until_it_is_back(project: Project, watching: Watching) -> None:
    down = ("ServiceDown", STOPPED)
    # The alert waits for two minutes; here for seconds, in a copy of the rules that Prometheus reads again.
    path = project.checkout / "deploy" / "observability" / "rules" / "traboule.yml"
    written = path.read_text()
    rewritten = yaml.safe_load(written)
    (alert,) = [rule for group in rewritten["groups"] for rule in group["rules"] if rule.get("alert") == down[0]]
    alert["for"] = "5s"
    path.write_text(yaml.safe_dump(rewritten))
    project.compose("kill", "--signal", "SIGHUP", "prometheus")
    assert _eventually(lambda: watching.rules()[down[0]]["duration"] == 5)
    assert down not in watching.alerts()

    began = time.monotonic()
    project.compose("stop", STOPPED)
    assert _eventually(lambda: down in watching.alerts())
    print(f"\ntold {time.monotonic() - began:.0f} s after it was stopped")
    assert watching.rules()[down[0]]["state"] == "firing"
    assert {job for name, job in watching.alerts() if name == down[0]} == {STOPPED}, "the others run"
    assert _eventually(lambda: any(to == "ops@traboule.example" and down[0] in about for to, about in watching.mail()))

    began = time.monotonic()
    with project.health_checked():
        project.compose("start", STOPPED)
    assert _eventually(lambda: down not in watching.alerts())
    print(f"ended {time.monotonic() - began:.0f} s after it was started")
    assert watching.rules()[down[0]]["state"] == "inactive"


# --- hands -----------------------------------------------------------------------------------------------------------


def _former_systems_speak(project: Project, passwords: Mapping[str, str], seed: int) -> None:
    """Publish what eight former systems say, some of it unreadable, each message with the moment of its publish."""
    now = {"timestamp_in_ms": time.time_ns() // 1_000_000}
    messages = [
        replace(message, headers=message.headers | now) for message in workload(seed, companies=8).messages(order=seed)
    ]
    port = project.environment["BROKER_PORT"]
    urls = {
        message.user: f"amqp://{message.user}:{passwords[message.user]}@127.0.0.1:{port}/traboule"
        for message in messages
    }
    publishing = Publishing(urls, messages, seconds=0)
    publishing.start()
    publishing.finish(60)


def _eventually(look: Callable[[], bool], seconds: float = SCRAPED_SECONDS) -> bool:
    """Ask until it is so. An AssertionError inside ``look`` counts as not yet; the last one tells what was missing."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if look():
                return True
        except AssertionError:
            if time.monotonic() > deadline:
                raise
        if time.monotonic() > deadline:
            return False
        time.sleep(1)


def _answer(url: str) -> Any:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as answer:
        return json.load(answer)
