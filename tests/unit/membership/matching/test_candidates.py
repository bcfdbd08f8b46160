"""Which pairs are compared."""

from itertools import combinations, product
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.membership.matching.candidates import Candidates, are_candidates, beginning
from services.membership.matching.features import Features
from services.membership.matching.trigrams import (
    HIGH_THRESHOLD,
    THRESHOLD,
    bitmap,
    held,
    mark,
    similar,
    sought,
    trigrams,
    unshared,
)
from services.membership.matching.weights import shipped
from tests.unit.membership.matching.builders import NOTHING, a_company, demo_members


def found(*records: Features) -> set[tuple[str, str]]:
    return {(a.key.record_id, b.key.record_id) for a, b in Candidates(records).pairs()}


def test_trigrams_are_those_of_pg_trgm() -> None:
    assert trigrams("AB CDE") == {"  a", " ab", "ab ", "  c", " cd", "cde", "de "}


def test_a_mark_is_what_databases_hold() -> None:
    assert mark("42000 L", "lum", "+") == crc32(b"42000 L/lum+") - 2**31
    assert mark("", "LUMÉR") == crc32("/LUMÉR".encode()) - 2**31


def test_similarity_is_shared_trigrams_over_all() -> None:
    assert similar("LUMERINE", "LUMERINE")
    assert similar("MARGEURITE", "MARGUERITE")  # a typing error, which no key forgives
    assert not similar("LUMERINE", "VIOREAU")
    assert not similar("", "")


def test_similar_names_are_kept_under_a_mark_that_is_sought(tmp_path: Path) -> None:
    names = sorted({features.names[0] for features in demo_members(tmp_path, members=250)[0]})
    alike = [(a, b) for a in names for b in names if similar(a, b)]
    assert len(alike) > len(names) * 2
    for a, b in alike:
        assert set(held(a, "69")) & set(sought(b, "69")), (a, b)
        unlike = (int(bitmap(a), 2) ^ int(bitmap(b), 2)).bit_count()
        for threshold in (THRESHOLD, HIGH_THRESHOLD):
            if similar(a, b, threshold):
                assert unlike <= unshared(threshold) * (len(trigrams(a)) + len(trigrams(b)))
    assert not set(held(names[0], "69")) & {*sought(names[0], "42"), *sought(names[0], "")}


def test_one_shared_key_makes_a_candidate() -> None:
    features = a_company("1", name="Vioreau", phone="04 77 12 34 56", postcode="42000")
    assert found(features, a_company("2", name="Lumerine", phone="0033477123456", postcode="69003")) == {("1", "2")}
    assert found(features, a_company("2", name="Lumerine", phone="04 77 12 34 57", postcode="69003")) == set()


@pytest.mark.parametrize(
    ("name", "postcode", "town", "expected"),
    [
        ("Margueritte", "75003", None, True),
        ("Margeurite", "75003", None, True),  # as unlike as a name in one postcode may be
        ("Argeurite", "75003", None, False),  # the first letter is seldom mistyped
        ("Margueritte", "75011", None, True),
        ("Margueritte", None, None, True),
        ("Margueritte", "42000", None, False),
        ("Marguennite", "75011", None, False),  # too unlike for a pair that only the département holds together
        ("Marguennite", "75011", "Paris", True),
        ("Marguennite", None, "Paris", True),
        ("Mmarguerite", "75011", "Paris", False),
    ],
)
def test_the_farther_apart_two_are_the_more_alike_are_their_names(
    name: str, postcode: str | None, town: str | None, expected: bool
) -> None:
    features = a_company("1", name="Marguerite", postcode="75003", city="Paris")
    assert bool(found(features, a_company("2", name=name, postcode=postcode, city=town))) is expected


def test_it_begins_with_the_first_word_that_tells() -> None:
    assert [beginning(name) for name in ("GROUPE LUMERINE", "LUMERINE CONSEIL", "CONSEIL PLUS", "LL")] == [
        "LUMER", "LUMER", "CONSE", "LL"
    ]  # fmt: skip


def test_only_slips_and_common_names_reach_review_by_name_and_departement_alone() -> None:
    """What the docstring of ``candidates`` says. The exact ones of these share a key, unless a crowd does."""
    weights = shipped()
    alone = {
        level
        for level in weights.levels["name"]
        if weights.score(NOTHING._replace(name=level, place="departement")) >= weights.review
    }
    slips = {"fuzzy", "near", "abbreviation"}
    assert alone - slips == {"exact", "exact-common", "brand", "located", "acronym"}


def test_a_crowded_key_brings_nobody_together() -> None:
    crowd = [
        a_company(str(at), name=f"{word} {other}", website="union.example", postcode=f"{at + 1:02}100")
        for at, (word, other) in enumerate(product(("ALPHA", "BRAVO", "CHARLIE", "DELTA"), "ABCDEFGH"))
        if at < 31
    ]
    index = Candidates(crowd)
    assert index.classes["d:union.example"].name == "CROWDED"
    shared_word = {(a.key, b.key) for a, b in combinations(crowd, 2) if a.names[0].split()[0] == b.names[0].split()[0]}
    assert {(a.key, b.key) for a, b in index.pairs()} == {(min(pair), max(pair)) for pair in shared_word}


NAMES = (
    "Lumerine", "Lumerine Lyon", "Lumérine", "Lumerin", "Groupe Lumerine", "Numerine", "Vioreau", "Vioro", "LL",
    "Lumerine Lyon Ltd", "Viorne Est Avelle", "Viorne Est Avele", "Conseil Plus", "",
)  # fmt: skip


def test_a_company_is_declared_to_be_the_employer_of_so_many_and_no_more() -> None:
    company = a_company("company", "south", name="Lumerinance")
    people = [a_company(f"contact:{at}", "south", name=f"Personne {at}", works_for="company") for at in range(500)]
    most = [company, *people[:-1]]
    assert {pair for pair in found(*most) if "company" in pair} == {
        ("company", person.key.record_id) for person in most[1:]
    }
    assert not any("company" in pair for pair in found(company, *people))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(NAMES),
            st.sampled_from([None, "42000", "42300", "69003"]),
            st.sampled_from([None, "Lyon", "Roanne"]),
        ),
        max_size=40,
    )
)
@settings(deadline=None)
def test_pairs_are_those_that_the_rule_allows(written: list[tuple[str, str | None, str | None]]) -> None:
    records = [
        a_company(str(at), "south" if at % 2 else "north", name=name or "?", postcode=postcode, city=town)
        for at, (name, postcode, town) in enumerate(written)
    ]
    index = Candidates(records)
    pairs = [(a.key, b.key) for a, b in index.pairs()]
    ordered = sorted(records, key=lambda record: record.key)
    assert pairs == [
        (a.key, b.key) for a, b in combinations(ordered, 2) if are_candidates(a, b, index.classes, index.hubs)
    ]
    assert [(a.key, b.key) for a, b in Candidates(records[::-1]).pairs()] == pairs
