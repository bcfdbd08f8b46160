"""What the list of members shows, made from the API's JSON."""

from datetime import date

import pytest

from deploy.provisioning.provision import CLUSTERS
from services.gateway.api.export_columns import COLUMNS
from services.gateway.console.catalogue import words
from services.gateway.console.display import marks_of
from services.gateway.console.pages.members import dues, listing
from services.gateway.console.pages.members_export import offer
from services.gateway.console.pages.members_filters import Filters, choices
from shared.runtime.clusters import load_clusters

MARKS = marks_of(load_clusters(CLUSTERS))
FRENCH = words("fr")
TODAY = "2026-11-30"
DAY = date.fromisoformat(TODAY)


def an_item(**values):
    return {
        "id": "440824fe-7d71-50e4-aa79-faf0ceef937d",
        "name": "Forges du Gier",
        "brand": None,
        "siren": "732829320",
        "city": "Lyon",
        "departement": "69",
        "clusters": ["numelink", "clustr-numerique"],
        "lineages": [],
        "paid_until": "2027-05-31",
        "paid_up": True,
        "active": True,
        **values,
    }


def listed(*items, asked=Filters(), **page):
    return listing({"items": items, "next": None, "total": len(items), **page}, asked, TODAY, MARKS, FRENCH)


def test_a_row_says_who_and_whose_it_is():
    (row,) = listed(an_item()).rows
    assert row.address == "/console/membres/440824fe-7d71-50e4-aa79-faf0ceef937d"
    assert [mark.letters for mark in row.marks] == ["CR", "NL"]
    assert row.siren == "732\u00a0829\u00a0320"
    assert row.dues.text == "À jour jusqu’au 31 mai 2027"
    assert not row.has_ended


def test_what_is_not_known_is_left_out():
    (row,) = listed(an_item(name=None, siren=None, city=None, departement=None, active=False)).rows
    assert (row.name, row.siren, row.city, row.departement, row.has_ended) == ("(sans nom)", None, "", None, True)


@pytest.mark.parametrize(
    ("until", "paid_up", "state", "text"),
    [
        ("2027-05-31", True, "good", "À jour jusqu’au 31 mai 2027"),
        (TODAY, True, "good", "À jour jusqu’au 30 nov. 2026"),
        ("2025-12-31", False, "attention", "Échue le 31 déc. 2025"),
        (None, False, "quiet", "Jamais payée"),
        (None, True, "quiet", "Rien à payer"),
        ("2025-12-31", True, "quiet", "Rien à payer"),
    ],
)
def test_dues_are_told_in_words(until, paid_up, state, text):
    tag = dues(until, paid_up=paid_up, today=TODAY, words=FRENCH)
    assert (tag.state, tag.text) == (state, text)
    assert dues(until, paid_up=paid_up, today=TODAY, words=words("en")).text.isascii()


@pytest.mark.parametrize(("total", "text"), [(0, "0 membre"), (1, "1 membre"), (27524, "27\u202f524 membres")])
def test_members_are_counted(total, text):
    assert listed(total=total).count == text


def test_addresses_keep_what_was_asked_for():
    asked = Filters(q="café & thé", cluster="numelink", cotisation="en-retard")
    page = listed(an_item(), asked=asked, next="abc")
    assert page.following == "/console/membres?q=caf%C3%A9+%26+th%C3%A9&cluster=numelink&cotisation=en-retard&suite=abc"
    assert page.export == "/console/membres/export?q=caf%C3%A9+%26+th%C3%A9&cluster=numelink&cotisation=en-retard"
    assert page.without_filters == "/console/membres?q=caf%C3%A9+%26+th%C3%A9"
    assert listed(asked=Filters(q="x")).without_filters is None
    assert Filters().address() == "/console/membres"


def test_the_api_is_asked_for_the_same():
    asked = Filters(q="x", origine="edit", cotisation="a-jour", adhesion="terminee", modifie="7-jours").asked(DAY)
    assert asked == {
        "search": "x",
        "cluster": "",
        "lineage": "edit",
        "departement": "",
        "paid_up": True,
        "active": False,
        "changed_since": "2026-11-23",
        "sort": "name",
    }
    assert Filters(tri="echeance").asked(DAY)["sort"] == "paid_until"
    anything = Filters(cotisation="n’importe", modifie="un jour", tri="couleur").asked(DAY)
    assert (anything["paid_up"], anything["changed_since"], anything["sort"]) == (None, None, "name")


FACETS = {
    "clusters": [{"code": "numelink", "name": "Numelink", "members": 1234}],
    "lineages": [],
    "departements": [{"code": "69", "name": "Rhône", "members": 0}],
    "paid_up": {"yes": 3, "no": 4},
    "active": {"yes": 5, "no": 6},
}


def test_choices_show_what_is_chosen_even_where_nobody_has_it():
    asked = Filters(cluster="numelink", departement="75", tri="echeance")
    made = {choice.name: choice for choice in choices(asked, FACETS, FRENCH)}
    assert [option.label for option in made["cluster"].options] == ["Tous", "Numelink"]
    assert [option.label for option in made["departement"].options] == ["Tous", "69 Rhône", "75"]
    assert [[option.value for option in choice.options if option.is_chosen] for choice in made.values()] == [
        ["numelink"],
        [""],
        ["75"],
        [""],
        [""],
        [""],
        ["echeance"],
    ]


def test_each_option_says_how_many_it_leaves():
    made = {choice.name: choice for choice in choices(Filters(), FACETS, FRENCH)}
    counts = {name: {option.value: option.count for option in choice.options} for name, choice in made.items()}
    assert counts["cluster"] == {"": "", "numelink": "1\u202f234"}
    assert counts["departement"] == {"": "", "69": "0"}
    assert counts["cotisation"] == {"": "", "a-jour": "3", "en-retard": "4"}
    assert counts["adhesion"] == {"": "", "en-cours": "5", "terminee": "6"}


def test_who_is_meant_exactly_stands_first_and_once():
    mill = an_item(id="m", name="Moulin", matched="record")
    further_down = listed(an_item(name="Atelier"), exact=[mill])
    assert [(row.name, row.matched) for row in further_down.exact] == [
        ("Moulin", "Trouvé par l’identifiant d’une fiche")
    ]
    assert [row.name for row in further_down.rows] == ["Atelier"]
    there = listed(an_item(name="Atelier"), mill, exact=[mill])
    assert (there.exact, [row.name for row in there.rows]) == ((), ["Atelier", "Moulin"])


def test_an_export_keeps_the_filters_and_ticks_what_its_purpose_needs():
    asked = Filters(q="café", cluster="numelink", tri="echeance")
    offered = offer({"total": 12}, asked, [], FRENCH)
    assert offered.count == "12 membres"
    assert dict(offered.fields) == {"q": "café", "cluster": "numelink", "tri": "echeance"}
    ticked = [column.name for group in offered.groups for column in group.columns if column.is_ticked]
    assert "name" in ticked
    assert "email" not in ticked
    (usual, mail, _) = offered.purposes
    assert (usual.is_chosen, mail.is_chosen) == (True, False)
    assert mail.address.startswith("/console/membres/export?q=caf%C3%A9&cluster=numelink&tri=echeance&colonne=name&")
    assert (
        offer({"total": 1}, Filters(), ["name", "email"], FRENCH)
        .purposes[0]
        .address.startswith("/console/membres/export?colonne=name&")
    )


def test_every_column_of_the_api_is_offered_once():
    offered = [column.name for group in offer({"total": 0}, Filters(), [], FRENCH).groups for column in group.columns]
    assert sorted(offered) == sorted(COLUMNS)
