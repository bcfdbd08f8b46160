"""What may reach the console at all: our own host, and forms of our own pages.

A page of another port of the same host is the same site: its forms bring every cookie, ``SameSite=Strict`` too. So each
request that may change something must come from our own origin, by Fetch Metadata (W3C, Sec-Fetch-Site) or by
``Origin`` (RFC 6454). A token in forms would be one thing more to leak and to go stale, and works no better.
"""

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers

_READING: Final = ("GET", "HEAD")
_OWN: Final = "same-origin"


class Guard:
    """``public_url`` is where browsers reach us; without one, this machine alone may."""

    def __init__(self, public_url: str) -> None:
        self._origin = public_url
        self._host = urlsplit(public_url).netloc.lower()
        self.is_secure = public_url.startswith("https://")

    def refusal(self, method: str, headers: Headers) -> str | None:
        """Why a request may not come in, as the kind of a problem; None if it may."""
        host = headers.get("host", "").lower()
        if not self._is_ours(host):
            return "host-unknown"
        site = headers.get("sec-fetch-site")
        if method in _READING:
            is_page = headers.get("sec-fetch-dest", "document") == "document"
            return None if site != "cross-site" or is_page else "cross-origin"
        if site is not None:
            return None if site == _OWN else "cross-origin"
        return None if headers.get("origin") in self._origins(host) else "cross-origin"

    def _is_ours(self, host: str) -> bool:
        return host == self._host if self._host else _is_this_machine(host)

    def _origins(self, host: str) -> tuple[str, ...]:
        return (self._origin,) if self._origin else (f"http://{host}", f"https://{host}")


def _is_this_machine(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
