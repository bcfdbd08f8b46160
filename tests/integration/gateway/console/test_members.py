"""The list of members, as it is read with and without a script."""

import re

import pytest

from tests.integration.gateway.gateways import CLUSTR, NUMELINK, own_id
from tests.support.builders import a_member
from tests.support.present import group_in

SIREN = "732829320"
PART = {"hx-request": "true", "hx-request-type": "partial"}
HOSTILE = '<script>alert(1)</script> "><img src=x onerror=alert(1)> \u202eabc ' + "x" * 200


def names(answer):
    return re.findall(r'class="row-link"[^>]*>([^<]*)</a>', answer.text)


@pytest.fixture
async def three(gateway):
    await gateway.feed(NUMELINK, a_member(record_id="1", name="Forges du Gier", siren=SIREN, city="Saint-Étienne"))
    await gateway.feed(CLUSTR, a_member(record_id="7", name="Forges du Gier", siren=SIREN, city="Saint-Étienne"))
    await gateway.feed(CLUSTR, a_member(record_id="8", name="Atelier Néon", postcode="69001", city="Lyon"))
    await gateway.feed(NUMELINK, a_member(record_id="2", name="Zéphyr", postcode="42000", city="Roanne"))


async def test_all_members_are_there_once_with_whose_they_are(gateway, three):
    answer = await gateway.get("/console/membres", role="reader")

    assert answer.status_code == 200
    assert names(answer) == ["Atelier Néon", "Forges du Gier", "Zéphyr"]
    assert re.findall(r"<h1>(.*?)</h1>", answer.text) == ["Membres"]
    assert re.search(r'id="count"[^>]*>3 membres<', answer.text)
    row = next(row for row in answer.text.split("<tr>") if "Forges du Gier" in row)
    assert re.findall(r'class="mark mark-(\d)" title="([^"]+)">(\w+)<', row) == [
        ("1", "Clust&#39;R Numérique", "CR"),
        ("2", "Numelink", "NL"),
    ]
    assert "732\u00a0829\u00a0320" in row


async def test_words_and_filters_are_in_the_address_and_work_without_a_script(gateway, three):
    answer = await gateway.get("/console/membres", q="neon")
    assert names(answer) == ["Atelier Néon"]
    assert 'value="neon"' in answer.text
    assert names(await gateway.get("/console/membres", cluster=NUMELINK)) == ["Forges du Gier", "Zéphyr"]
    filtered = await gateway.get("/console/membres", departement="42")
    assert names(filtered) == ["Zéphyr"]
    assert re.search(r'<option value="42" selected>42 Loire \(1\)<', filtered.text)
    assert '<form id="search"' in filtered.text
    assert 'form="search"' in filtered.text
    assert re.search(r'<button class="button without-script" type="submit"', filtered.text)


async def test_a_search_as_one_types_brings_only_what_changes(gateway, three):
    answer = await gateway.get("/console/membres", headers=PART, q="neon", cluster="")
    assert names(answer) == ["Atelier Néon"]
    assert "<html" not in answer.text
    assert 'id="q"' not in answer.text, "the box is not replaced under somebody's fingers"
    assert answer.headers["hx-replace-url"] == "/console/membres?q=neon"
    assert re.search(r'id="count" hx-swap-oob="innerHTML">1 membre<', answer.text)
    assert re.search(r'id="export"[^>]*href="/console/membres/export\?q=neon"', answer.text)


async def test_going_back_brings_the_whole_page(gateway, three):
    answer = await gateway.get("/console/membres", headers={**PART, "hx-history-restore-request": "true"})
    assert "<html" in answer.text


async def test_an_exact_siren_opens_its_member(gateway, three):
    path = f"/console/membres/{own_id(CLUSTR, '7')}"
    for written in (SIREN, "732 829 320"):
        answer = await gateway.get("/console/membres", q=written)
        assert (answer.status_code, answer.headers["location"]) == (303, path)
    part = await gateway.get("/console/membres", headers=PART, q=SIREN)
    assert (part.status_code, part.headers["hx-redirect"]) == (204, path)
    assert names(await gateway.get("/console/membres", q="111111111")) == []


