"""Every page of the console as axe sees it: both widths, light and dark, with what opens on it open."""

from base64 import b64decode
from pathlib import Path

import pytest

from tests.browser.axe import violations
from tests.browser.console.conftest import Console
from tests.browser.console.deciding import moved_over, with_a_group, with_questions
from tests.integration.gateway.gateways import CLUSTR, NUMELINK, own_id
from tests.support.browser import Tab

pytestmark = pytest.mark.browser

MEMBER, HARM = own_id(CLUSTR, "7"), own_id(NUMELINK, "X")
OPENED = "document.querySelector('[popovertarget=said-street]').click(); null"
KEYS = "document.getElementById('keys').showPopover(); null"
RAIL = "if (innerWidth < 760) document.getElementById('rail').showPopover(); null"
PREVIEWED = """
    document.querySelector('[formaction]').click();
    new Promise(done => new MutationObserver(done).observe(apercu, {childList: true})).then(() => null)
"""
PAGES = {
    "home": ("/console", ""),
    "menu": ("/console", RAIL),
    "keys": ("/console", KEYS),
    "members": ("/console/membres", ""),
    "nobody": ("/console/membres?q=zzz&cluster=numelink", ""),
    "export": ("/console/membres/export?cluster=numelink", ""),
    "member": (f"/console/membres/{MEMBER}", ""),
    "provenance": (f"/console/membres/{MEMBER}", OPENED),
    "asked-about": ("/console/membres/{question}", ""),
    "together": (f"/console/membres/{MEMBER}/fiches", ""),
    "value": (f"/console/membres/{MEMBER}/valeurs/street", ""),
    "edit": (f"/console/membres/{MEMBER}/modifier", ""),
    "record": (f"/console/membres/{own_id(NUMELINK, 'B-1')}/fiche?nom=numelink/B-1", ""),
    "ending": (f"/console/membres/{own_id(NUMELINK, 'B-1')}/fiche/fin?nom=numelink/B-1", ""),
    "new-member": ("/console/membres/nouveau", ""),
    "harm": (f"/console/membres/{HARM}", ""),
    "missing": ("/console/rien", ""),
    "duplicates": (f"/console/doublons?cluster={CLUSTR}&sorte=paires", ""),
    "preview": (f"/console/doublons?cluster={CLUSTR}&sorte=paires", PREVIEWED),
    "group": ("/console/doublons?sorte=groupes", "document.querySelector('.case details').open = true; null"),
    "no-question": ("/console/doublons?certitude=1", ""),
    "evident": ("/console/doublons/evidents?certitude=0.6", ""),
    "decisions": ("/console/doublons/decisions", "document.querySelector('.taken details').open = true; null"),
    "cutover": ("/console/bascule", ""),
    "system-away": ("/console/bascule/numelink/billing", ""),
    "part-away": ("/console/bascule/numelink/billing/conditions", ""),
    "differences-away": ("/console/bascule/numelink/billing/ecarts", ""),
    "move": ("/console/bascule/numelink/billing/passer?vers=mirror", ""),
    "operations-away": ("/console/exploitation", ""),
    "conflicts": ("/console/conflits", ""),
    "conflict": ("/console/conflits/{conflict}", ""),
    "no-conflict": ("/console/conflits?chez=evenements&etat=tous", ""),
    "people": ("/console/acces", ""),
    "person": ("/console/acces", "document.querySelector('.access [popovertarget]').click(); null"),
    "api-keys": ("/console/acces/cles", ""),
    "audit": ("/console/acces/journal", ""),
    "roles": ("/console/acces/roles", ""),
    "sessions": ("/console/acces/moi", ""),
}
WIDTHS = (1440, 390)


async def looked_at(tab: Tab, axe: str, pictures: Path, name: str, opened: str) -> None:
    for width in (*WIDTHS, 320):
        await tab.width(width, 900)
        if opened:
            await tab.run(opened)
        shot = await tab.ask("Page.captureScreenshot")
        (pictures / f"{name}-{width}.png").write_bytes(b64decode(shot["data"]))
        assert await tab.run("document.documentElement.scrollWidth <= innerWidth"), (name, width)
        if width in WIDTHS:
            assert await violations(tab, axe) == [], (name, width)
        assert await tab.run("document.querySelectorAll('h1').length") == 1
        if opened:
            await tab.run("document.querySelectorAll(':popover-open').forEach(each => each.hidePopover()); null")
    wrong = [line for line in tab.console if '"error"' in line and "status of 404" not in line]
    assert wrong == [], name


@pytest.mark.timeout(400)  # every page at three widths, beside other tests
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_nothing_is_wrong_with_any_page(console: Console, axe: str, tmp_path: Path, dark: bool) -> None:
    await with_questions(console.gateway)
    await with_a_group(console.gateway)
    await moved_over(console.gateway)
    (conflict, *_) = (await console.gateway.get("/conflicts")).json()["items"]
    tab = await console.tab("admin", dark=dark)
    for name, (path, opened) in PAGES.items():
        await tab.width(1440, 900)
        await tab.open(console.url + path.format(conflict=conflict["conflict_id"], question=own_id(CLUSTR, "Q0")))
        await looked_at(tab, axe, tmp_path, f"{name}-{'dark' if dark else 'light'}", opened)


async def test_values_of_a_member_stand_below_each_other(console: Console) -> None:
    tab = await console.tab(path=f"/console/membres/{MEMBER}")
    edges = "[...document.querySelectorAll('.field-row')].map(row => row.getBoundingClientRect())"
    for width in WIDTHS:
        await tab.width(width)
        rows = await tab.run(f"{edges}.map(edge => [edge.left, edge.right, edge.top])")
        assert len(rows) > 5
        assert len({(left, right) for left, right, _ in rows}) == 1, width
        assert len({top for _, _, top in rows}) == len(rows), width


async def test_a_member_is_two_pages_on_paper_and_says_who_printed_it(console: Console) -> None:
    tab = await console.tab(path=f"/console/membres/{MEMBER}")
    await tab.ask("Emulation.setEmulatedMedia", media="print")
    assert await tab.run("document.querySelector('.rail').checkVisibility()") is False
    assert await tab.run("document.querySelector('#said-street .lines').checkVisibility()")
    assert "par a staff" in await tab.run("document.querySelector('.foot').innerText")


async def test_a_cold_browser_asks_for_little_and_a_warm_one_for_less(console: Console) -> None:
    tab = await console.tab(path=f"/console/membres/{MEMBER}")
    asked = "performance.getEntriesByType('resource').map(each => [each.name, each.transferSize])"
    cold = await tab.run(asked)
    whole = await tab.run("performance.getEntriesByType('navigation')[0].transferSize")
    assert 3 < len(cold) <= 7, cold
    assert all(name.startswith(console.url) for name, _ in cold)
    assert whole + sum(size for _, size in cold) < 100_000
    await tab.open(f"{console.url}/console/membres")
    assert sum(size for _, size in await tab.run(asked)) == 0
    assert await tab.run("performance.getEntriesByType('navigation')[0].transferSize") < 15_000
