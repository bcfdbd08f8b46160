"""A phone at the entrance: it types, scans, loses the network, and all who came in are counted once."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from services.events.checkin.ticket import digest_of, new_token
from tests.support.browser import Browser, Tab
from tests.support.events import Events
from tests.support.waiting import eventually

pytestmark = pytest.mark.browser

NewPass = Callable[[str], Awaitable[str]]
_TICKET = "insert into tickets (digest, attendee_id, at) values ($1, $2, now())"
_CAMERA = """
    window.BarcodeDetector = class { async detect() { return [{ rawValue: "HTTPS://TICKETS.EXAMPLE/C/%s" }]; } };
"""


async def with_ticket(events: Events, session: str, name: str) -> str:
    token = new_token()
    attendee = (await events.register(session, name))["attendees"][0]["attendee_id"]
    await events.run(_TICKET, digest_of(token), attendee)
    return token


async def opened(browser: Browser, url: str) -> Tab:
    """The page, once its script has the list."""
    tab = await browser.tab()
    await tab.open(url)
    await tab.becomes("!document.getElementById('live').hidden && performance.getEntriesByType('resource').length > 1")
    await tab.becomes("document.querySelector('#people button')?.type === 'button'")
    return tab


async def came(events: Events, session: str) -> list[Any]:
    items = (await events.ask("expected", session_id=session))["items"]
    return sorted(item["name"] for item in items if item["attended_at"] is not None)


async def came_in(events: Events, session: str, *names: str) -> None:
    async def so() -> bool:
        return await came(events, session) == sorted(names)

    await eventually(so)


def let_in(name: str) -> str:
    return f"[...document.querySelectorAll('#people button')].find(b => b.ariaLabel.endsWith({name!r})).click()"


def typed(field: str, text: str) -> str:
    return f"""
        document.getElementById({field!r}).value = {text!r};
        document.getElementById({field!r}).dispatchEvent(new Event("input"));
        document.getElementById({field!r}).form.requestSubmit()
    """


async def test_a_typed_code_shows_the_name_asks_and_lets_in(
    browser: Browser, events: Events, session: str, new_pass: NewPass
) -> None:
    ticket = await with_ticket(events, session, "Ada")
    await events.register(session, "Blaise")
    url = await new_pass(session)
    tab = await opened(browser, url)
    await tab.run(typed("q", ticket.lower()))
    await tab.becomes("document.getElementById('ask').open")
    assert await tab.run("document.getElementById('ask-name').textContent") == "Ada"
    assert await came(events, session) == []
    await tab.run("document.getElementById('ask-yes').click()")
    await came_in(events, session, "Ada")
    assert await tab.run("document.getElementById('present').textContent") == "1"

    other = await opened(browser, url)
    await other.run(typed("q", ticket))
    await other.becomes("document.getElementById('ask').open")
    assert await other.run("document.getElementById('ask-title').textContent") == "Déjà noté"
    note = await other.run("document.getElementById('ask-note').textContent")
    assert "entrée à" in note
    assert "(Accueil " in note
    assert await other.run("document.getElementById('ask-yes').hidden")
    assert tab.console == other.console == []


async def test_off_line_it_goes_on_and_sends_later_what_it_kept(
    browser: Browser, events: Events, session: str, new_pass: NewPass
) -> None:
    ticket = await with_ticket(events, session, "Ada")
    await events.register(session, "Blaise")
    tab = await opened(browser, await new_pass(session))
    await tab.offline(off=True)
    await tab.run(let_in("Blaise"))
    await tab.run(typed("name", "Paul\tRoux"))
    await tab.run(typed("q", ticket))
    await tab.becomes("document.getElementById('ask').open")
    await tab.run("document.getElementById('ask-yes').click()")
    await tab.becomes("document.getElementById('sending').textContent.includes('À envoyer\\u00a0: 3')")
    assert "Hors ligne" in await tab.run("document.getElementById('sending').textContent")
    assert await tab.run("document.getElementById('present').textContent") == "3"
    assert await came(events, session) == []

    await tab.offline(off=False)
    # The page may be closed and opened again meanwhile: the phone kept them.
    await tab.open(await tab.run("location.href"))
    await came_in(events, session, "Ada", "Blaise", "Paul Roux")
    [(devices,)] = await events.rows(
        "select count(distinct device) from checkins where session_id = $1::uuid and device ~ '^Accueil [A-Z0-9]{3}$'",
        session,
    )
    assert devices == 1


async def test_the_camera_reads_a_ticket_where_the_browser_can(
    browser: Browser, events: Events, session: str, new_pass: NewPass
) -> None:
    ticket = await with_ticket(events, session, "Ada")
    url = await new_pass(session)
    tab = await browser.tab()
    await tab.ask("Page.addScriptToEvaluateOnNewDocument", source=_CAMERA % ticket)
    await tab.open(url)
    await tab.becomes("document.querySelector('#people button')?.type === 'button'")
    assert not await tab.run("document.getElementById('scan').hidden")
    await tab.run("document.getElementById('scan').click()")
    await tab.becomes("document.getElementById('ask').open")
    assert await tab.run("document.getElementById('ask-name').textContent") == "Ada"
    await tab.run("document.getElementById('ask-yes').click()")
    await came_in(events, session, "Ada")
    assert tab.console == []


async def test_without_a_script_forms_do_the_same(
    browser: Browser, events: Events, session: str, new_pass: NewPass
) -> None:
    ticket = await with_ticket(events, session, "Ada")
    tab = await browser.tab("en-GB")
    await tab.ask("Emulation.setScriptExecutionDisabled", value=True)
    await tab.open(await new_pass(session))
    assert await tab.run("document.getElementById('live').hidden")
    await tab.run(f"document.getElementById('q').value = {ticket!r}")
    await tab.submit("document.querySelector('#find button').click()")
    assert "Is it this person?" in await tab.run("document.querySelector('.asked').innerText")
    await tab.submit("document.querySelector('.asked button').click()")
    assert "Noted: Ada" in await tab.run("document.querySelector('.state').innerText")
    await came_in(events, session, "Ada")


async def test_a_pass_that_ends_leaves_no_name_on_the_phone(
    browser: Browser, events: Events, session: str, new_pass: NewPass
) -> None:
    await events.register(session, "Ada")
    tab = await opened(browser, await new_pass(session))
    await events.run("update checkin_passes set ended_at = now() where session_id = $1::uuid", session)
    await tab.run(let_in("Ada"))
    await tab.becomes("document.querySelector('main').innerText.includes('plus valable')")
    assert await tab.run("Object.keys(localStorage).length") == 0
    assert "Ada" not in await tab.run("document.body.innerText")
