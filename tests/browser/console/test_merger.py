"""Moving a former system in a real browser, its service beside it: live, killed in the middle, without a script."""

from base64 import b64decode
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import orjson
import pytest

from deploy.local.nodes import Nodes
from services.gateway.console.session import COOKIE
from tests.browser.axe import violations
from tests.browser.console.conftest import HOSTILE
from tests.browser.console.keyboard import press
from tests.integration.cutover.console.clicking import SYSTEM, Clicking
from tests.integration.cutover.differences import a_difference, compared
from tests.integration.cutover.http.test_parked import QUEUE, body, parked, without
from tests.integration.cutover.staff import Staff
from tests.integration.gateway.gateways import lifespan
from tests.support.browser import Browser, Tab
from tests.support.http_server import served
from tests.support.in_process import OwnService, Passwords, own_service

pytestmark = pytest.mark.browser

WIDTHS = (1440, 390)


class Merger:
    """``await merger.tab("/console/bascule")``: an administrator's page, of a gateway with billing beside it."""

    def __init__(self, clicking: Clicking, browser: Browser, url: str) -> None:
        self.clicking, self.url = clicking, url
        self.billing = clicking.staff.billing
        self._browser = browser

    async def tab(self, path: str, role: str = "admin", *, script: bool = True, dark: bool = False) -> Tab:
        tab = await self._browser.tab()
        cookie = {"name": COOKIE, "value": await self.clicking.session(role), "url": self.url, "path": "/"}
        await tab.ask("Network.setCookie", secure=True, httpOnly=True, **cookie)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await tab.ask("Emulation.setEmulatedMedia", features=[scheme])
        await tab.ask("Emulation.setScriptExecutionDisabled", value=not script)
        await tab.width(1440, 900)
        await tab.open(self.url + path)
        return tab


@pytest.fixture(scope="module")
def two(nodes: Nodes, passwords: Passwords) -> Iterator[OwnService]:
    with own_service(nodes, passwords, "membership", "billing") as own:
        yield own


