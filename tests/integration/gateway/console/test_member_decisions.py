"""What staff decide on the page of one member: what is together, which value is shown, what a record says."""

import re
from html import unescape

import pytest

from services.gateway.auth.rights import Role
from tests.browser.console.deciding import moved_over
from tests.integration.gateway.duplicates.decisions import FIRST, OTHER, a_company, decide, queue
from tests.integration.gateway.gateways import CLUSTR, NUMELINK, own_id
from tests.integration.gateway.records.commands import moved
from tests.support.builders import a_member
from tests.support.present import group_in

OURS, THEIRS = (f"/console/membres/{own_id(*key)}" for key in ((CLUSTR, "12"), (NUMELINK, "B-1")))
PART = {"hx-request": "true", "hx-request-type": "partial"}


def texts(html):
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html))).replace("’", "'")


def fields_in(answer, action):
    """What a browser would send of the form with this action, with nothing changed."""
    html = answer.text.partition(f'action="{action}"')[2].partition("</form>")[0]
    pairs = re.findall(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', html)
    return {unescape(name): unescape(value) for name, value in pairs}


async def send(gateway, path, fields, role="staff", headers=None):
    return await gateway.ask("POST", path, role=role, data=fields, headers=headers)


@pytest.fixture
async def merged(gateway, two):
    await decide(gateway, "same", reason="elles se disent une")


async def test_open_questions_are_noted_with_the_way_to_them(gateway, two):
    (case,) = (await queue(gateway))["items"]
    page = await gateway.get(OURS, role="staff")
    assert "Peut-être aussi : Forges du Gier — comparer" in texts(page.text)
    assert f'href="/console/doublons/{case["id"]}"' in page.text
    assert "Peut-être aussi" not in texts((await gateway.get(OURS, role="reader")).text)


async def test_why_records_are_together_and_what_became_of_them(gateway, merged):
    assert f'href="{OURS}/fiches"' in (await gateway.get(OURS, role="staff")).text
    shown = texts((await gateway.get(f"{OURS}/fiches", role="staff")).text)
    assert "Par une décision de a staff, le " in shown
    assert "elles se disent une" in shown
    happened = shown.partition("Ce qui leur est arrivé")[2]
    assert "Réunies" in happened
    assert "Décision : oui, une seule entreprise" in happened
    assert (await gateway.get(f"{OURS}/fiches", role="reader")).status_code == 403


async def test_records_leave_after_a_preview_and_come_back(gateway, merged):
    page = await gateway.get(f"{OURS}/fiches", role="staff")
    fields = fields_in(page, f"{OURS}/fiches") | {"reason": "deux sociétés"}
    fields = {name: value for name, value in fields.items() if not name.startswith("fiche_")}
    nothing = await send(gateway, f"{OURS}/fiches", fields)
    assert (nothing.status_code, "deux sociétés" in nothing.text) == (422, True)
    fields |= {f"fiche_{OTHER}": "oui"}
    part = await send(gateway, f"{OURS}/fiches/apercu", fields, headers=PART)
    assert "Il y aurait 2 membres :" in texts(part.text)
    whole = await send(gateway, f"{OURS}/fiches/apercu", fields)
    assert 'value="oui" checked' in whole.text

    done = await send(gateway, f"{OURS}/fiches", fields)

    assert done.status_code == 303
    assert (await gateway.get(f"/members/{own_id(NUMELINK, 'B-1')}")).json()["id"] == own_id(NUMELINK, "B-1")
    arrived = await gateway.get(done.headers["location"], role="staff")
    assert "Séparées." in texts(arrived.text)
    undo = group_in(r'action="(/console/doublons/decisions/[0-9]+/annuler)"', arrived.text)
    undone = await send(gateway, undo, fields_in(arrived, undo))
    assert undone.headers["location"] == f"{OURS}/fiches?annule=1"
    assert "La séparation est annulée." in texts((await gateway.get(undone.headers["location"], role="staff")).text)
    assert (await gateway.get(f"/members/{own_id(NUMELINK, 'B-1')}")).json()["id"] == own_id(CLUSTR, "12")


async def test_who_may_not_separate_reads_why_they_are_together(gateway, merged):
    page = await gateway.get(f"{OURS}/fiches", role=Role.TREASURER)
    assert page.status_code == 200
    assert 'name="reason"' not in page.text
    refused = await send(gateway, f"{OURS}/fiches", {f"fiche_{OTHER}": "oui", "reason": "x"}, role=Role.TREASURER)
    assert refused.status_code == 403


async def test_a_value_is_set_and_taken_back(gateway, two):
    path = f"{OURS}/valeurs/phone"
    page = await gateway.get(path, role="staff")
    assert "Elle primera sur toutes les fiches jusqu'à ce qu'on la retire." in texts(page.text)
    fields = fields_in(page, path)
    wrong = await send(gateway, path, fields | {"value": "12", "reason": "au téléphone"})
    assert wrong.status_code == 422
    assert "n'est pas un numéro de téléphone qui existe" in texts(wrong.text)
    assert 'value="au téléphone"' in wrong.text
    done = await send(gateway, path, fields | {"value": "04 72 11 22 33", "reason": "au téléphone"})
    assert done.headers["location"] == f"{OURS}?fixee=phone"
    arrived = await gateway.get(done.headers["location"], role="staff")
    assert "La valeur est fixée" in texts(arrived.text)
    assert "04 72 11 22 33" in texts(arrived.text).replace("\u00a0", " ")
    again = texts((await gateway.get(path, role="staff")).text)
    assert "a staff, le " in again
    undone = await send(gateway, f"{path}/retirer", {"reason": "Annulée aussitôt"})
    assert undone.headers["location"] == f"{OURS}?retiree=phone"
    assert "les fiches sont crues à nouveau" in texts((await gateway.get(undone.headers["location"])).text)
    assert "Retirée par a staff, le " in texts((await gateway.get(path, role="staff")).text)
    assert (await send(gateway, f"{path}/retirer", {"reason": "encore"})).status_code == 404


async def test_a_value_that_somebody_set_meanwhile_is_not_overwritten_unseen(gateway, two):
    path = f"{OURS}/valeurs/brand"
    stale = fields_in(await gateway.get(path, role="staff"), path)
    await send(gateway, path, stale | {"value": "Le Gier", "reason": "site"})
    late = await send(gateway, path, stale | {"value": "Gier", "reason": "carte"})
    assert late.status_code == 412
    assert "Le Gier" in late.text
    mended = fields_in(late, path)
    assert (mended["value"], mended["reason"]) == ("Gier", "carte")


async def test_staff_of_one_cluster_set_values_on_its_records(gateway, merged):
    path = f"{OURS}/valeurs/brand"
    page = await gateway.get(path, role="staff@numelink")
    assert fields_in(page, path)["_record"] == OTHER
    done = await send(gateway, path, fields_in(page, path) | {"value": "Le Gier", "reason": "r"}, role="staff@numelink")
    assert done.status_code == 303
    assert "Fixer" not in texts((await gateway.get(path, role=Role.TREASURER)).text.partition("<main")[2]).replace(
        "Fixer une valeur : Enseigne", ""
    )


async def test_each_record_says_whose_authority_it_is(gateway, merged):
    await moved(gateway, "mirror", "switch")
    page = await gateway.get(f"{OURS}/modifier", role="staff")
    shown = texts(page.text)
    assert "L'ancien système de Clust'R Numérique fait autorité : corrigez-y la fiche." in shown
    assert "Cette fiche est chez nous : elle se modifie ici." in shown
    assert f'href="{OURS}/fiche?nom=numelink%2FB-1"' in page.text
    assert f'href="{OURS}/valeurs/name"' in page.text
    assert (await gateway.get(f"{OURS}/modifier", role="reader")).status_code == 403
    former = await gateway.get(f"{OURS}/fiche", role="staff", nom=FIRST)
    assert "Vous pouvez fixer ici une valeur" in texts(former.text)
    assert "_etag" not in former.text


@pytest.fixture
async def ours(gateway):
    await gateway.feed(NUMELINK, a_member(record_id="B-1", name="Forges du Gier", city="Givors", phone="0472000000"))
    await moved_over(gateway)
    return f"{THEIRS}/fiche?nom=numelink%2FB-1"


async def test_a_record_that_is_ours_is_changed(gateway, ours):
    fields = fields_in(await gateway.get(ours, role="staff"), ours)
    assert fields["city"] == "Givors"
    done = await send(gateway, ours, fields | {"city": "Rive-de-Gier", "phone": ""})
    assert done.status_code == 303
    assert "La fiche est enregistrée." in texts((await gateway.get(done.headers["location"], role="staff")).text)
    now = (await gateway.get("/records/numelink/B-1")).json()["fields"]
    assert (now["city"], "phone" in now) == ("Rive-de-Gier", False)


async def test_a_doubtful_value_is_kept_only_if_somebody_insists(gateway, ours):
    fields = fields_in(await gateway.get(ours, role="staff"), ours) | {"siren": "123"}
    doubtful = await send(gateway, ours, fields)
    assert doubtful.status_code == 422
    assert "n'est pas un SIREN valable" in texts(doubtful.text)
    assert "Garder tel quel" in texts(doubtful.text)
    again = fields_in(doubtful, ours)
    assert again["siren"] == "123"
    assert (await send(gateway, ours, again | {"insist": "oui"})).status_code == 303
    assert (await gateway.get("/records/numelink/B-1")).json()["fields"]["siren"] == "123"


async def test_two_who_change_a_record_see_both_versions(gateway, ours):
    stale = fields_in(await gateway.get(ours, role="staff"), ours)
    await send(gateway, ours, stale | {"city": "Rive-de-Gier", "brand": "Le Gier"})
    late = await send(gateway, ours, stale | {"city": "Lorette", "street": "2 rue Haute"})
    assert late.status_code == 412
    shown = texts(late.text)
    assert "Ville Lorette Rive-de-Gier" in shown
    assert "Enseigne Le Gier Le Gier" in shown
    mine = fields_in(late, ours)
    assert (await send(gateway, ours, mine)).status_code == 303
    now = (await gateway.get("/records/numelink/B-1")).json()["fields"]
    assert (now["city"], now["brand"], now["street"]) == ("Lorette", "Le Gier", "2 rue Haute")


async def test_a_new_member_of_a_cluster_that_was_moved_over(gateway, ours):
    path = "/console/membres/nouveau"
    assert f'href="{path}"' in (await gateway.get("/console/membres", role="staff")).text
    page = await gateway.get(path, role="staff")
    assert "L'ancien système de Clust'R Numérique fait autorité : créez-y le membre." in texts(page.text)
    fields = fields_in(page, path) | {"cluster": NUMELINK, "name": "Verrerie Lumo", "reason": "bulletin"}
    nameless = await send(gateway, path, fields | {"name": "", "city": "Lyon"})
    assert nameless.status_code == 422
    assert 'value="Lyon"' in nameless.text, texts(nameless.text)
    done = await send(gateway, path, fields)
    assert done.status_code == 303
    assert "Verrerie Lumo" in (await gateway.get(done.headers["location"], role="staff")).text
    assert (await send(gateway, path, fields)).headers["location"] == done.headers["location"], "sent twice, done once"
    nobody = await gateway.get(path, role="staff@clustr-numerique")
    assert "Créer un membre de Numelink revient à son équipe." in texts(nobody.text)
    assert "<form method" not in nobody.text.partition("<main")[2]
    refused = await send(gateway, path, fields | {"cluster": CLUSTR, "_key": ""})
    assert refused.status_code == 409


async def test_what_is_written_in_records_is_text(gateway):
    harm = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    await gateway.feed(NUMELINK, a_company(harm, record_id="B-1", city=harm))
    await moved(gateway, "mirror", "switch")
    for path in (f"{THEIRS}/fiches", f"{THEIRS}/modifier", f"{THEIRS}/valeurs/name", f"{THEIRS}/fiche?nom={OTHER}"):
        answer = await gateway.get(path, role="staff")
        assert answer.status_code == 200, path
        assert "<img" not in answer.text, path
        assert "<script>alert" not in answer.text, path
        assert "&lt;img src=x" in answer.text, path


async def test_the_history_is_linked_for_whoever_may_read_it(gateway, two):
    assert f"/console/acces/journal?sur=member:{own_id(CLUSTR, '12')}" in (await gateway.get(OURS, role="admin")).text
    assert "journal?sur" not in (await gateway.get(OURS, role="staff")).text