async def test_a_long_list_is_read_on(gateway):
    await gateway.feed_together(
        NUMELINK, [a_member(record_id=str(number), name=f"Membre {number:03d}") for number in range(60)]
    )
    first = await gateway.get("/console/membres")
    assert len(names(first)) == 50
    following = group_in(r'href="(/console/membres\?suite=[^"]+)" hx-get', first.text)
    rest = await gateway.get(following)
    assert names(rest) == [f"Membre {number:03d}" for number in range(50, 60)]
    assert "Revenir au début de la liste" in rest.text
    part = await gateway.get(following, headers=PART)
    assert part.text.strip().startswith("<tr>")
    assert names(part) == names(rest)
    assert part.text.count("autofocus") == 1


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({}, "Il n’y a pas encore de membre."),
        ({"q": "rien"}, "Aucun membre pour «\u202frien\u202f»."),
        ({"q": "rien", "cluster": NUMELINK}, "les filtres en cachent peut-être"),
        ({"adhesion": "terminee"}, "Aucun membre ne répond à ces filtres."),
    ],
)
async def test_an_empty_list_says_why_and_shows_the_way_on(gateway, asked, text):
    answer = await gateway.get("/console/membres", **asked)
    assert answer.status_code == 200
    assert text in answer.text
    if "cluster" in asked:
        assert 'href="/console/membres?q=rien"' in answer.text


async def test_what_members_wrote_is_text(gateway):
    await gateway.feed(NUMELINK, a_member(record_id="1", name=HOSTILE, brand=HOSTILE, city=HOSTILE[:80]))
    answer = await gateway.get("/console/membres", q="alert")
    assert len(names(answer)) == 1
    assert "<script>alert" not in answer.text
    assert "<img" not in answer.text
    searched = await gateway.get("/console/membres", q='"><script>')
    assert '"><script>' not in searched.text


async def test_the_export_has_what_the_list_shows(gateway, three):
    page = await gateway.get("/console/membres", role="staff", cluster=NUMELINK, tri="echeance")
    offered = await gateway.get(group_in(r'id="export"[^>]*href="([^"]+)"', page.text).replace("&amp;", "&"))
    assert "2 membres" in offered.text
    assert f'<input type="hidden" name="cluster" value="{NUMELINK}">' in offered.text
    assert '<form class="columns" method="get" action="/console/membres.csv">' in offered.text
    ticked = re.findall(r'name="colonne" value="(\w+)" checked', offered.text)

    sent = {"cluster": NUMELINK, "tri": "echeance", "colonne": [*ticked, "email"]}
    answer = await gateway.get("/console/membres.csv", role="staff", **sent)
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="membres.csv"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    heading, *lines = answer.content.decode("utf-8-sig").strip().splitlines()
    assert len(lines) == len(names(page)) == 2
    assert heading.endswith('"Courriel";"Refuse"')


async def test_options_say_how_many_they_leave_and_follow_the_words(gateway, three):
    page = await gateway.get("/console/membres")
    assert re.search(r'<option value="42">42 Loire \(1\)<', page.text)
    part = await gateway.get("/console/membres", headers=PART, q="neon")
    assert re.search(r'<select id="departement" hx-swap-oob="innerHTML">.*69 Rhône \(1\)<', part.text)
    assert "42 Loire" not in part.text


async def test_who_is_searched_for_by_an_address_stands_first(gateway, three):
    await gateway.feed(NUMELINK, a_member(record_id="9", name="Zinc", email="neon@zinc.example"))
    answer = await gateway.get("/console/membres", q="neon@zinc.example")
    assert names(answer) == ["Zinc"]
    assert "Trouvé par son courriel" in answer.text


async def test_who_may_not_export_sees_no_button_and_is_refused(gateway, three):
    assert "membres/export" not in (await gateway.get("/console/membres", role="reader")).text
    for path in ("/console/membres.csv", "/console/membres/export"):
        answer = await gateway.get(path, role="reader")
        assert answer.status_code == 403
        assert "Vous n’en avez pas le droit" in answer.text


async def test_a_filter_that_there_is_not_is_refused_in_words(gateway, three):
    answer = await gateway.get("/console/membres", cluster="ailleurs")
    assert answer.status_code == 422
    assert "<h1>Ce n’est pas possible ainsi</h1>" in answer.text
    assert "cluster" in answer.text
