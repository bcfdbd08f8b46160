"""How many members each option of a filter would leave."""

import pytest

from tests.integration.gateway.gateways import CLUSTR, NUMELINK
from tests.support.builders import a_member

SIREN = "732829320"


@pytest.fixture
async def four(gateway):
    """Two of the Loire, of which one in both clusters; one of the Rhône; one of the Rhône that has paid."""
    loire, rhone = {"postcode": "42000", "city": "Roanne"}, {"postcode": "69001", "city": "Lyon"}
    await gateway.feed(
        NUMELINK,
        a_member(record_id="1", name="Forges du Gier", siren=SIREN, **loire),
        a_member(record_id="2", name="Forges du Pilat", **loire),
    )
    await gateway.feed(
        CLUSTR,
        a_member(record_id="7", name="Forges du Gier", siren=SIREN, **loire),
        a_member(record_id="8", name="Atelier", **rhone),
        a_member(record_id="9", name="Moulin", paid_until="2099-12-31", **rhone),
    )


async def facets(gateway, **asked):
    page = (await gateway.get("/members", facets="true", **asked)).json()
    counted = page["facets"]
    options = {name: {each["code"]: each["members"] for each in counted[name]} for name in ("clusters", "departements")}
    return page["total"], options["clusters"], options["departements"], counted["paid_up"]


async def test_without_filters_they_are_the_whole(gateway, four):
    total, clusters, departements, paid_up = await facets(gateway)

    assert total == 4
    assert {code: clusters[code] for code in (CLUSTR, NUMELINK)} == {CLUSTR: 3, NUMELINK: 2}
    assert departements == {"42": 2, "69": 2}
    assert paid_up == {"yes": 1, "no": 3}


async def test_a_filter_counts_in_the_others_and_leaves_its_own_options(gateway, four):
    total, clusters, departements, paid_up = await facets(gateway, departement="42")

    assert total == 2
    assert {code: clusters[code] for code in (CLUSTR, NUMELINK)} == {CLUSTR: 1, NUMELINK: 2}
    assert departements == {"42": 2, "69": 2}, "what one could choose instead"
    assert paid_up == {"yes": 0, "no": 2}
    both = await facets(gateway, departement="69", paid_up="true")
    assert both == (1, clusters | {CLUSTR: 1, NUMELINK: 0}, {"69": 1}, {"yes": 1, "no": 1})


@pytest.mark.parametrize("asked", [{"search": "forges"}, {"search": "forges", "cluster": NUMELINK}])
async def test_words_count_too(gateway, four, asked):
    total, clusters, departements, paid_up = await facets(gateway, **asked)

    assert total == 2
    assert {code: clusters[code] for code in (CLUSTR, NUMELINK)} == {CLUSTR: 1, NUMELINK: 2}
    assert departements == {"42": 2}
    assert paid_up == {"yes": 0, "no": 2}
    assert total == (await gateway.get("/members", total="true", **asked)).json()["total"]


async def test_each_count_is_what_the_list_then_shows(gateway, four):
    asked = {"cluster": CLUSTR, "active": "true"}
    page = (await gateway.get("/members", facets="true", **asked)).json()
    for name, filter_name in (("clusters", "cluster"), ("lineages", "lineage"), ("departements", "departement")):
        for option in page["facets"][name]:
            names = await gateway.names(**asked | {filter_name: option["code"]})
            assert len(names) == option["members"], (name, option)
    for name in ("paid_up", "active"):
        for word, said in (("yes", "true"), ("no", "false")):
            assert len(await gateway.names(**asked | {name: said})) == page["facets"][name][word], (name, word)


async def test_codes_have_their_names(gateway, four):
    counted = (await gateway.get("/members", facets="true")).json()["facets"]

    assert {each["code"]: each["name"] for each in counted["departements"]} == {"42": "Loire", "69": "Rhône"}
    assert {each["code"]: each["name"] for each in counted["clusters"]}[NUMELINK] == "Numelink"
