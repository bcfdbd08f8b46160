import pytest

from services.membership.views.search_terms import search_words
from tests.integration.gateway.gateways import CLUSTR, NUMELINK
from tests.support.builders import a_member

ELECTRICITE = "Électricité de Saint-Étienne"
BOULANGERIE = "BOULANGERIE L’ÉTOILE"
DISCOUNT = "100%_Remise\\Outillage"
HUNDRED = "1000 Remises"


@pytest.fixture
async def gateway(gateway):
    """A door with four members, the first of them known to both clusters."""
    electricite = a_member(record_id="1", name=ELECTRICITE, brand="Forézienne", siren="732 829 320", city="Firminy")
    await gateway.feed(NUMELINK, electricite.model_copy(update={"postcode": "42700", "exempt": True}))
    await gateway.feed(CLUSTR, electricite)
    await gateway.feed(NUMELINK, a_member(name=BOULANGERIE, city="Chambéry", postcode="73000", paid_until="2026-11-22"))
    await gateway.feed(
        CLUSTR, a_member(name=DISCOUNT, postcode="38000", paid_until="2026-11-23", lineage="Ex Grilog SA")
    )
    await gateway.feed(CLUSTR, a_member(name=HUNDRED, postcode="20090", city="Ajaccio", status="ended"))
    return gateway


@pytest.mark.parametrize(
    ("typed", "result"),
    [
        ("électricité", [ELECTRICITE]),
        ("ELECTRICITE", [ELECTRICITE]),
        ("e\u0301lectricite\u0301", [ELECTRICITE]),
        ("lectri", [ELECTRICITE]),
        ("etienne elec", [ELECTRICITE]),
        ("saint etienne", [ELECTRICITE]),
        ("SAINT-ÉTIENNE", [ELECTRICITE]),
        ("forez", [ELECTRICITE]),
        ("l'étoile", [BOULANGERIE]),
        ("l’etoile", [BOULANGERIE]),
        ("electricite boulangerie", []),
        ("732829320", [ELECTRICITE]),
        ("732 829 320", [ELECTRICITE]),
        ("732\u202f829\u202f320", [ELECTRICITE]),
        ("732.829.320", [ELECTRICITE]),
        ("732 829 320 00074", [ELECTRICITE]),
        ("73282932000074", [ELECTRICITE]),
        ("firminy 732 829 320", [ELECTRICITE]),
        ("chambery", [BOULANGERIE]),
        ("CHAMBÉRY boul", [BOULANGERIE]),
        ("%", [DISCOUNT]),
        ("100%", [DISCOUNT]),
        ("_", [DISCOUNT]),
        ("\\", [DISCOUNT]),
        ("100", [DISCOUNT, HUNDRED]),
        ("remise", [DISCOUNT, HUNDRED]),
        ("'; drop table views; --", []),
        ("\x00", [DISCOUNT, HUNDRED, BOULANGERIE, ELECTRICITE]),
        ("   ", [DISCOUNT, HUNDRED, BOULANGERIE, ELECTRICITE]),
        ("rien de tel", []),
    ],
)
async def test_search_finds(gateway, typed, result):
    assert await gateway.names(search=typed) == result


@pytest.mark.parametrize(
    ("parameters", "result"),
    [
        ({"cluster": NUMELINK}, [BOULANGERIE, ELECTRICITE]),
        ({"cluster": CLUSTR}, [DISCOUNT, HUNDRED, ELECTRICITE]),
        ({"lineage": "Ex Grilog SA"}, [DISCOUNT]),
        ({"departement": "42"}, []),
        ({"departement": "69"}, [ELECTRICITE]),
        ({"departement": "2a"}, [HUNDRED]),
        ({"active": "false"}, [HUNDRED]),
        ({"cluster": CLUSTR, "search": "remise", "active": "true"}, [DISCOUNT]),
        # A whole day is paid for, its last hour included; who owes nothing is always paid up.
        ({"paid_up": "true"}, [DISCOUNT, ELECTRICITE]),
        ({"paid_up": "false"}, [HUNDRED, BOULANGERIE]),
    ],
)
async def test_filters_leave(gateway, parameters, result):
    assert await gateway.names(**parameters) == result


async def test_paid_up_is_asked_of_today_in_france(gateway):
    gateway.clock.instant = gateway.clock.instant.replace(hour=23, minute=30)

    assert await gateway.names(paid_up="true") == [ELECTRICITE]


async def test_a_list_says_what_staff_need_to_choose(gateway):
    answer = await gateway.get("/members", search="electricite", total="true")

    assert answer.json() == {
        "items": [
            {
                "id": answer.json()["items"][0]["id"],
                "name": ELECTRICITE,
                "brand": "Forézienne",
                "siren": "732829320",
                "city": "Firminy",
                "departement": "69",
                "clusters": [CLUSTR, NUMELINK],
                "lineages": ["edit", "numelink"],
                "paid_until": None,
                "paid_up": True,
                "active": True,
                "changed_at": answer.json()["items"][0]["changed_at"],
            }
        ],
        "next": None,
        "total": 1,
    }


def test_words_are_taken_apart_and_numbers_put_together():
    assert search_words("Saint-Étienne  732 829 320 saint") == ["saint", "etienne", "732829320"]
    assert search_words("12345678901234567890") == ["12345678901234567890"]
