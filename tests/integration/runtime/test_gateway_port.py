"""Health and metrics on a port of their own, and the gateway on another."""

import asyncio
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from deploy.local.local_services import LocalServices
from deploy.local.runs import free_ports
from tests.support.waiting import eventually


def status(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


@pytest.mark.servers
async def test_the_public_port_has_no_health_and_no_metrics(stack: LocalServices) -> None:
    private, public = free_ports(2)
    environment = stack.env | {
        "TRABOULE_MEMBERSHIP_HTTP_PORT": str(private),
        "TRABOULE_MEMBERSHIP_GATEWAY_PORT": str(public),
    }
    command = [Path(sys.executable).with_name("traboule"), "serve", "membership"]
    process = subprocess.Popen(
        command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:

        async def is_ready() -> bool:
            return await asyncio.to_thread(status, private, "/health/ready") == 200

        await eventually(is_ready, 60)
        assert {path: status(private, path) for path in ("/metrics", "/health/live", "/members", "/console")} == {
            "/metrics": 200,
            "/health/live": 200,
            "/members": 404,
            "/console": 404,
        }
        assert {path: status(public, path) for path in ("/metrics", "/health/live", "/health/ready")} == {
            "/metrics": 404,
            "/health/live": 404,
            "/health/ready": 404,
        }
        assert status(public, "/members") == 401
        assert status(public, "/console/connexion") == 200
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
