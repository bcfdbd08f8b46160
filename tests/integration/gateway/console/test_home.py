"""Accueil: what waits, and that each number is the length of the list that it leads to."""

import re

import pytest

from tests.integration.gateway.gateways import CLUSTR, NUMELINK
from tests.support.builders import a_member


def text_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.partition("<main")[2]))


async def test_an_empty_installation_is_quiet(gateway):
    page = text_of((await gateway.get("/console", role="admin")).text)

    assert "Rien n’attend." in page
    for label in ("Doublons", "Conflits", "Messages tardifs", "Écarts", "Mis de côté"):
        assert f"{label} 0" in page
    for stage in ("ancien", "Facturation", "Courriels"):
        assert stage in page


async def test_what_waits_is_counted(gateway):
    alike = {"name": "Forges du Gier", "city": "Rive-de-Gier", "postcode": "42800"}
    await gateway.feed(NUMELINK, a_member(record_id="B-1", **alike), a_member(record_id="B-2", name="Another"))
    await gateway.feed(CLUSTR, a_member(record_id="7", **alike, email="else@where.example"))
    cases = (await gateway.get("/duplicates")).json()["total"]

    page = (await gateway.get("/console", role="admin")).text

    assert cases >= 1
    assert f"Doublons {cases} questions" in text_of(page)
    assert "Voici ce qui attend" in page
    assert "Forges du Gier · Forges du Gier" in page


async def test_figures_lead_to_lists_of_the_same_length(gateway):
    for number in range(3):
        await gateway.feed(NUMELINK, a_member(record_id=f"B-{number}", name=f"Membre {number}", siren=None))
    await gateway.feed(NUMELINK, a_member(record_id="E", name="Parti", status="ended", siren=None))
    page = (await gateway.get("/console", role="reader")).text

    figures = re.findall(r"<strong>(\d+)</strong><a href=\"([^\"]+)\"", page)
    assert len(figures) == 3
    for count, address in figures:
        listed = (await gateway.get(address.replace("&amp;", "&"), role="reader")).text
        total = re.search(r'id="count"[^>]*>(\d+)', listed)
        assert (int(total[1]) if total else 0) == int(count), address


@pytest.mark.parametrize(
    ("role", "shown", "hidden"),
    [
        ("reader", ["Les membres"], ["Doublons", "Conflits", "Mis de côté", "anciens systèmes"]),
        ("operator", ["Mis de côté", "Messages tardifs", "anciens systèmes"], ["Doublons", "Conflits"]),
        ("treasurer", ["Conflits", "Doublons"], ["Mis de côté"]),
        ("staff", ["Conflits", "Doublons", "Écarts"], ["Mis de côté"]),
    ],
)
async def test_everybody_sees_what_they_may_work_on(gateway, role, shown, hidden):
    page = text_of((await gateway.get("/console", role=role)).text)
    for words in shown:
        assert words in page
    for words in hidden:
        assert words not in page
