"""What can be said of docker-compose.yml without an engine: hardened, local, whole."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local.runs import CHECKOUT
from services import SERVICES
from services.billing.settings import BillingSettings
from services.cli.former_systems.address import PUBLIC
from services.cli.registry import definition_of
from shared.messaging.consumer import MAX_BODY
from shared.messaging.topology import FRAME_BYTES, MESSAGE_BYTES
from tests.compose.engine import BASE_IMAGES, STAND_INS, WATCHING_IMAGES
from tests.support.connections import BACKUP, most_connections

COMPOSE: dict[str, Any] = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())
RUNNING = [*SERVICES, "gateway"]
OURS = [*RUNNING, "prepare", "traboule"]
PARTS = {"membership": "messages", "gateway": "http"}
SECRETS_MADE = (CHECKOUT / "deploy/compose/secrets.sh").read_text()


@pytest.mark.parametrize("name", [*OURS, "prometheus", "alertmanager", "grafana", "mailpit"])
def test_containers_that_need_no_right_have_none(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_no_container_has_more_rights_or_takes_more_than_it_should(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"] >= 128
    # Their entrypoints give the data to the server's own user, and become it.
    become = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"]
    assert service.get("cap_add", []) == (become if name in ("postgres", "rabbitmq") else [])


def test_what_shows_mail_or_panels_reaches_neither_the_database_nor_the_broker() -> None:
    networks = {name: set(service["networks"]) for name, service in COMPOSE["services"].items()}
    assert set().union(*networks.values()) == set(COMPOSE["networks"])
    for name in ("mailpit", "grafana", "alertmanager"):
        assert not networks[name] & (networks["postgres"] | networks["rabbitmq"]), name
    assert not networks["prometheus"] & networks["postgres"]
    for name in OURS:
        assert networks[name] >= networks["postgres"], name
    for asks, answers in (("prometheus", "rabbitmq"), ("prometheus", "alertmanager"), ("grafana", "prometheus"),
                          ("alertmanager", "mailpit"), *(("prometheus", item) for item in RUNNING)):  # fmt: skip
        assert networks[asks] & networks[answers], (asks, answers)


def test_the_broker_is_told_what_it_may_take_and_how_large_a_message_is() -> None:
    lines = (CHECKOUT / "deploy/compose/rabbitmq.conf").read_text().splitlines()
    settings = dict(line.split(" = ") for line in lines if line and not line.startswith("#"))
    assert settings["max_message_size"] == str(MESSAGE_BYTES)
    assert settings["frame_max"] == str(FRAME_BYTES)
    assert settings["total_memory_available_override_value"] == COMPOSE["services"]["rabbitmq"]["mem_limit"][:-1] + "GB"
    assert MAX_BODY < MESSAGE_BYTES <= MAX_BODY + 2**20, "what is a little too large is parked, and told"
    assert f"{MESSAGE_BYTES // 2**20} MiB the broker closes the channel" in (
        CHECKOUT / "schemas/PRODUCERS.md"
    ).read_text("utf-8")


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_every_container_is_local_and_of_one_version(name: str) -> None:
    service = COMPOSE["services"][name]
    assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", ()))
    image = re.fullmatch(r"\$\{[A-Z_]+:-(.+):(.+)\}", service["image"])
    assert image is not None
    assert image[2] != "latest"
    assert "PASSWORD" not in str({k: v for k, v in service.get("environment", {}).items() if not k.endswith("_FILE")})


def test_the_database_has_room_for_each_service_twice_and_for_a_backup() -> None:
    server = COMPOSE["services"]["postgres"]["command"]
    allowed = int(next(word for word in server if word.startswith("max_connections=")).partition("=")[2])
    kept_for_superusers = 3
    assert 2 * sum(map(most_connections, SERVICES)) + BACKUP <= allowed - kept_for_superusers


@pytest.mark.parametrize("image", [*BASE_IMAGES, *WATCHING_IMAGES])
def test_a_stand_in_has_the_name_that_is_asked_for(image: str) -> None:
    asked = (CHECKOUT / "docker-compose.yml").read_text() + (CHECKOUT / "deploy/image/Dockerfile").read_text()
    assert re.search(rf"[-=]{re.escape(image.removeprefix('library/'))}\b", asked)
    assert f" docker.io/{image} " in (STAND_INS / "build.sh").read_text()


def test_membership_has_the_messages_and_the_gateway_its_http() -> None:
    ours = {name: COMPOSE["services"][name]["command"] for name in ("membership", "gateway")}
    assert ours == {part: ["serve", "membership", "--only", only] for part, only in PARTS.items()}
    assert set(PARTS.values()) == set(definition_of("membership").parts)
    assert [name for name in RUNNING if "8080" in str(COMPOSE["services"][name].get("ports"))] == ["gateway"]


@pytest.mark.parametrize("name", RUNNING)
def test_a_service_waits_is_watched_and_is_given_its_own_secrets(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["depends_on"]["prepare"] == {"condition": "service_completed_successfully"}
    assert service["depends_on"]["postgres"] == service["depends_on"]["rabbitmq"] == {"condition": "service_healthy"}
    assert service["healthcheck"]["test"][:3] == ["CMD", "python", "-m"]
    assert service["restart"] == "unless-stopped"
    more = [f"traboule_{name}_address_keys"] if name == "communications" else []
    owner = "membership" if name == "gateway" else name
    assert service["secrets"] == [f"traboule_{owner}_database_url", f"traboule_{owner}_broker_url", *more]


def test_the_address_that_former_systems_are_given_is_one_that_this_machine_reaches() -> None:
    shown = COMPOSE["services"]["traboule"]["environment"][PUBLIC]
    assert shown == f"${{{PUBLIC}:-amqp://127.0.0.1:${{BROKER_PORT:-5672}}}}"
    assert "127.0.0.1:${BROKER_PORT:-5672}:5672" in COMPOSE["services"]["rabbitmq"]["ports"]


def test_the_nightly_line_for_cron_keeps_the_newest_fourteen_and_all_when_the_backup_fails(tmp_path: Path) -> None:
    (line,) = (
        text for text in (CHECKOUT / "deploy" / "README.md").read_text("utf-8").splitlines() if "* * * root " in text
    )
    # What cron makes of it: no other sign is its own.
    command = line.partition(" root ")[2].replace(r"\%", "%").replace("/opt/traboule", str(CHECKOUT))
    assert "%" not in line.replace(r"\%", "")
    files, programs = tmp_path / "files", tmp_path / "programs"
    files.mkdir()
    programs.mkdir()
    engine = programs / "docker"
    engine.write_text(f'#!/bin/sh\ncase "$*" in "compose run --rm --no-TTY traboule backup "*) ;; *) exit 9 ;; esac\n'
                      f'for last; do :; done\nmkdir "{files}/${{last#/files/}}"\n')  # fmt: skip
    engine.chmod(0o700)
    environment = {"PATH": f"{programs}:{os.environ['PATH']}", "TRABOULE_FILES": str(files)}

    def run() -> int:
        return subprocess.run(["sh", "-c", command], check=False, env=environment, capture_output=True).returncode

    assert run() == 0
    (tonight,) = files.iterdir()
    before = [f"night-2020-01-{day:02}" for day in range(1, 16)]
    for name in (*before, "before-0.2.0"):
        (files / name).mkdir()
    assert run() != 0, "there is one of tonight already"
    assert len(list(files.iterdir())) == 17
    tonight.rmdir()
    assert run() == 0
    assert {path.name for path in files.iterdir()} == {*before[-13:], tonight.name, "before-0.2.0"}


@pytest.mark.parametrize("name", COMPOSE["secrets"])
def test_every_secret_is_a_file_that_is_made(name: str) -> None:
    file = Path(COMPOSE["secrets"][name]["file"])
    assert file.parent == Path("deploy/compose/secrets")
    made = re.sub(r"traboule_(membership|billing|events|communications)_", "traboule_${service}_", file.name)
    assert made in SECRETS_MADE or file.name in SECRETS_MADE


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_every_file_that_is_mounted_is_there(name: str) -> None:
    for volume in COMPOSE["services"][name].get("volumes", ()):
        source = str(volume).split(":")[0]
        if source.startswith("./"):
            assert (CHECKOUT / source).exists(), source


@pytest.mark.parametrize("name", ["billing", "traboule"])
def test_billing_and_operators_are_given_the_issuers_that_lie_in_the_checkout(name: str) -> None:
    service = COMPOSE["services"][name]
    issuers = service["environment"][f"{BillingSettings.model_config.get('env_prefix')}ISSUERS_FILE"]
    assert f"./deploy/issuers.toml:{issuers}:ro" in service["volumes"]
