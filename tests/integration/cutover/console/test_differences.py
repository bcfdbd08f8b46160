"""Parity on a former system's page, and its differences: filtered, accepted in bulk, undone, given to somebody."""

import re
from typing import Any

import pytest

from tests.integration.cutover.console.clicking import SYSTEM, Clicking, text_of
from tests.integration.cutover.differences import a_difference, compared, id_of
from tests.support.waiting import eventually

PAGE = f"{SYSTEM}/ecarts"
HOSTILE = '<b onclick="x">Mme Durand</b>'


async def found(console: Clicking) -> None:
    """Two invoices that differ, one missing here, a payment that somebody has."""
    differ = [a_difference(f"F{n}", there={"label": HOSTILE, "vat": 20}, here={"label": "M. Durand", "vat": 20})
              for n in (1, 2)]  # fmt: skip
    payment = a_difference("P<1>", kind="payment", fields=["amount"], owner="a <treasurer>")
    await compared(console.staff.billing, *differ, a_difference("F3", "missing-here", fields=[], here=None), payment)


def ticks(*items: str) -> dict[str, str]:
    return {f"ecart_{id_of(item)}": "oui" for item in items}


def items_of(html: str) -> list[str]:
    return re.findall(r"<strong><bdi>(.*?)</bdi>", html)


async def after(console: Clicking, answer: Any, role: str = "treasurer") -> str:
    """The page that a form leads to."""
    assert answer.status_code == 303, text_of(answer.text)
    page = await console.get(answer.headers["location"], role)
    assert page.status_code == 200
    return page.text


async def test_what_was_never_compared_says_what_compares_it(console: Clicking) -> None:
    part = await console.text(f"{SYSTEM}/parite")
    for shown in ("Jamais comparé avec ce que l’ancien système contient.", "traboule parity --as numelink/billing …",
                  "Jamais répété", "traboule rehearse numelink/billing"):  # fmt: skip
        assert shown in part
    assert "traboule parity" in await console.text(PAGE)
    assert "traboule rehearse numelink/billing" in await console.text(f"{PAGE}?sujet=repetition")


async def test_numbers_a_line_over_time_and_rehearsal_beside_it(console: Clicking) -> None:
    for days_ago, counts in ((100, (90, 0)), (45, (8, 0)), (9, (2, 6))):
        await compared(console.staff.billing, days_ago=days_ago, counts=counts)
    await found(console)
    await compared(console.staff.billing, subject="rehearsal")
    html = (await console.get(f"{SYSTEM}/parite", "operator")).text
    words = text_of(html)
    assert "8 écarts" not in words
    for shown in ("4 écarts ouverts", "Factures 12 10", "aucun écart ouvert", "Répétition", "3 comparaisons"):
        assert shown in words
    assert "1\u202f080,00" in html
    mirror, rehearsal = re.findall(r'<svg viewBox="0 0 1000 120".*?aria-label="(.*?)"', html)
    assert re.search(r"Miroir\. Écarts ouverts\s: 8 le .*, 4 maintenant, au plus 8", mirror)
    assert re.search(r"0 maintenant, au plus 0", rehearsal)
    assert "90" not in re.findall(r"<td>(\d+)</td>", html)
    assert f'href="{PAGE}"' in html
    assert "Durand" not in html
    assert "style=" not in html


async def test_both_sides_of_a_difference_with_what_differs_marked(console: Clicking) -> None:
    await found(console)
    html = (await console.get(PAGE, "staff")).text
    assert items_of(html) == ["F3", "F1", "F2", "P&lt;1&gt;"]
    assert HOSTILE not in html
    assert "&lt;b onclick=&#34;x&#34;&gt;Mme Durand" in html
    first = html.split("<bdi>F1<")[1]
    (differs, equal) = re.findall(r"<tr( class=\"apart-from\")?><th scope=\"row\">(?:label|vat)", first)[:2]
    assert (bool(differs), bool(equal)) == (True, False)
    assert "à : a <treasurer>" in text_of(html)
    # Billing's differences are the treasurer's: whoever may not decide them sees no form.
    assert 'method="post"' not in html.split("<main")[1]
    assert "checkbox" not in html
    blind = (await console.get(PAGE, "operator")).text
    assert items_of(blind) == items_of(html)
    assert "Durand" not in blind
    assert (await console.get(PAGE, "reader")).status_code == 403


