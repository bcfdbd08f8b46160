"""The whole installation, and a real browser before it."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from secrets import token_hex

import pytest

from deploy.local.local_services import LocalServices
from shared.persistence.database import create_engine
from tests.support.browser import Browser, chromium
from tests.support.events import Events


@pytest.fixture
async def browser(tmp_path: Path) -> AsyncIterator[Browser]:
    async with chromium(tmp_path / "profile") as browser:
        yield browser


@pytest.fixture
async def events(stack: LocalServices) -> AsyncIterator[Events]:
    """The database of the events service that runs; its stages are as before at the end."""
    engine = create_engine(stack.env["TRABOULE_EVENTS_DATABASE_URL"], application="test", pool_size=2)
    events = Events(engine)
    yield events
    await events.run("delete from stages where by = 'test'")
    await engine.dispose()


@pytest.fixture
async def session(events: Events) -> str:
    """A session of its own for each test."""
    return await events.session(capacity=20, key=token_hex(8), minutes=90)


@pytest.fixture
def new_pass(stack: LocalServices) -> Callable[[str], Awaitable[str]]:
    """``await new_pass(session)``: the address of a check-in pass, as staff make one."""

    async def make(session_id: str) -> str:
        traboule = Path(sys.executable).with_name("traboule")
        asked = ("events", "check-in-pass", session_id, "--device", "Accueil", "--reason", "test", "--json")
        process = await asyncio.create_subprocess_exec(
            traboule, *asked, env=stack.env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, error = await process.communicate()
        assert process.returncode == 0, error.decode()
        return f"{stack.url('membership')}{json.loads(out)['address']}"

    return make
