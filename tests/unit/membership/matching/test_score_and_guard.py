"""Scores, words, and what may be merged without a person."""

import random
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from services.membership.matching.explanations import LEVELS, REFUSALS
from services.membership.matching.guard import refusal, strong_keys
from services.membership.matching.levels import FIELDS, Levels
from services.membership.matching.score import Judge, explain, judge
from services.membership.matching.term_frequency import Commonness, Identity, commonness, companies_of
from services.membership.matching.weights import WeightsError, parse, shipped, write
from tests.unit.membership.matching.builders import NOTHING, a_company, demo_members

ADDRESS = {"street": "3 rue des Lilas", "postcode": "42000", "city": "St-Étienne"}
SIREN, OTHER_SIREN = {"siren": "732829320"}, {"siren": "552100554"}
ALDI = {"name": "ALDI MARCHE"}
ELSEWHERE = {"street": "9 quai des Brumes", "postcode": "69003", "city": "Lyon", "phone": "04 72 00 00 00",
             "email": "a@other.example"}  # fmt: skip
OTHER_SITE = {"website": "vioreau.example", "phone": "04 77 99 99 99", "email": "b@vioreau.example"}
SITE, PHONE = {"website": "lumerine.example"}, {"phone": "04 77 12 34 56"}


def verdict(document: dict[str, Any], other: dict[str, Any]) -> str:
    judgement = judge(a_company("1", "north", **document), a_company("2", "south", **other), {}, shipped())
    return f"{judgement.verdict}: {judgement.refused}" if judgement.refused else judgement.verdict


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({"siren": "equal", "name": "exact"}, None),
        ({"siren": "equal", "name": "acronym"}, None),
        ({"siren": "equal", "name": "none"}, "siren-alone"),
        ({"siren": "equal"}, "siren-alone"),
        ({"siren": "equal", "name": "subset-rare", "phone": "equal"}, "siren-alone"),
        ({"siren": "equal", "name": "subset-rare", "phone": "equal", "domain": "equal"}, None),
        ({"siren": "equal", "name": "none", "phone": "equal", "domain": "equal"}, "siren-alone"),
        ({"siren": "equal", "name": "none", "phone": "equal", "email": "equal", "street": "equal", "place": "town"},
         None),
        ({"siren": "different", "name": "exact", "domain": "equal", "phone": "equal"}, "sirens-differ"),
        ({"siren": "different", "declared": "same", "name": "exact"}, "sirens-differ"),
        ({"siren": "unlike", "name": "exact", "domain": "equal", "place": "town"}, "sirens-unlike"),
        ({"siren": "unlike", "declared": "same", "name": "exact"}, None),
        ({"declared": "same", "name": "exact"}, None),
        ({"declared": "same", "name": "none"}, "name-not-telling"),
        ({"name": "exact", "domain": "equal", "place": "town"}, None),
        ({"name": "brand", "phone": "equal", "place": "postcode"}, None),
        ({"name": "fuzzy", "email": "equal", "place": "postcode"}, None),
        ({"name": "fuzzy", "email": "role", "place": "postcode"}, "name-alone"),
        ({"name": "exact", "domain": "shared", "place": "town"}, "name-alone"),
        ({"name": "exact", "place": "postcode"}, "name-alone"),
        ({"name": "exact", "domain": "equal", "place": "departement"}, "one-key-elsewhere"),
        ({"name": "exact", "domain": "equal", "email": "equal", "place": "departement"}, "one-key-elsewhere"),
        ({"name": "exact", "domain": "equal", "phone": "equal", "place": "departement"}, None),
        ({"name": "exact", "street": "equal", "place": "postcode"}, None),
        ({"name": "exact", "street": "equal", "place": "elsewhere"}, "name-alone"),
        ({"name": "exact", "street": "shared", "place": "postcode"}, "name-alone"),
        ({"name": "subset-rare", "domain": "equal", "phone": "equal", "place": "town"}, "name-not-telling"),
        ({"name": "extended", "domain": "equal", "phone": "equal", "place": "town"}, "name-not-telling"),
        ({"name": "acronym", "domain": "equal", "phone": "equal", "place": "town"}, None),
        ({"name": "near", "domain": "equal", "place": "town"}, "name-not-telling"),
        ({"name": "exact", "domain": "equal", "place": "town", "form": "different"}, "association-and-company"),
        ({"name": "exact", "siren": "equal", "form": "different"}, None),
        ({"name": "exact", "street": "equal", "place": "town", "form": "one-association"}, "association-at-address"),
        ({"name": "exact", "street": "equal", "place": "town", "form": "associations", "contact": "equal"}, None),
        ({"name": "exact", "street": "equal", "place": "town", "phone": "equal", "form": "associations"}, None),
    ],
)  # fmt: skip
def test_the_guard(known: dict[str, str], expected: str | None) -> None:
    assert all(level in LEVELS[field] for field, level in known.items())
    assert refusal(NOTHING._replace(**known)) == expected


