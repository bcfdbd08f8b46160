"""Answering questions: by keyboard alone, without a script, two people at once, and taking it back."""

from collections.abc import AsyncIterator

import pytest

from tests.browser.console.conftest import Console, open_console
from tests.browser.console.deciding import NAMES, moved_over, with_questions
from tests.browser.console.keyboard import press
from tests.integration.gateway.duplicates.decisions import decide
from tests.integration.gateway.gateways import CLUSTR, NUMELINK, own_id
from tests.support.browser import Browser, Tab

pytestmark = pytest.mark.browser

PATH = "/console/doublons"
NOTICE = "document.getElementById('notices').innerText"
TITLES = "[...document.querySelectorAll('.compared thead a')].map(each => each.textContent)"
WAITING = "document.querySelector('.rail [aria-current] .count')?.lastChild.textContent"


@pytest.fixture
async def asked(database_url: str, browser: Browser) -> AsyncIterator[Console]:
    """A console with two questions and nothing else."""
    async with open_console(database_url, browser) as console:
        await with_questions(console.gateway)
        yield console


async def answered(tab: Tab, key: str) -> None:
    """Press a key that leads to another page."""
    await tab.run("document.documentElement.dataset.before = 'yes'; null")
    await press(tab, key)
    await tab.becomes("document.readyState == 'complete' && !document.documentElement.dataset.before")


async def test_by_keyboard_alone(asked: Console) -> None:
    tab = await asked.tab(path="/console")
    await press(tab, "g", "d")
    await tab.becomes(f"location.pathname == '{PATH}' && {WAITING} == '2'")
    first = await tab.run(TITLES)
    await answered(tab, "p")
    assert await tab.run(TITLES) != first
    await answered(tab, "o")
    assert "oui, une seule entreprise" in await tab.run(NOTICE)
    assert await tab.run(WAITING) == "1"
    assert await tab.run(TITLES) == first, "of those that were put off, the first comes again"
    await answered(tab, "u")
    assert "La décision est annulée" in await tab.run(NOTICE)
    assert await tab.run(WAITING) == "2"
    await answered(tab, "n")
    assert "non, des entreprises distinctes" in await tab.run(NOTICE)
    (decision, *_) = (await asked.gateway.get("/duplicates/decisions")).json()["items"]
    assert (decision["author"], decision["pairs"][0]["verdict"]) == ("a staff", "different")
    assert decision["reason"] == "Activités différentes (NAF)"


async def test_keys_do_nothing_while_the_reason_is_typed(asked: Console) -> None:
    tab = await asked.tab(path=PATH)
    await tab.run("reason.value = ''; reason.focus(); null")
    await press(tab, "n", "o", "n")
    assert await tab.run("[location.pathname, reason.value]") == [PATH, "non"]
    assert (await asked.gateway.get("/duplicates/decisions")).json()["items"] == []


async def test_without_a_script(asked: Console) -> None:
    tab = await asked.tab(path=PATH, script=False)
    await tab.submit("document.querySelector('[formaction]').click()")
    assert "Il y aurait 1 membre" in await tab.run("document.getElementById('apercu').innerText")
    await tab.submit("reason.value = 'vu avec elles'; document.querySelector('[value=same]').click()")
    assert "oui, une seule entreprise" in await tab.run(NOTICE)
    await tab.submit("document.querySelector('[data-key=u]').click()")
    assert "La décision est annulée" in await tab.run(NOTICE)
    assert len(await tab.run("[...document.querySelectorAll('.queue li')].map(each => 1)")) == 2


async def test_a_preview_comes_into_the_page(asked: Console) -> None:
    tab = await asked.tab(path=PATH)
    await tab.run("reason.value = 'typed'; document.querySelector('[formaction]').click()")
    await tab.becomes("document.getElementById('apercu').innerText.includes('Il y aurait 1 membre')")
    assert await tab.run("[location.pathname, reason.value]") == [PATH, "typed"]
    assert (await asked.gateway.get("/duplicates/decisions")).json()["items"] == []


async def test_two_who_decide_the_same_case(asked: Console) -> None:
    first_tab, other = await asked.tab(path=PATH), await asked.tab(role="admin", path=PATH)
    await answered(first_tab, "o")
    await answered(other, "n")
    notice = await other.run(NOTICE)
    assert "Déjà tranché" in notice.replace("\u202f", " ")
    assert "oui, une seule entreprise. a staff, le " in notice
    assert await other.run(f"{TITLES}.length") == 2, "the next question is here"
    (decision,) = (await asked.gateway.get("/duplicates/decisions")).json()["items"]
    assert decision["pairs"][0]["verdict"] == "same"


async def test_the_evident_ones_at_once_and_one_of_them_undone(asked: Console) -> None:
    tab = await asked.tab(path=f"{PATH}/evidents?certitude=0.6")
    boxes = "document.querySelectorAll('.evident input:checked').length"
    assert await tab.run(boxes) == len(NAMES)
    await tab.submit("reason.value = 'relu ensemble'; document.querySelector('.answering .first').click()")
    assert "2 paires" in await tab.run(NOTICE)
    await tab.run("document.querySelector('.evident .button').click()")
    await tab.becomes("document.querySelectorAll('.evident .tag.quiet').length == 1")
    items = (await asked.gateway.get("/duplicates/decisions")).json()["items"]
    assert [item["taken_back"] is None for item in items].count(True) == 1


async def test_what_was_merged_is_separated_and_comes_back(asked: Console) -> None:
    first, second = f"{CLUSTR}/Q1", f"{NUMELINK}/R1"
    await decide(asked.gateway, "same", first, second)
    tab = await asked.tab(path=f"/console/membres/{own_id(CLUSTR, 'Q1')}/fiches")
    await tab.run("document.querySelectorAll('.box input')[1].click(); reason.value = 'deux sociétés'; null")
    await tab.run("document.querySelector('[formaction]').click()")
    await tab.becomes("document.getElementById('apercu').innerText.includes('Il y aurait 2 membres')")
    await tab.submit("document.querySelector('.answering .first').click()")
    assert "Séparées." in await tab.run(NOTICE)
    await answered(tab, "u")
    assert "La séparation est annulée." in await tab.run(NOTICE)
    assert (await asked.gateway.get(f"/members/{own_id(NUMELINK, 'R1')}")).json()["id"] == own_id(CLUSTR, "Q1")


async def test_two_who_change_a_record_and_a_value_that_is_set(asked: Console) -> None:
    await moved_over(asked.gateway)
    member = f"/console/membres/{own_id(NUMELINK, 'R0')}"
    path = f"{member}/fiche?nom={NUMELINK}/R0"
    quicker, slower = await asked.tab(path=path), await asked.tab(role="admin", path=path)
    for tab, city in ((quicker, "Givors"), (slower, "Lorette")):
        await tab.submit(
            f"document.querySelector('[name=city]').value = '{city}'; "
            "document.querySelector('.answering .first').click()"
        )
    assert await slower.run("[...document.querySelectorAll('.twice tbody td')].map(each => each.innerText)") == [
        "Lorette",
        "Givors",
    ]
    await slower.submit("document.querySelector('.twice ~ .ways .first').click()")
    await slower.open(f"{asked.url}{member}/valeurs/city")
    await slower.submit(
        "value.value = 'Rive-de-Gier'; reason.value = 'vu'; document.querySelector('.fields .first').click()"
    )
    shown = "document.querySelector('#city .value').textContent"
    assert "Rive-de-Gier" in await slower.run(shown)
    await answered(slower, "u")
    assert "Lorette" in await slower.run(shown)
