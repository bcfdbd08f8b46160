from services.membership.normalisation.places import departements
from tests.integration.gateway.gateways import CLUSTR, NUMELINK
from tests.support.builders import a_member

SIREN = "732829320"


async def test_members_are_counted_once_however_many_clusters_know_them(gateway):
    await gateway.feed(CLUSTR, a_member(name="Forges du Gier", siren=SIREN, paid_until="2026-12-31"))
    await gateway.feed(NUMELINK, a_member(name="Forges du Gier", siren=SIREN, postcode="42000"))
    await gateway.feed(CLUSTR, a_member(postcode="38000", status="ended"), a_member(postcode=None, exempt=True))
    await gateway.feed(NUMELINK, a_member(postcode="42000", paid_until="2026-11-22"))

    published = (await gateway.get("/statistics", role="reader")).json()

    assert published["on"] == "2026-11-23"
    assert published["total"] == {"members": 4, "active": 3, "paid_up": 2}
    assert published["in_several_clusters"] == {"members": 1, "active": 1, "paid_up": 1}
    assert [(item["code"], item["members"], item["paid_up"]) for item in published["clusters"]] == [
        (CLUSTR, 3, 2),
        (NUMELINK, 2, 1),
    ]
    lineages = {item["code"]: (item["members"], item["active"], item["paid_up"]) for item in published["lineages"]}
    assert lineages == {
        "edit": (1, 1, 1),
        "grilog": (1, 0, 0),
        "numelink": (2, 2, 1),
        "haute-savoie": (0, 0, 0),
        "rhonealley": (0, 0, 0),
        "auvergne-tic": (0, 0, 0),
    }
    places = [(item["code"], item["name"], item["members"], item["paid_up"]) for item in published["departements"]]
    assert places == [
        ("38", departements()["38"].name, 1, 0),
        ("42", "Loire", 1, 0),
        ("69", "Rhône", 1, 1),
        (None, None, 1, 1),
    ]


async def test_an_empty_house_has_nobody(gateway):
    published = (await gateway.get("/statistics")).json()

    assert published["total"] == {"members": 0, "active": 0, "paid_up": 0}
    assert published["departements"] == []
    assert [item["members"] for item in published["clusters"]] == [0, 0]