def test_strong_keys_count_ways_of_reaching_them() -> None:
    everything = NOTHING._replace(domain="equal", email="equal", phone="equal", street="equal", place="town")
    assert strong_keys(everything) == 3
    assert strong_keys(NOTHING) == 0


def test_every_refusal_that_the_guard_can_give_has_words() -> None:
    rng = random.Random(7)
    choices = [[None, *LEVELS[field]] for field in FIELDS]
    refusals = {refusal(Levels(*(rng.choice(levels) for levels in choices))) for _ in range(20_000)}
    assert refusals - {None} == set(REFUSALS) - {"contradiction"}


@pytest.mark.parametrize(
    ("item", "other", "expected"),
    [
        (SIREN, SIREN, "auto"),
        (SIREN | ADDRESS, SIREN | {"postcode": "69003"}, "auto"),
        (ADDRESS | SITE, ADDRESS | SITE, "auto"),
        (ADDRESS | PHONE, ADDRESS | PHONE, "auto"),
        # Names alone never suffice, nor a domain alone.
        ({}, {}, "review"),
        ({"postcode": "42000"}, {"postcode": "42000"}, "review: name-alone"),
        ({"postcode": "42000"}, {"postcode": "69003"}, "apart"),
        ({"name": "Vioreau"} | SITE | ADDRESS, SITE | {"postcode": "42300"}, "apart"),
        # ALDI MARCHE has one SIREN for each region.
        (ALDI | SIREN | ADDRESS, ALDI | OTHER_SIREN | {"postcode": "69003"}, "apart"),
        # One SIREN under one name is one company, whatever else differs; under another name it may be.
        (SIREN | ELSEWHERE | SITE, SIREN | ADDRESS | OTHER_SITE, "auto"),
        (SIREN | ELSEWHERE | SITE, SIREN | ADDRESS | OTHER_SITE | {"name": "Vioreau"}, "apart"),
        (ALDI | SIREN | ADDRESS | SITE | PHONE, ALDI | OTHER_SIREN | ADDRESS | SITE | PHONE, "review: sirens-differ"),
        # A number that is wrong, and not the other's mistyped, is somebody else's.
        (SIREN | ADDRESS | SITE | PHONE, {"siren": "552100555"} | ADDRESS | SITE | PHONE, "review: sirens-unlike"),
        (SIREN | ADDRESS | SITE | PHONE, {"siren": "732829321"} | ADDRESS | SITE | PHONE, "auto"),
        ({"name": "LASER 03"} | ADDRESS, {"name": "ASSOC LASER 03"} | ADDRESS, "review: association-at-address"),
        ({"name": "LASER 03 SARL"} | ADDRESS | PHONE, {"name": "ASSOC LASER 03"} | ADDRESS | PHONE,
         "review: association-and-company"),
        ({"name": "THALES DIS FRANCE"} | SITE, {"name": "THALES LAS FRANCE"} | SITE, "apart"),
        ({"name": "TEREGA"} | ADDRESS, {"name": "TEREVA"} | {"postcode": "64000", "city": "Pau"}, "apart"),
    ],
)  # fmt: skip
def test_verdicts(item: dict[str, Any], other: dict[str, Any], expected: str) -> None:
    assert verdict(item, other) == expected
    assert verdict(other, item) == expected


@pytest.mark.parametrize(
    ("name", "number", "expected"),
    [
        ("Lumerine SARL", None, ("auto", None)),
        ("Lumerine Groupe", None, ("auto", None)),
        ("Vioreau", None, ("review", None)),
        ("Lumerine", "552100554", ("review", "sirens-differ")),
    ],
)
def test_what_a_former_system_holds_to_be_one_is_merged_if_the_names_agree(
    name: str, number: str | None, expected: tuple[str, str | None]
) -> None:
    features, other = a_company("1", same_as="2", siren="732829320"), a_company("2", name=name, siren=number)
    judgement = judge(features, other, {}, shipped())
    assert (judgement.verdict, judgement.refused) == expected


