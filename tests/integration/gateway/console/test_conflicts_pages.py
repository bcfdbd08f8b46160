"""The pages of Conflits: what is there twice, whose it is, and how it is settled."""

import re

from tests.integration.gateway.gateways import CLUSTR, NUMELINK
from tests.integration.gateway.test_conflicts import SIRENS, answered, listed, paid_twice, registered_twice
from tests.support.builders import a_member

PATH = "/console/conflits"


def texts(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).replace("\u202f", " ").replace("’", "'")


async def test_they_are_listed_by_the_service_that_resolves_them(gateway):
    await paid_twice(gateway)
    await registered_twice(gateway, 0)
    billing = texts((await gateway.get(PATH, role="staff")).text)
    assert "1 conflit Conflits Membre Quoi" in billing
    assert f"Forges {SIRENS[0]} payé deux fois" in billing
    assert "personne encore" in billing
    assert "Conflits en attente : 2" in billing
    events = texts((await gateway.get(PATH, role="staff", chez="evenements")).text)
    assert "inscrit deux fois" in events
    assert "payé deux fois" not in events
    settled = texts((await gateway.get(PATH, role="staff", etat="regles")).text)
    assert "Aucun conflit n'est dans cet état." in settled


async def test_one_shows_both_sides_and_how_it_is_settled(gateway):
    await paid_twice(gateway)
    (item,) = await listed(gateway)
    path = f"{PATH}/{item['conflict_id']}"
    page = await gateway.get(path, role="staff")
    shown = texts(page.text)
    assert re.findall(r"<h1>(.*?)</h1>", page.text) == [f"Forges {SIRENS[0]}"]
    assert f"CR {CLUSTR}/A0 NL {NUMELINK}/B0" in shown
    assert "du 1 janv. 2026 au 31 déc. 2026" in shown
    assert shown.count("payé jusqu'à ce jour, dit sa fiche") == 2
    assert f"traboule conflicts settle billing:{item['conflict_id'][:12]}" in shown
    assert f'href="/console/membres/{item["member"]["id"]}"' in page.text
    await answered(gateway, item["conflict_id"], "settled", owner="cotisations Loire")
    shown = texts((await gateway.get(path, role="staff")).text)
    assert "La facturation l'a réglé le 20 nov. 2026." in shown
    assert "traboule conflicts settle" not in shown
    assert "cotisations Loire" in shown
    await gateway.feed(NUMELINK, a_member(record_id="B0", version=2, name=f"Forges {SIRENS[0]}", siren=SIRENS[0]))
    assert "Plus rien n'est là deux fois depuis le" in texts((await gateway.get(path, role="staff")).text)


async def test_an_event_is_named(gateway):
    await paid_twice(gateway)
    await registered_twice(gateway, 0)
    (item,) = await listed(gateway, responsible="events")
    shown = texts((await gateway.get(f"{PATH}/{item['conflict_id']}", role="staff")).text)
    assert item["overlaps"][0]["event"] in shown
    assert "inscription RA0" in shown
    assert "C'est aux événements de trancher" in shown


async def test_who_may_not_see_them_is_refused_and_has_no_entry(gateway):
    assert (await gateway.get(PATH, role="reader")).status_code == 403
    assert PATH not in (await gateway.get("/console", role="operator")).text
    assert (await gateway.get(f"{PATH}/nothing", role="staff")).status_code == 404


async def test_a_member_links_to_its_conflicts(gateway):
    member = await paid_twice(gateway)
    (item,) = await listed(gateway)
    assert f'href="{PATH}/{item["conflict_id"]}"' in (await gateway.get(f"/console/membres/{member}")).text