async def test_filters_stand_in_the_address(console: Clicking) -> None:
    await found(console)
    shown = {
        "sorte=payment": ["P&lt;1&gt;"], "nature=manque-ici": ["F3"], "champ=amount": ["P&lt;1&gt;"],
        "qui=personne": ["F3", "F1", "F2"], "qui=moi": [], "qui=a+%3Ctreasurer%3E": ["P&lt;1&gt;"],
        "etat=acceptes": [], "etat=tous": ["F3", "F1", "F2", "P&lt;1&gt;"],
    }  # fmt: skip
    for query, items in shown.items():
        html = (await console.get(f"{PAGE}?{query}", "treasurer")).text
        assert items_of(html) == items, query
        assert " selected>" in html
    strange = (await console.get(f"{PAGE}?sorte=%3Cx%3E", "treasurer")).text
    assert "Aucun écart n’est ainsi." in strange
    assert '<option value="&lt;x&gt;" selected>' in strange
    for wrong in ("nature=x", "etat=x", "sujet=x", "suite=-1", "suite=x"):
        assert (await console.get(f"{PAGE}?{wrong}", "treasurer")).status_code == 422, wrong


async def test_many_are_accepted_with_one_reason_and_that_is_undone(console: Clicking) -> None:
    await found(console)
    await compared(console.staff.billing, a_difference("R1"), subject="rehearsal")
    done = await console.post(
        f"{PAGE}/accepter?sorte=invoice", "treasurer", reason="Arrondi là-bas", **ticks("F1", "F2")
    )
    html = await after(console, done)
    assert "2 écarts sont acceptés" in text_of(html)
    assert items_of(html) == ["F3"]
    assert "sorte=invoice" in done.headers["location"]
    shown = (await console.get(f"{PAGE}?etat=acceptes", "treasurer")).text
    assert items_of(shown) == ["F1", "F2"]
    assert re.search(r"Accepté le .* par a treasurer : « Arrondi là-bas »", text_of(shown))

    form = re.findall(r'<form method="post" action="([^"]+/rouvrir[^"]*)">(.*?)</form>', html, re.DOTALL)[0]
    hidden = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form[1]))
    undone = await console.send("POST", form[0], "treasurer", {}, data=hidden)
    assert "2 écarts sont rouverts." in text_of(await after(console, undone))
    assert items_of((await console.get(PAGE, "treasurer")).text) == ["F3", "F1", "F2", "P&lt;1&gt;"]
    # The one that the rehearsal found is another page's.
    there = await console.post(f"{PAGE}/accepter?sujet=repetition", "treasurer", reason="Voulu", **ticks("R1"))
    assert "Aucun écart ouvert" in text_of(await after(console, there))


async def test_what_is_refused_is_shown_with_what_was_typed(console: Clicking) -> None:
    await found(console)
    nothing = await console.post(f"{PAGE}/accepter", "treasurer", reason="Arrondi <là>")
    assert nothing.status_code == 422
    assert "Rien n’est coché." in text_of(nothing.text)
    assert 'value="Arrondi &lt;là&gt;"' in nothing.text
    without = await console.post(f"{PAGE}/accepter", "treasurer", reason=" ", **ticks("F1"))
    assert without.status_code == 422
    assert len(re.findall(r'name="ecart-\w+" value="oui" checked', without.text)) == 1

    await console.post(f"{PAGE}/accepter", "treasurer", reason="x", **ticks("F1"))
    late = await console.post(f"{PAGE}/accepter", "treasurer", reason="x", **ticks("F1", "F2"))
    assert late.status_code == 409
    assert "Un de ces écarts est déjà accepté" in text_of(late.text)
    assert re.findall(r'name="ecart-(\w+)" value="oui" checked', late.text) == [id_of("F2")]
    unknown = await console.post(f"{PAGE}/accepter", "treasurer", reason="x", ecart_00000000="oui")
    assert unknown.status_code == 404
    assert (await console.post(f"{PAGE}/garder", "treasurer", **ticks("F1"))).status_code == 404
    for role in ("staff", "operator", "treasurer@clustr-numerique"):
        assert (await console.post(f"{PAGE}/accepter", role, reason="x", **ticks("F2"))).status_code == 403
    assert len(await console.staff.billing.column("select digest from parity_acceptances")) == 1