def test_an_explanation_adds_up_to_the_score() -> None:
    weights = shipped()
    a, b = (
        a_company("1", **SIREN, **ADDRESS, **SITE),
        a_company("2", "south", **SIREN, **ADDRESS, name="Lumerine France"),
    )
    judgement = judge(a, b, {}, weights)
    evidence = explain(judgement.levels, weights)
    assert [(item.field, item.level) for item in evidence] == [
        ("siren", "equal"), ("name", "located"), ("street", "equal"), ("place", "postcode"),
    ]  # fmt: skip
    assert evidence[0].words == {"fr": "Même SIREN", "en": "Same SIREN"}
    assert judgement.score == pytest.approx(weights.prior + sum(item.weight for item in evidence), abs=0.011)
    assert judge(b, a, {}, weights) == judgement


@pytest.mark.parametrize("version", [0, 1])
def test_the_weights_that_are_shipped_speak_sense(version: int) -> None:
    weights = shipped(version)
    assert weights.version == version
    get = weights.levels
    assert get["siren"]["equal"] > 3 > 0 > get["siren"]["different"]
    assert (
        get["name"]["exact"] > get["name"]["fuzzy"] > get["name"]["near"] > get["name"]["partial"] > get["name"]["none"]
    )
    for field, better, worse in [
        ("domain", "equal", "shared"), ("domain", "shared", "different"), ("email", "equal", "role"),
        ("phone", "equal", "shared"), ("phone", "shared", "different"), ("place", "postcode", "departement"),
        ("place", "branch", "elsewhere"), ("place", "far", "elsewhere"), ("naf", "equal", "different"),
        ("street", "equal", "different"), ("contact", "equal", "different"), ("form", "associations", "different"),
    ]:  # fmt: skip
        assert get[field][better] > get[field][worse], field


def test_weights_can_be_written_and_read() -> None:
    assert parse(write(shipped()), "written") == shipped()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("version = ", "TOMLDecodeError"),
        ("version = 1", "KeyError"),
        (write(shipped(0)).replace("weights.siren", "weights.sirens"), "there is no field sirens"),
        (write(shipped(0)).replace("auto = 4.00", "auto = -9.00"), "the threshold for review must be below"),
    ],
)
def test_weights_that_cannot_be_used(text: str, complaint: str) -> None:
    with pytest.raises(WeightsError, match=complaint):
        parse(text, "mine.toml")


@pytest.mark.parametrize(
    ("key", "records", "companies", "expected"),
    [
        ("d:a.example", 2, 2, Commonness.RARE),
        ("d:a.example", 3, 3, Commonness.COMMON),
        ("d:a.example", 30, 1, Commonness.RARE),
        ("d:a.example", 31, 1, Commonness.CROWDED),
        ("p:+33477123456", 3, 3, Commonness.RARE),
        ("p:+33477123456", 4, 4, Commonness.COMMON),
        ("p:+33477123456", 8, 1, Commonness.RARE),
        ("t:LUMERINE", 6, 6, Commonness.RARE),
        ("t:LUMERINE", 7, 7, Commonness.COMMON),
        ("s:732829320", 31, 0, Commonness.RARE),
        ("s:732829320", 201, 0, Commonness.CROWDED),
        ("c:VPDA", 30, 0, Commonness.RARE),
        ("c:VPDA", 31, 0, Commonness.CROWDED),
    ],
)
def test_how_common_a_key_is(key: str, records: int, companies: int, expected: Commonness) -> None:
    assert commonness(key, records, companies) == expected


def test_companies_are_told_apart_by_siren_and_name_or_by_place() -> None:
    identity = Identity("LUMERINE", None, "42000")
    assert companies_of("e:x", [identity, identity, identity._replace(place="69001")]) == 1
    renamed = Identity("VIOREAU", "732829320", "42000")
    assert companies_of("e:x", [identity, renamed]) == 2
    assert companies_of("e:x", [identity._replace(siren="732829320"), renamed, identity]) == 1
    assert companies_of("n:LUMERINE", [identity, identity, identity._replace(place="69001")]) == 2


@pytest.mark.parametrize("version", [0, 1])
def test_looking_closely_only_where_it_matters_changes_no_judgement(tmp_path: Path, version: int) -> None:
    records = demo_members(tmp_path, members=120)[0]
    weights = shipped(version)
    judge_all = Judge(weights)
    for a, b in combinations(records, 2):
        full = judge(a, b, {}, weights)
        assert judge_all.unless_apart(b, a, {}) == (None if full.verdict == "apart" else full)
