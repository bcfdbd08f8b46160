"""The public pages as axe sees them, on a phone and on a large screen: nothing that it knows to be wrong."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from secrets import token_hex

import pytest

from deploy.local.local_services import LocalServices
from schemas.objections import link_digest
from services.events.checkin.ticket import digest_of, new_token
from services.events.public.links import new_token as new_link
from tests.browser.axe import axe_source, violations
from tests.support.browser import Browser, Tab
from tests.support.events import Events

pytestmark = pytest.mark.browser

TICKET = "insert into tickets (digest, attendee_id, at) values ($1, $2, now())"
WIDTHS = (1440, 390)
NewPass = Callable[[str], Awaitable[str]]


@pytest.fixture(scope="module")
def axe() -> str:
    return axe_source()


@pytest.fixture
def pictures(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Where pictures of the pages are written: ``--basetemp`` says where that is."""
    folder = tmp_path / request.node.name
    folder.mkdir()
    return folder


async def looked_at(tab: Tab, axe: str, pictures: Path, name: str) -> None:
    """Nothing is wrong at either width, nothing is cut off, and nothing was refused by the page's own policy."""
    for width in WIDTHS:
        await tab.width(width)
        await tab.picture(pictures / f"{name}-{width}.png")
        assert await violations(tab, axe) == [], (name, width)
        assert await tab.run("document.documentElement.scrollWidth <= innerWidth"), (name, width)
    refused = [line for line in tab.console if "Failed to load resource" not in line]
    assert refused == [], name


async def test_axe_sees_what_is_wrong(browser: Browser, axe: str) -> None:
    tab = await browser.tab()
    await tab.open("data:text/html,<title>x</title><img src=x><input>")
    await tab.run(f"{axe}; null")
    result = await tab.run("axe.run()")
    assert {"image-alt", "label", "html-has-lang"} <= {each["id"] for each in result["violations"]}


@pytest.mark.parametrize("language", ["fr-FR", "en-GB"])
async def test_the_page_of_a_session(
    stack: LocalServices, browser: Browser, session: str, axe: str, pictures: Path, language: str
) -> None:
    tab = await browser.tab(language)
    await tab.open(f"{stack.url('membership')}/p/e/{session}")
    await looked_at(tab, axe, pictures, "form")
    await tab.run("document.querySelector('details').open = true")
    await looked_at(tab, axe, pictures, "form-of-several")
    await tab.run("document.querySelector('form').noValidate = true; email.value = 'zoe'; email2.value = 'x'")
    await tab.submit("document.querySelector('form button').click()")
    await looked_at(tab, axe, pictures, "errors")
    await tab.run("email.value = 'zoe@example.fr'; name1.value = 'Zoé Müller'; email2.value = ''")
    await tab.submit("document.querySelector('form button').click()")
    await looked_at(tab, axe, pictures, "noted")
    await tab.open(f"{stack.url('membership')}/p/e/00000000-0000-4000-8000-000000000000")
    await looked_at(tab, axe, pictures, "unknown")


async def test_the_page_of_a_registration(
    stack: LocalServices, browser: Browser, events: Events, axe: str, pictures: Path
) -> None:
    session = await events.session(capacity=2, key=token_hex(8))
    await events.register(session, "Ada Martin", "Blaise Petit")
    await events.register(session, "Chloé Été")
    tab = await browser.tab()
    for state in ("registered", "waiting"):
        token = new_link()
        await events.run(
            "insert into links (digest, booking_id, at) select $1, booking_id, now() from bookings "
            "where session_id = $2::uuid and state = $3",
            bytes.fromhex(link_digest(token)),
            session,
            state,
        )
        await tab.open(f"{stack.url('membership')}/p/r/{token}")
        await tab.run("document.querySelectorAll('details').forEach(each => (each.open = true))")
        await looked_at(tab, axe, pictures, state)
    await tab.submit("[...document.querySelectorAll('details button')].at(-1).click()")
    await looked_at(tab, axe, pictures, "answered")


async def test_the_check_in_page(
    browser: Browser, events: Events, session: str, axe: str, pictures: Path, new_pass: NewPass
) -> None:
    names = ["Ada Martin", "Blaise Petit", "Chloé Été", "Maximilienne de La Rochefoucauld-Montbel-Castelnau"]
    attendees = [(await events.register(session, name))["attendees"][0]["attendee_id"] for name in names]
    ticket = new_token()
    await events.run(TICKET, digest_of(ticket), attendees[0])
    await events.ask("check-in", session_id=session, entries=[{"key": "1", "attendee_id": attendees[1]}])
    url = await new_pass(session)
    tab = await browser.tab()
    await tab.ask("Page.addScriptToEvaluateOnNewDocument", source="window.BarcodeDetector = class {}")
    await tab.open(url)
    await tab.becomes("document.querySelector('#people button')?.type === 'button'")
    await looked_at(tab, axe, pictures, "list")
    await tab.run(f"q.value = '{ticket}'; document.forms.find.requestSubmit()")
    await tab.becomes("document.getElementById('ask').open")
    await looked_at(tab, axe, pictures, "asked")
    await tab.offline(off=True)
    await tab.run("document.getElementById('ask-yes').click()")
    await tab.becomes("document.getElementById('sending').textContent.includes('Hors ligne')")
    await looked_at(tab, axe, pictures, "off-line")

    plain = await browser.tab()
    await plain.open(url)
    await plain.submit(f"q.value = '{ticket}'; HTMLFormElement.prototype.submit.call(document.forms.find)")
    await looked_at(plain, axe, pictures, "asked-without-script")
