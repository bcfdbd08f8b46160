"""Finding a member: as one types, by keyboard alone, on a phone, and without a script."""

import pytest

from tests.browser.console.conftest import SIREN, Console
from tests.browser.console.keyboard import press
from tests.integration.gateway.gateways import CLUSTR, own_id

pytestmark = pytest.mark.browser

MEMBER = f"/console/membres/{own_id(CLUSTR, '7')}"
ROWS = "document.querySelectorAll('.row-link').length"
FOCUSED = "document.activeElement.textContent"


async def test_by_keyboard_alone(console: Console) -> None:
    tab = await console.tab()
    await press(tab, "g", "m")
    await tab.becomes(f"location.pathname == '/console/membres' && {ROWS} == 50")
    await tab.becomes("document.readyState == 'complete'")
    await press(tab, "/", *"forges")
    await tab.becomes(f"{ROWS} == 1")
    assert await tab.run(
        "[document.activeElement.id, location.search, document.getElementById('count').textContent]"
    ) == [
        "q",
        "?q=forges",
        "1 membre",
    ]
    assert (await tab.run("document.getElementById('export').href")).endswith("/console/membres/export?q=forges")
    options = "[...document.querySelectorAll('#cluster option')].map(option => option.textContent)"
    assert "Numelink (1)" in await tab.run(options)
    await press(tab, "Escape")
    assert await tab.run("[document.activeElement.id, document.getElementById('q').value]") == ["", "forges"]
    await press(tab, "j")
    assert await tab.run(FOCUSED) == "Forges du Gier"
    await press(tab, "Enter")
    await tab.becomes(f"location.pathname == '{MEMBER}'")
    await tab.becomes("document.readyState == 'complete'")
    await tab.run("history.back()")
    await tab.becomes(f"document.getElementById('q')?.value == 'forges' && {ROWS} == 1")
    await tab.becomes("document.readyState == 'complete'")
    await press(tab, "?")
    assert await tab.run("document.getElementById('keys').matches(':popover-open')")


async def test_keys_do_nothing_while_one_types_or_where_they_are_switched_off(console: Console) -> None:
    tab = await console.tab(path="/console/membres")
    await press(tab, "/", "j", "?")
    assert await tab.run("document.getElementById('q').value") == "j?"
    await tab.run("document.activeElement.blur(); document.documentElement.dataset.keys = 'off'; null")
    await press(tab, "?", "/")
    assert await tab.run("[document.activeElement.tagName, document.querySelectorAll(':popover-open').length]") == [
        "BODY",
        0,
    ]


async def test_a_list_grows_and_the_keyboard_stays_where_it_grew(console: Console) -> None:
    tab = await console.tab(path="/console/membres")
    await tab.run("document.querySelector('.more a').focus(); document.querySelector('.more a').click()")
    await tab.becomes(f"{ROWS} == 60")
    fifty_first = "document.querySelectorAll('.row-link')[50]"
    await tab.becomes(f"document.activeElement == {fifty_first}")
    assert await tab.run("document.querySelector('.more')") is None


async def test_an_exact_siren_opens_its_member_as_one_types(console: Console) -> None:
    tab = await console.tab()
    await tab.width(390)
    await tab.open(f"{console.url}/console/membres")
    await tab.run(f"q.value = '{SIREN}'; q.dispatchEvent(new Event('input', {{bubbles: true}})); null")
    await tab.becomes(
        f"location.pathname == '{MEMBER}' && document.querySelector('h1').textContent == 'Forges du Gier'"
    )


async def test_others_values_open_on_a_click_and_close_by_escape(console: Console) -> None:
    tab = await console.tab(path=MEMBER)
    opened = "document.querySelector('#said-street').matches(':popover-open')"
    await tab.run("document.querySelector('[popovertarget=said-street]').click()")
    assert await tab.run(opened)
    assert "33 rue des Tisserands" in await tab.run("document.querySelector('#said-street').innerText")
    await press(tab, "Escape")
    await tab.becomes(f"!{opened}")


async def test_the_timeline_is_narrowed_in_place(console: Console) -> None:
    tab = await console.tab(path=MEMBER)
    await tab.run("[...document.querySelectorAll('.kinds a')].find(a => a.textContent == 'Inscriptions').click()")
    await tab.becomes("document.querySelectorAll('.happenings time').length == 1")
    # htmx gives the focus back a moment after it has put the answer in.
    await tab.becomes(f"{FOCUSED} == 'Inscriptions'")


async def test_without_a_script_links_and_forms_do_the_same(console: Console) -> None:
    tab = await console.tab(path="/console/membres", script=False)
    assert await tab.run("document.querySelector('.without-script').checkVisibility()")
    await tab.submit("q.value = 'forges'; document.querySelector('#search button').click()")
    assert await tab.run(ROWS) == 1
    await tab.submit("document.querySelector('.row-link').click()")
    assert await tab.run("document.querySelector('h1').textContent") == "Forges du Gier"
    await tab.run("document.querySelector('[popovertarget=said-street]').click()")
    assert await tab.run("document.querySelector('#said-street').matches(':popover-open')")


async def test_a_lost_connection_is_told_and_what_was_shown_stays(console: Console) -> None:
    tab = await console.tab(path="/console/membres")
    await tab.offline(off=True)
    await tab.run("q.value = 'forges'; q.dispatchEvent(new Event('input', {bubbles: true})); null")
    await tab.becomes("document.getElementById('notices').textContent.startsWith('La connexion est coupée')")
    assert await tab.run(ROWS) == 50


async def test_a_session_that_ended_leads_to_the_page_for_that(console: Console) -> None:
    tab = await console.tab(path="/console/membres")
    await tab.ask("Network.clearBrowserCookies")
    await tab.run("q.value = 'forges'; q.dispatchEvent(new Event('input', {bubbles: true})); null")
    await tab.becomes("location.pathname == '/console/connexion' || notices.textContent.includes('session')")
