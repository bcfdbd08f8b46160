"""What can be said of docker-compose.yml without an engine: hardened, local, whole."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local.runs import CHECKOUT
from services import SERVICES

COMPOSE: dict[str, Any] = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())
OURS = [*SERVICES, "prepare", "traboule"]
SECRETS_MADE = (CHECKOUT / "deploy/compose/secrets.sh").read_text()


@pytest.mark.parametrize("name", [*OURS, "prometheus", "alertmanager", "grafana", "mailpit"])
def test_containers_that_need_no_right_have_none(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_every_container_is_local_and_of_one_version(name: str) -> None:
    service = COMPOSE["services"][name]
    assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", ()))
    image = re.fullmatch(r"\$\{[A-Z_]+:-(.+):(.+)\}", service["image"])
    assert image is not None
    assert image[2] != "latest"
    assert "PASSWORD" not in str({k: v for k, v in service.get("environment", {}).items() if not k.endswith("_FILE")})


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_waits_is_watched_and_is_given_its_own_secrets(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["depends_on"]["prepare"] == {"condition": "service_completed_successfully"}
    assert service["depends_on"]["postgres"] == service["depends_on"]["rabbitmq"] == {"condition": "service_healthy"}
    assert service["healthcheck"]["test"][:3] == ["CMD", "python", "-m"]
    assert service["restart"] == "unless-stopped"
    assert service["secrets"] == [f"traboule_{name}_database_url", f"traboule_{name}_broker_url"]


@pytest.mark.parametrize("name", COMPOSE["secrets"])
def test_every_secret_is_a_file_that_is_made(name: str) -> None:
    file = Path(COMPOSE["secrets"][name]["file"])
    assert file.parent == Path("deploy/compose/secrets")
    made = re.sub(r"traboule_(membership|billing|events|communications)_", "traboule_${service}_", file.name)
    assert made in SECRETS_MADE


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_every_file_that_is_mounted_is_there(name: str) -> None:
    for volume in COMPOSE["services"][name].get("volumes", ()):
        source = str(volume).split(":")[0]
        if source.startswith("./"):
            assert (CHECKOUT / source).exists(), source
