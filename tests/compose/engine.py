"""A container engine to run docker-compose.yml in, and what stands in for what it lacks.

With Docker nothing stands in. Podman without systemd checks no container's health by itself, and where no image
registry can be reached the base images are made from Debian's packages (``stand_ins/``).
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson

STAND_INS = Path(__file__).with_name("stand_ins")
BASE_IMAGES = {
    "library/postgres:17": "postgres",
    "library/python:3.13-slim-trixie": "python",
    "library/rabbitmq:4.3-management": "rabbitmq-4.3",
    "axllent/mailpit:v1.27": "mailpit",
}
WATCHING_IMAGES = {
    "prom/prometheus:v3.5.3": "prometheus",
    "prom/alertmanager:v0.28.1": "alertmanager",
}
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
BOOT_SECONDS = 300.0
PULL_SECONDS = 60.0


class NoEngineError(RuntimeError):
    """There is nothing here that runs containers; the message says what to install."""


@dataclass
class Engine:
    """``docker`` or ``podman``, and the command that understands compose files."""

    program: str
    compose: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict[str, str])

    def run(self, *words: str, seconds: float = BOOT_SECONDS) -> str:
        """A command of the engine itself; what it printed. Raises CalledProcessError."""
        return _run([self.program, *words], self.environment, seconds)

    def has_image(self, name: str) -> bool:
        """Whether an image is there, or can be pulled."""
        for words in (["image", "inspect", name], ["pull", "--quiet", name]):
            try:
                self.run(*words, seconds=PULL_SECONDS)
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
                continue
            return True
        return False


@contextmanager
def engine() -> Generator[Engine]:
    """Docker if it answers, else Podman behind a socket of its own. Raises NoEngineError."""
    if shutil.which("docker") and _answers(["docker", "info"]) and _answers(["docker", "compose", "version"]):
        yield Engine("docker", ["docker", "compose"])
        return
    compose = next(
        (program for program in _compose_programs() if program is not None and _answers([program, "version"])), None
    )
    if not shutil.which("podman") or compose is None:
        raise NoEngineError(
            "no container engine: install Docker, or podman with docker-compose 2 (name it in COMPOSE where it is not "
            "on the PATH)"
        )
    with _podman_socket() as address:
        yield Engine("podman", [compose], {"DOCKER_HOST": address})


def make_base_images(result: Engine, images: Mapping[str, str] = BASE_IMAGES) -> None:
    """Have official images by their names, or their stand-ins. Raises CalledProcessError."""
    missing = [stand_in for name, stand_in in images.items() if not result.has_image(f"docker.io/{name}")]
    if missing:
        subprocess.run(["sh", str(STAND_INS / "build.sh"), *missing], check=True, timeout=900)


def build(result: Engine, checkout: Path, tag: str) -> None:
    """Build our image. Raises CalledProcessError."""
    words = ["build", "--tag", tag, "--file", "deploy/image/Dockerfile"]
    if result.program == "podman":
        # Packages may be reached by way of a proxy with a certificate of its own, which this machine knows.
        words += ["--network=host", "--volume", f"{CERTIFICATES}:{CERTIFICATES}:ro"]
    result.run(*words, str(checkout), seconds=900)


@dataclass
class Project:
    """One installation: the compose file of a checkout, under a project name and on ports of its own."""

    found: Engine
    checkout: Path
    name: str
    environment: Mapping[str, str]

    def compose(self, *words: str, seconds: float = BOOT_SECONDS, codes: Sequence[int] = (0,)) -> str:
        """``docker compose …``; what it printed. Raises CalledProcessError."""
        command = [*self.found.compose, "--project-name", self.name, *words]
        return _run(command, {**self.found.environment, **self.environment}, seconds, self.checkout, codes)

    def traboule(self, *words: str, codes: Sequence[int] = (0,)) -> str:
        """An operator's command, as README tells it, but without ``--rm``, with which Podman forgets the exit code."""
        return self.compose("run", "--no-TTY", "--no-deps", "traboule", *words, codes=codes)

    def container(self, service: str) -> str:
        """The container of a service."""
        return self.compose("ps", "--all", "--quiet", service).strip()

    def pid(self, service: str) -> int:
        """The service's first process, as this machine counts; 0 while it does not run."""
        [about] = orjson.loads(self.found.run("inspect", self.container(service)))
        return int(about["State"]["Pid"])

    def up(self, *services: str) -> float:
        """``up --wait`` of these, or of all that need no profile; seconds until they are healthy."""
        began = time.monotonic()
        with self.health_checked():
            self.compose("up", "--detach", "--wait", *services)
        return time.monotonic() - began

    @contextmanager
    def health_checked(self) -> Generator[None]:
        """Have containers' health looked at meanwhile, where the engine needs systemd for that and there is none."""
        if self.found.program != "podman" or Path("/run/systemd/private").exists():
            yield
            return
        ended = threading.Event()
        ticking = threading.Thread(target=self._tick, args=[ended], daemon=True)
        ticking.start()
        try:
            yield
        finally:
            ended.set()
            ticking.join()

    def _tick(self, ended: threading.Event) -> None:
        while not ended.wait(1):
            for text in self.found.run("ps", "--quiet", "--filter", f"name={self.name}-").split():
                subprocess.run(["podman", "healthcheck", "run", text], capture_output=True, check=False, timeout=30)


def _run(
    command: Sequence[str],
    environment: Mapping[str, str],
    seconds: float,
    folder: Path | None = None,
    codes: Sequence[int] = (0,),
) -> str:
    done = subprocess.run(
        command, env=os.environ | environment, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False
    )
    if done.returncode not in codes:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def _answers(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=20, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _compose_programs() -> list[str | None]:
    return [os.environ.get("COMPOSE"), shutil.which("docker-compose"), "/usr/libexec/docker/cli-plugins/docker-compose"]


@contextmanager
def _podman_socket() -> Generator[str]:
    path = Path(f"/run/traboule-podman-{os.getpid()}.sock")
    service = subprocess.Popen(
        ["podman", "system", "service", "--time=0", f"unix://{path}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 20
        while not _listens(path):
            if time.monotonic() > deadline:
                raise NoEngineError("podman's socket does not answer")
            time.sleep(0.1)
        yield f"unix://{path}"
    finally:
        service.terminate()
        service.wait(timeout=20)
        path.unlink(missing_ok=True)


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
