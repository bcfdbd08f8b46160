"""Servers that the environment names: used as they are, never started and never stopped."""

from __future__ import annotations

from typing import NoReturn
from urllib.parse import urlsplit

from deploy.errors import NodeError

DATABASE = "TRABOULE_DATABASE_URL"
BROKER = "TRABOULE_BROKER_URL"
MANAGEMENT = "TRABOULE_BROKER_MANAGEMENT_URL"


class _Named:
    owned = False
    pid = 0

    def __init__(self, url: str, variable: str) -> None:
        self.url = url
        self._variable = variable

    def start(self) -> None:
        """Refuse: this server is not ours."""
        self._refuse("start")

    def kill(self) -> None:
        """Refuse: this server is not ours."""
        self._refuse("kill")

    def stop(self) -> None:
        """Refuse: this server is not ours."""
        self._refuse("stop")

    def _refuse(self, verb: str) -> NoReturn:
        raise NodeError(
            f"refusing to {verb} the server that {self._variable} names: unset it to work on a private node"
        )


class NamedDatabase(_Named):
    """The PostgreSQL of `TRABOULE_DATABASE_URL`."""

    def __init__(self, url: str) -> None:
        """Take the URL as it is."""
        super().__init__(url, DATABASE)


class NamedBroker(_Named):
    """The RabbitMQ of `TRABOULE_BROKER_URL`."""

    def __init__(self, url: str, management_url: str | None = None) -> None:
        """Take the URLs as they are; the management API is on the broker's host, at its usual port, unless told."""
        super().__init__(url, BROKER)
        self.management_url = management_url or self._usual_management(url)

    @staticmethod
    def _usual_management(url: str) -> str:
        parts = urlsplit(url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        credentials = parts.netloc.rpartition("@")[0]
        gateway = f"{credentials}{'@' if credentials else ''}{host}"
        return f"https://{gateway}:15671?{parts.query}" if parts.scheme == "amqps" else f"http://{gateway}:15672"
