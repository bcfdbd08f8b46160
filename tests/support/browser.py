"""A real Chromium without a window, driven over a pipe by its own protocol (Chrome DevTools Protocol).

The pipe needs no library: each message is JSON with a NUL after it.
"""

import asyncio
import json
import os
from base64 import b64decode
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from deploy.local.packages import ensure_browser
from tests.support.waiting import eventually

OPTIONS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--remote-debugging-pipe", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
)
_SECONDS = 30
_LONGEST = 64 * 1024 * 1024


class Tab:
    """One page of a browser. What it says on its console, errors and refusals among it, is in ``console``."""

    def __init__(self, browser: "Browser", session: str) -> None:
        self._browser, self._session = browser, session
        self.console: list[str] = []

    async def ask(self, method: str, **values: Any) -> dict[str, Any]:
        """One command of the protocol."""
        return await self._browser.ask(method, self._session, **values)

    async def open(self, url: str) -> None:
        """Go there, and wait until the page is loaded."""
        loaded = self._browser.next_event(self._session, "Page.loadEventFired")
        await self.ask("Page.navigate", url=url)
        await asyncio.wait_for(loaded, _SECONDS)

    async def run(self, script: str) -> Any:
        """The value of an expression on the page, once it is settled. Raises AssertionError where it throws."""
        answer = await self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def submit(self, script: str) -> None:
        """Do what leads to another page, and wait for that."""
        loaded = self._browser.next_event(self._session, "Page.loadEventFired")
        await self.run(f"{script}; null")
        await asyncio.wait_for(loaded, _SECONDS)

    async def becomes(self, script: str) -> None:
        """Wait until an expression is true."""

        async def is_so() -> bool:
            return bool(await self.run(script))

        await eventually(is_so)

    async def width(self, pixels: int, height: int = 844) -> None:
        """Be a screen of this width."""
        mobile = pixels < 600
        size = {"width": pixels, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
        await self.ask("Emulation.setDeviceMetricsOverride", **size)

    async def offline(self, *, off: bool) -> None:
        """Lose the network, or have it again."""
        speed = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        await self.ask("Network.emulateNetworkConditions", offline=off, **speed)

    async def picture(self, path: Path) -> None:
        """Write a PNG of the whole page."""
        shot = await self.ask("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(b64decode(shot["data"]))


class Browser:
    """The process, and what was asked of it."""

    def __init__(self, reader: asyncio.StreamReader, write: Callable[[bytes], object]) -> None:
        self._reader, self._write = reader, write
        self._numbers = count(1)
        self._asked: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._waiting: dict[tuple[str, str], list[asyncio.Future[None]]] = defaultdict(list)
        self._tabs: dict[str, Tab] = {}

    async def ask(self, method: str, session: str | None = None, /, **values: Any) -> dict[str, Any]:
        """One command of the protocol, to the browser or to a tab. Raises AssertionError where it is refused."""
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": values}
        self._asked[number] = asyncio.get_running_loop().create_future()
        self._write(json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0")
        answer = await asyncio.wait_for(self._asked[number], _SECONDS)
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    def next_event(self, session: str, method: str) -> asyncio.Future[None]:
        """Done when a tab says so next."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[session, method].append(future)
        return future

    async def tab(self, language: str = "fr-FR") -> Tab:
        """A new page with a storage of its own."""
        context = (await self.ask("Target.createBrowserContext"))["browserContextId"]
        target = (await self.ask("Target.createTarget", url="about:blank", browserContextId=context))["targetId"]
        session = (await self.ask("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        tab = self._tabs[session] = Tab(self, session)
        for domain in ("Page", "Runtime", "Network", "Log"):
            await tab.ask(f"{domain}.enable")
        await tab.ask("Network.setExtraHTTPHeaders", headers={"accept-language": language})
        return tab

    async def listen(self) -> None:
        """Take in what it says, until it ends."""
        with suppress(asyncio.IncompleteReadError):
            while True:
                self._hear(json.loads((await self._reader.readuntil(b"\0"))[:-1]))

    def _hear(self, message: dict[str, Any]) -> None:
        if (number := message.get("id")) is not None:
            self._asked.pop(number).set_result(message)
            return
        session, method = message.get("sessionId", ""), message["method"]
        if method in ("Runtime.exceptionThrown", "Log.entryAdded") and session in self._tabs:
            self._tabs[session].console.append(json.dumps(message["params"]))
        for future in self._waiting.pop((session, method), []):
            future.set_result(None)


@asynccontextmanager
async def chromium(folder: Path) -> AsyncGenerator[Browser]:
    """A browser with a profile of its own in this folder; its process is ended."""
    to_read, from_us = os.pipe()
    from_it, to_write = os.pipe()
    program = [str(ensure_browser()), *OPTIONS, f"--user-data-dir={folder}", "about:blank"]
    # It reads from 3 and writes to 4, whatever the numbers are here.
    command = f'exec "$@" 3<&{to_read} 4>&{to_write}'
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", command, "bash", *program, pass_fds=(to_read, to_write), stderr=asyncio.subprocess.DEVNULL
    )
    os.close(to_read)
    os.close(to_write)
    reader = asyncio.StreamReader(limit=_LONGEST)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(from_it, "rb")
    )
    browser = Browser(reader, lambda data: _write_all(from_us, data))
    listening = asyncio.create_task(browser.listen())
    try:
        yield browser
    finally:
        with suppress(Exception):
            await browser.ask("Browser.close")
        await asyncio.wait_for(process.wait(), _SECONDS)
        listening.cancel()
        transport.close()
        os.close(from_us)


def _write_all(pipe: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(pipe, view) :]