@pytest.fixture
async def merger(two: OwnService, browser: Browser) -> AsyncIterator[Merger]:
    billing = replace(two, name="billing")
    await two.empty()
    await billing.empty()
    async with two.running(answer_seconds=1.5) as service, lifespan(service.http):
        transport = httpx2.ASGITransport(service.http, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
            staff = Staff(two, billing, client)
            async with Clicking.of(staff) as clicking, served(service.http) as url:
                yield Merger(clicking, browser, url)


async def looked_at(tab: Tab, axe: str, pictures: Path, name: str) -> None:
    """Pictures at both widths, and nothing that axe finds."""
    for width in (*WIDTHS, 320):
        await tab.width(width, 900)
        shot = await tab.ask("Page.captureScreenshot", captureBeyondViewport=True)
        (pictures / f"{name}-{width}.png").write_bytes(b64decode(shot["data"]))
        assert await tab.run("document.documentElement.scrollWidth <= innerWidth"), (name, width)
        if width in WIDTHS:
            assert await violations(tab, axe) == [], (name, width)
    await tab.width(1440, 900)


FILLED = "document.querySelectorAll('.awaited').length == 0"
MAIN = "document.querySelector('main').innerText"


async def test_a_move_with_live_steps(merger: Merger, axe: str, tmp_path: Path) -> None:
    async with merger.billing.running():
        tab = await merger.tab("/console/bascule")
        await looked_at(tab, axe, tmp_path, "board")
        await tab.submit(f"document.querySelector('a[href=\"{SYSTEM}\"]').click()")
        await tab.becomes(FILLED)
        await looked_at(tab, axe, tmp_path, "system")
        await tab.submit("document.querySelector('.actions .first').click()")
        await tab.run("document.getElementById('reason').value = 'Tout est prêt'; null")
        await tab.submit("document.querySelector('.moving [type=submit]').click()")
        await tab.becomes("document.querySelectorAll('.steps .done').length == 4")
        assert "C’est fait" in await tab.run(MAIN)
        await looked_at(tab, axe, tmp_path, "moved")
        dark = await merger.tab(SYSTEM, dark=True)
        await dark.becomes(FILLED)
        await looked_at(dark, axe, tmp_path, "system-dark")
        await tab.open(f"{merger.url}{SYSTEM}/passer?vers=switch")
        assert await tab.run("document.querySelectorAll('input[type=checkbox]').length") > 2
        await looked_at(tab, axe, tmp_path, "switch")
    wrong = [line for line in tab.console if '"error"' in line]
    assert wrong == []


async def test_a_service_killed_in_the_middle(merger: Merger, axe: str, tmp_path: Path) -> None:
    async with merger.billing.running():
        tab = await merger.tab(SYSTEM)
        await tab.becomes(FILLED)
    await tab.open(merger.url + SYSTEM)
    assert "Autorité" in await tab.run(MAIN)
    await tab.becomes(f"{FILLED} && document.querySelectorAll('.away').length == 5")
    await looked_at(tab, axe, tmp_path, "away")
    await tab.open(f"{merger.url}{SYSTEM}/passer?vers=mirror")
    await tab.run("document.getElementById('reason').value = 'Tout est prêt'; null")
    await tab.submit("document.querySelector('.moving [type=submit]').click()")
    assert await tab.run("document.querySelectorAll('.steps .now').length") == 1
    await looked_at(tab, axe, tmp_path, "waiting")
    async with merger.billing.running():
        await tab.becomes("document.querySelectorAll('.steps .done').length == 4")
        await tab.open(merger.url + SYSTEM)
        await tab.becomes(f"{FILLED} && document.querySelectorAll('.away').length == 0")
        assert await tab.run("document.querySelector('.track [aria-current]').textContent") == "miroir"


async def test_a_late_message_is_decided_side_by_side(merger: Merger, axe: str, tmp_path: Path) -> None:
    staff = merger.clicking.staff
    async with merger.billing.running():
        await staff.moved("mirror")
        await compared(merger.billing, a_difference("F1"))
        await staff.moved("switch")
        number = await staff.late(invoice_id="F1", label=HOSTILE)
        tab = await merger.tab(SYSTEM)
        await tab.becomes(FILLED)
        await looked_at(tab, axe, tmp_path, "live")
        await tab.submit("document.querySelector('#tardifs .lines a').click()")
        await looked_at(tab, axe, tmp_path, "late")
        await tab.run("document.getElementById('reason').value = 'Il a raison'; null")
        await tab.submit(f"document.querySelector('[action$=\"/{number}/appliquer\"] .first').click()")
        assert "Le message tardif est appliqué." in await tab.run(MAIN)
        await tab.becomes(f"{FILLED} && {MAIN}.includes('Aucun message n’attend un avis.')")


async def test_differences_are_accepted_in_bulk_and_that_is_undone(merger: Merger, axe: str, tmp_path: Path) -> None:
    staff, billing = merger.clicking.staff, merger.billing
    async with billing.running():
        await staff.moved("mirror")
        for days_ago, still_open in ((80, 41), (61, 33), (60, 12), (31, 14), (12, 5), (1, 5)):
            await compared(billing, days_ago=days_ago, counts=(still_open, 2))
        await compared(billing, a_difference("R1", kind="dues"), subject="rehearsal", days_ago=1)
        long = {"label": HOSTILE, "gross": "1080.00", "lines": [{"amount": "12.00", "label": "Cotisation"}] * 3}
        whole = a_difference("FA-2026-0003", "missing-here", fields=[], there=long, here=None)
        differ = [a_difference(f"F{n}", there={"label": "Cotisation 2026"}, owner="Zoé") for n in range(3)]
        await compared(billing, *differ, a_difference(HOSTILE[:180], there=long, here={"gross": "1080.00"}), whole)
        tab = await merger.tab(SYSTEM)
        await tab.becomes(FILLED)
        await looked_at(tab, axe, tmp_path, "parity")
        await tab.submit("document.querySelector('#parite .ways a').click()")
        assert await tab.run("document.querySelectorAll('.difference').length") == 5
        await tab.run("document.querySelectorAll('details').forEach(each => each.open = true); null")
        await looked_at(tab, axe, tmp_path, "differences")
        dark = await merger.tab(f"{SYSTEM}/ecarts?qui=Zo%C3%A9&cocher=tout", dark=True)
        await looked_at(dark, axe, tmp_path, "differences-dark")
        # Nobody decides anything by pressing Enter in a field.
        await dark.run("document.getElementById('reason').value = 'x'; document.getElementById('a-qui').focus(); null")
        await press(dark, "Enter")
        plain = await merger.tab(f"{SYSTEM}/ecarts?qui=Zo%C3%A9", script=False)
        await plain.submit("document.querySelector('.differences .ways a').click()")
        assert await plain.run("document.querySelectorAll('.difference :checked').length") == 3
        await plain.run("document.getElementById('reason').value = 'Abrégé là-bas'; null")
        await plain.submit("document.querySelector('.answering .first').click()")
        assert "3 écarts sont acceptés" in await plain.run(MAIN)
        await dark.open(await plain.run("location.href"))
        await looked_at(dark, axe, tmp_path, "accepted-dark")
        await plain.submit("document.querySelector('.note [type=submit]').click()")
        assert "3 écarts sont rouverts." in await plain.run(MAIN)
        await tab.open(f"{merger.url}{SYSTEM}/ecarts?sujet=repetition")
        await looked_at(tab, axe, tmp_path, "rehearsal")


async def test_a_parked_message_is_corrected_and_a_group_sent_again(merger: Merger, axe: str, tmp_path: Path) -> None:
    staff = merger.clicking.staff
    async with merger.billing.running():
        event = without(body(invoice_id="F-1"), "gross")
        event["data"]["label"] = HOSTILE
        first, *_ = await parked(staff, event, *(without(body(), "gross") for _ in range(11)))
        tab = await merger.tab("/console/exploitation")
        # Events and communications do not run here.
        await tab.becomes(f"{FILLED} && document.querySelectorAll('.away').length == 2")
        await looked_at(tab, axe, tmp_path, "operations")
        await tab.submit("document.querySelector('#billing .lines a').click()")
        await looked_at(tab, axe, tmp_path, "group")
        await tab.open(f"{merger.url}/console/exploitation/billing/messages/{first}")
        await tab.run("document.querySelector('details:has(textarea)').open = true; null")
        # It would turn round what stands after it.
        assert "\u202e" not in await tab.run(MAIN)
        await looked_at(tab, axe, tmp_path, "message")
        await tab.run("document.getElementById('body').value = '{'; document.getElementById('why').value = 'x'; null")
        await tab.submit("document.querySelector('details form [type=submit]').click()")
        assert "Ce n’est pas du JSON" in await tab.run(MAIN)
        assert await tab.run("document.getElementById('body').value") == "{"
        await looked_at(tab, axe, tmp_path, "refused")
        fixed = orjson.dumps(orjson.dumps(body(invoice_id="F-1")).decode()).decode()
        await tab.run(f"document.getElementById('body').value = {fixed}; null")
        await tab.submit("document.querySelector('details form [type=submit]').click()")
        await tab.becomes("document.querySelector('.tag.good') != null")
        await tab.open(f"{merger.url}/console/exploitation/billing/messages?file={QUEUE}&motif=invalid-field")
        await tab.run("document.getElementById('reason').value = 'Encore'; null")
        await tab.submit("document.querySelector('.column [type=submit]').click()")
        await tab.becomes(f"{MAIN}.includes('10 ont été remis de côté.')")
        await looked_at(tab, axe, tmp_path, "outcome")


async def test_without_a_script_links_lead_to_each_part_and_a_move_is_followed(merger: Merger) -> None:
    async with merger.billing.running():
        tab = await merger.tab(SYSTEM, script=False)
        assert await tab.run("document.querySelector('#conditions a').checkVisibility()")
        await tab.submit("document.querySelector('#conditions a').click()")
        assert "à faire" in await tab.run(MAIN)
        await tab.open(f"{merger.url}{SYSTEM}/passer?vers=mirror")
        await tab.run("document.getElementById('reason').value = 'Tout est prêt'; null")
        await tab.submit("document.querySelector('.moving [type=submit]').click()")
        # Nothing asks for it: the page loads itself again. Before it is whole, another would be taken for it.
        await tab.becomes("document.readyState == 'complete' && document.querySelectorAll('.steps .done').length == 4")
        await tab.open(merger.url + SYSTEM)
        assert await tab.run("document.querySelector('.track [aria-current]').textContent") == "miroir"
