"""Members in question, for the pages with which staff decide."""

from schemas.membership import MembershipStageChanged
from tests.integration.gateway.duplicates.decisions import a_company, decide
from tests.integration.gateway.gateways import CLUSTR, NOON, NUMELINK, GatewayUnderTest
from tests.integration.gateway.records.commands import moved

NAMES = ("Papeteries du Pilat", "Tissages du Rhône")
CONTESTED = (f"{CLUSTR}/G1", f"{NUMELINK}/G2", f"{NUMELINK}/G3")


async def with_questions(gateway: GatewayUnderTest) -> None:
    """Two pairs that may be one company each."""
    first, second = NAMES
    here = {"street": "12 rue des Acacias", "postcode": "42000", "city": "Saint-Étienne"}
    there = {"street": "3 quai Perrache", "postcode": "69002", "city": "Lyon"}
    ours = {"phone": "0477000001", "naf": "01.11Z", "brand": "Le grand magasin", "email": "contact@pilat.example"}
    await gateway.feed(CLUSTR, a_company(f"Groupe {first}", record_id="Q0", **here, **ours))
    await gateway.feed(NUMELINK, a_company(first, record_id="R0", **here, naf="62.01Z", website="pilat.example"))
    await gateway.feed(CLUSTR, a_company(second, record_id="Q1", **there))
    await gateway.feed(NUMELINK, a_company(second, record_id="R1", **there | {"street": None}, naf="62.01Z"))


async def with_a_group(gateway: GatewayUnderTest) -> None:
    """Three records about which decisions contradict each other."""
    for record in CONTESTED:
        cluster, _, record_id = record.partition("/")
        await gateway.feed(cluster, a_company("Verrerie Lumo", record_id=record_id, city="Givors", postcode="69700"))
    first, second, third = CONTESTED
    await decide(gateway, "same", first, second)
    await decide(gateway, "same", first, third)
    await decide(gateway, "different", second, third)


async def moved_over(gateway: GatewayUnderTest) -> None:
    """Numelink's records are ours to change, and the board shows it."""
    await moved(gateway, "mirror", "switch")
    shown = {"cluster": NUMELINK, "version": 2, "stage": "live", "since": NOON, "by": "Ops"}
    await gateway.feed(NUMELINK, MembershipStageChanged.model_validate(shown))