async def test_the_same_form_twice_counts_once(console: Clicking) -> None:
    await found(console)
    sent = {"reason": "x", "_key": "form-1", **ticks("F1")}
    first, again = [await console.post(f"{PAGE}/accepter", "treasurer", **sent) for _ in range(2)]
    assert (first.status_code, again.headers["location"]) == (303, first.headers["location"])
    assert len(await console.staff.billing.column("select digest from parity_acceptances")) == 1


async def test_differences_are_given_to_oneself_to_others_and_to_nobody(console: Clicking) -> None:
    await found(console)
    mine = await console.post(f"{PAGE}/me-confier", "treasurer", **ticks("F1", "F2"))
    assert "2 écarts sont confiés." in text_of(await after(console, mine))
    assert items_of((await console.get(f"{PAGE}?qui=moi", "treasurer")).text) == ["F1", "F2"]
    await console.post(f"{PAGE}/confier", "treasurer", a_qui='Zoé "<b>"', **ticks("F2"))
    html = (await console.get(PAGE, "treasurer")).text
    assert '<option value="Zoé &#34;&lt;b&gt;&#34;">' in html
    nobody = await console.post(f"{PAGE}/confier", "treasurer", a_qui="", **ticks("F2"))
    assert nobody.status_code == 422
    freed = await console.post(f"{PAGE}/liberer", "treasurer", **ticks("F1", "F2"))
    assert "2 écarts ne sont plus confiés à personne." in text_of(await after(console, freed))
    assert items_of((await console.get(f"{PAGE}?qui=personne", "treasurer")).text) == ["F3", "F1", "F2"]


async def test_a_long_list_comes_page_by_page_and_a_page_is_ticked_at_once(console: Clicking) -> None:
    await compared(console.staff.billing, *(a_difference(f"F{n:03d}") for n in range(60)))
    html = (await console.get(f"{PAGE}?qui=personne", "treasurer")).text
    assert (len(items_of(html)), "60 écarts" in text_of(html), " checked" in html) == (50, True, False)
    following = re.findall(r'href="([^"]+)">Écarts suivants', html)[0].replace("&amp;", "&")
    rest = (await console.get(following, "treasurer")).text
    assert items_of(rest) == [f"F{n:03d}" for n in range(50, 60)]
    ticking = re.findall(r'href="([^"]+)">Cocher toute la page', rest)[0].replace("&amp;", "&")
    assert len(re.findall(r" checked>", (await console.get(ticking, "treasurer")).text)) == 10
    all_of = await console.post(f"{PAGE}/accepter", "treasurer", reason="x", **ticks(*(f"F{n:03d}" for n in range(50))))
    assert "50 écarts sont acceptés" in text_of(await after(console, all_of))


async def test_an_address_says_nothing_that_was_not_done(console: Clicking) -> None:
    await found(console)
    html = (await console.get(f"{PAGE}?fait=accepter&ecarts=%3Cscript%3E,..%2F", "treasurer")).text
    assert "acceptés" not in text_of(html).split("État")[0]
    assert "/rouvrir" not in html


async def test_open_differences_lead_from_the_board(console: Clicking) -> None:
    await found(console)

    async def so() -> bool:
        html = (await console.get("/console/bascule")).text
        return f'href="{PAGE}">4 écarts' in html

    await console.staff.moved("mirror")
    await eventually(so)


async def test_a_condition_that_differences_fail_leads_to_them(console: Clicking) -> None:
    assert "/ecarts" not in (await console.get(f"{SYSTEM}/conditions", "treasurer")).text
    await found(console)
    await compared(console.staff.billing, a_difference("R1"), subject="rehearsal")
    html = (await console.get(f"{SYSTEM}/conditions", "treasurer")).text
    assert f'href="{PAGE}"' in html
    assert f'href="{PAGE}?sujet=repetition"' in html
    assert "/ecarts" not in (await console.get(f"{SYSTEM}/conditions", "staff")).text


@pytest.mark.parametrize("patient", [0.3])
async def test_while_the_service_is_away_the_page_says_so(away: Clicking) -> None:
    page = await away.get(f"{PAGE}?sorte=invoice")
    assert page.status_code == 200
    assert "Pas de réponse de « Facturation »" in text_of(page.text)
    assert f'href="{PAGE}?sorte=invoice"' in page.text
    asked = await away.post(f"{PAGE}/accepter", "treasurer", reason="x", **ticks("F1"))
    assert asked.headers["location"].startswith("/console/demandes/")
