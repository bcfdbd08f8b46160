"""Which pairs are compared."""

from itertools import combinations, product
from pathlib import Path

from services.membership.domain.matching.candidates import Candidates, are_candidates
from services.membership.domain.matching.features import Features
from services.membership.domain.matching.trigrams import UNSHARED, bitmap, held, similar, sought, trigrams
from tests.unit.membership.matching.builders import a_company, demo_members


def found(*records: Features) -> set[tuple[str, str]]:
    return {(a.key.record_id, b.key.record_id) for a, b in Candidates(records).pairs()}


def test_trigrams_are_those_of_pg_trgm() -> None:
    assert trigrams("AB CDE") == {"  a", " ab", "ab ", "  c", " cd", "cde", "de "}


def test_similarity_is_shared_trigrams_over_all() -> None:
    assert similar("LUMERINE", "LUMERINE")
    assert similar("MARGEURITE", "MARGUERITE")  # a typing error, which no key forgives
    assert not similar("LUMERINE", "VIOREAU")
    assert not similar("", "")


def test_similar_names_are_kept_under_a_mark_that_is_sought(tmp_path: Path) -> None:
    names = sorted({one.names[0] for one in demo_members(tmp_path, members=250)[0]})
    alike = [(a, b) for a in names for b in names if similar(a, b)]
    assert len(alike) > len(names) * 2
    for a, b in alike:
        assert set(held(a, "69")) & set(sought(b, "69")), (a, b)
        unlike = (int(bitmap(a), 2) ^ int(bitmap(b), 2)).bit_count()
        assert unlike <= UNSHARED * (len(trigrams(a)) + len(trigrams(b)))
    assert not set(held(names[0], "69")) & {*sought(names[0], "42"), *sought(names[0], None)}


def test_one_shared_key_makes_a_candidate() -> None:
    one = a_company("1", name="Vioreau", phone="04 77 12 34 56", postcode="42000")
    assert found(one, a_company("2", name="Lumerine", phone="0033477123456", postcode="69003")) == {("1", "2")}
    assert found(one, a_company("2", name="Lumerine", phone="04 77 12 34 57", postcode="69003")) == set()


def test_similar_names_are_candidates_unless_known_to_be_far_apart() -> None:
    one = a_company("1", name="Margeurite", postcode="75003")
    assert found(one, a_company("2", name="Marguerite", postcode="75011")) == {("1", "2")}
    assert found(one, a_company("2", name="Marguerite")) == {("1", "2")}
    assert found(one, a_company("2", name="Marguerite", postcode="42000")) == set()


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


def test_pairs_are_those_that_the_rule_allows() -> None:
    names = [
        "Lumerine",
        "Lumerine Lyon",
        "Lumérine",
        "Vioreau",
        "Vioro",
        "LL",
        "Lumerine Lyon Ltd",
        "Viorne Est Avelle",
    ]
    places = [None, "42000", "69003"]
    records = [
        a_company(str(at), "south" if at % 2 else "north", name=name, postcode=place)
        for at, (name, place) in enumerate(product(names, places))
    ]
    index = Candidates(records)
    pairs = [(a.key, b.key) for a, b in index.pairs()]
    ordered = sorted(records, key=lambda one: one.key)
    assert pairs == [(a.key, b.key) for a, b in combinations(ordered, 2) if are_candidates(a, b, index.classes)]
    assert [(a.key, b.key) for a, b in Candidates(records[::-1]).pairs()] == pairs
