"""One company in several clusters and several records of each is one member; and nothing is believed that nobody said.

The records have the shapes that real exports of Dolibarr gave: a third party and a member for one company, each under
an id of its own, often without a SIREN.
"""

from collections.abc import Sequence
from itertools import permutations
from typing import Any

from services.membership.matching.candidates import Candidates
from services.membership.matching.features import Features
from services.membership.matching.grouping import group
from services.membership.matching.score import judge
from services.membership.matching.weights import shipped
from tests.unit.membership.matching.builders import a_company

SHOP = {
    "name": "Quincaillerie Vioreau SARL",
    "street": "RUE ALFRED NOBEL",
    "postcode": "67590",
    "city": "Schweighouse",
    "email": "vioreau67@wanadoo.fr",
}


def groups(records: Sequence[Features]) -> set[frozenset[str]]:
    index = Candidates(records)
    judged = [judge(a, b, index.classes, shipped()) for a, b in index.pairs()]
    return {
        frozenset(map(str, group)) for group in group({record.key: record.siren for record in records}, judged).groups
    }


def test_a_second_and_a_fourth_cluster_do_not_part_what_the_first_holds_together() -> None:
    both = [a_company(key, "a", **SHOP) for key in ("911", "adherent:711")]
    assert len(groups(both)) == 1
    for cluster in "bcd":
        both += [a_company(key, cluster, **SHOP) for key in ("911", "adherent:711")]
        assert len(groups(both)) == 1, f"with cluster {cluster}"
    assert all(groups(list(order)) == groups(both[:4]) for order in permutations(both[:4]))


def test_four_clusters_with_the_same_companies_make_one_member_of_each() -> None:
    companies: list[dict[str, Any]] = [
        {
            "name": f"{word} {trade}",
            "street": f"{number} rue des Tanneurs",
            "postcode": f"42{number:03}",
            "city": f"Ville {word}",
            "phone": f"04 77 55 {number:02} 10",
            "email": f"contact@{word.lower()}.example",
        }
        for number, (word, trade) in enumerate(
            [("Zephyrine", "Conseil"), ("Bistrolo", "Conseil"), ("Vizirel", "Conseil"), ("Trabolin", "Services"),
             ("Lumerino", "Conseil"), ("Ardoisine", "Conseil"), ("Cassandrel", "Conseil")], start=11)
    ]  # fmt: skip
    records = [
        a_company(f"{kind}{at}", cluster, **company)
        for cluster in "abcd"
        for kind in ("", "adherent:")
        for at, company in enumerate(companies)
    ]
    assert len(groups(records)) == len(companies)


def test_an_agency_s_address_is_still_nobody_s_own() -> None:
    clients = [
        a_company(str(at), cluster, name=name, email="bonjour@agence-ouest.example", phone="02 99 00 00 00")
        for cluster in "ab"
        for at, name in enumerate(("Vioreau", "Lumerine", "Zephyrel", "Trabolin", "Ardoisine"))
    ]
    classes = Candidates(clients).classes
    assert {key[0] for key in classes} >= {"d", "e", "p"}


def test_an_equal_number_is_no_link_between_a_member_and_a_third_party() -> None:
    lyon = {"name": "Aide à domicile Vizir Santé", "street": "4 rue des Capucins", "postcode": "69001", "city": "Lyon"}
    theirs = a_company("931", phone="04 78 21 31 41", siren="552100554", **lyon)
    other = a_company("932", name=lyon["name"], postcode="38000", city="Grenoble", siren="775665019")
    member = a_company("adherent:931", name=lyon["name"], contact_first_name="Luc", contact_last_name="Petit")
    assert len(groups([theirs, other, member])) == 3


def test_a_company_s_people_go_with_it_whatever_they_are_called_and_with_nobody_else() -> None:
    company = a_company("905", "a", name="Vioreau", email="contact@vioreau.example")
    person = a_company(
        "contact:7", "a", name="Zoé Martin", works_for="905", email="contact@lumerine.example", phone="04 77 00 00 00"
    )
    stranger = a_company(
        "12", "b", name="Zoé Martin", email="contact@lumerine.example", phone="04 77 00 00 00", postcode="42000"
    )
    assert groups([company, person, stranger]) == {frozenset({"a/905", "a/contact:7"}), frozenset({"b/12"})}
    elsewhere = a_company("905", "b", name="Lumerine")
    assert len(groups([person, elsewhere])) == 2
