"""PostgreSQL finds the same candidates as memory does, and no order of arrival shows in what it stores."""

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from typer.testing import CliRunner

from deploy.local.nodes import Nodes
from services.cli.members.matching import app
from services.membership.matching import repository as matching_repository
from services.membership.matching.candidates import Candidates
from services.membership.matching.features import Features
from services.membership.matching.term_frequency import REPORTED, Commonness
from services.membership.matching.trigrams import THRESHOLD, similar
from services.membership.matching.weights import shipped
from tests.support.recognising import from_scratch, in_batches
from tests.unit.membership.matching.builders import a_company


@pytest.mark.parametrize("which", ["members", "crowd", "alike"])
async def test_the_same_pairs_and_classes_as_in_memory(
    database: AsyncConnection, which: str, request: pytest.FixtureRequest
) -> None:
    records: list[Features] = request.getfixturevalue(which)
    batch = await matching_repository.change_of(database, records, [], shipped())
    candidates = await matching_repository.candidates(database, batch)
    index = Candidates(records)
    expected = list(index.pairs())
    assert len(expected) > 100
    assert sorted((a.key, b.key) for a, b in candidates.pairs) == [(a.key, b.key) for a, b in expected]
    assert candidates.classes == index.classes


async def test_similarity_is_that_of_pg_trgm(database: AsyncConnection, members: list[Features]) -> None:
    names = sorted({member.names[0] for member in members})[:150]
    await database.exec_driver_sql("select set_config('pg_trgm.similarity_threshold', $1, false)", (str(THRESHOLD),))
    rows = await database.exec_driver_sql(
        "select a.name, b.name from unnest($1::text[]) a (name), unnest($1::text[]) b (name) where a.name % b.name",
        (names,),
    )
    assert {tuple(row) for row in rows} == {(a, b) for a in names for b in names if similar(a, b)}


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("which", ["members", "crowd", "alike"])
async def test_no_order_of_arrival_shows(
    database: AsyncConnection, which: str, seed: int, request: pytest.FixtureRequest
) -> None:
    records: list[Features] = request.getfixturevalue(which)
    rng = Random(seed)
    # Some come as something else first, and some are there for a while only.
    others = [
        a_company(features.key.record_id, features.key.cluster, name="Alphan Bravio")
        for features in rng.sample(records, 30)
    ]
    passing = [a_company(f"gone-{at}", name="Cormel Delnor", website="union.example") for at in range(25)]
    for batch in in_batches([*others, *passing], rng):
        await matching_repository.recognise(database, batch, [], shipped())
    await matching_repository.recognise(database, [], [features.key for features in passing[:5]], shipped())
    for batch in in_batches(records, rng):
        await matching_repository.recognise(database, batch, [], shipped())
    await matching_repository.recognise(database, [], [features.key for features in passing[5:]], shipped())
    assert await matching_repository.kept_pairs(database) == from_scratch(records)


async def kept_crowds(database: AsyncConnection) -> list[str]:
    return sorted(row[0] for row in await database.exec_driver_sql("select key from match_crowds"))


@pytest.mark.usefixtures("small_crowds")
@pytest.mark.parametrize("seed", range(8))
async def test_no_order_of_arrival_shows_in_crowds(database: AsyncConnection, twins: list[Features], seed: int) -> None:
    rng = Random(seed)
    others = [
        a_company(features.key.record_id, features.key.cluster, name="Lumerinance", siren="732829320", postcode="42000")
        for features in rng.sample(twins, 20)
    ]
    # Some sort before all others, and are hubs until they go.
    passing = [a_company(f"!{at}", "a", name="Lumerinance", siren="732829320", same_as="007") for at in range(9)]
    for batch in in_batches([*others, *passing], rng):
        await matching_repository.recognise(database, batch, [], shipped())
    for batch in in_batches(twins, rng):
        await matching_repository.recognise(database, batch, [], shipped())
    await matching_repository.recognise(database, [], [features.key for features in passing], shipped())
    assert await matching_repository.kept_pairs(database) == from_scratch(twins)
    classes = Candidates(twins).classes
    crowded = {key for key, class_ in classes.items() if class_ == Commonness.CROWDED and key[0] in REPORTED}
    assert {key[0] for key in crowded} == set(REPORTED)
    assert await kept_crowds(database) == sorted(crowded)


@pytest.mark.usefixtures("small_crowds")
async def test_crowds_are_the_same_in_memory(database: AsyncConnection, twins: list[Features]) -> None:
    candidates = await matching_repository.candidates(
        database, await matching_repository.change_of(database, twins, [], shipped())
    )
    index = Candidates(twins)
    assert sorted((a.key, b.key) for a, b in candidates.pairs) == [(a.key, b.key) for a, b in index.pairs()]
    assert candidates.classes == index.classes
    await matching_repository.rebuild(database, twins, shipped())
    rebuilt = await kept_crowds(database)
    await matching_repository.recognise(database, [], [twin.key for twin in twins], shipped())
    assert rebuilt
    assert await kept_crowds(database) == []


async def test_it_says_whose_groups_may_have_changed(database: AsyncConnection) -> None:
    features = a_company("1", siren="732829320", postcode="42000")
    other = a_company("2", "south", siren="732829320", postcode="42000")
    assert await matching_repository.recognise(database, [features], [], shipped()) == {features.key}
    assert await matching_repository.recognise(database, [other], [], shipped()) == {features.key, other.key}
    assert [pair.verdict for pair in await matching_repository.kept_pairs(database)] == ["auto"]
    # A SIREN that comes later contradicts the merge.
    changed = a_company("2", "south", siren="552100554", postcode="42000")
    assert await matching_repository.recognise(database, [changed], [], shipped()) == {features.key, other.key}
    assert await matching_repository.kept_pairs(database, ["auto"]) == []
    assert await matching_repository.recognise(database, [], [other.key], shipped()) == {features.key, other.key}
    assert await matching_repository.kept_pairs(database) == []


async def test_a_key_that_becomes_common_changes_pairs_that_nobody_touched(database: AsyncConnection) -> None:
    place = {"website": "lumerine.example", "postcode": "42000", "city": "St-Étienne"}
    features, other = a_company("1", **place), a_company("2", "south", **place)
    await matching_repository.recognise(database, [features, other], [], shipped())
    assert [pair.verdict for pair in await matching_repository.kept_pairs(database)] == ["auto"]
    strangers = [
        a_company(name, "south", name=name, website="lumerine.example", postcode="69003")
        for name in ("Vioreau", "Ornesse")
    ]
    touched = await matching_repository.recognise(database, strangers, [], shipped())
    assert {features.key, other.key} <= touched
    judgement = {(pair.a, pair.b): pair for pair in await matching_repository.kept_pairs(database)}[
        features.key, other.key
    ]
    assert (judgement.verdict, judgement.levels.domain) == ("review", "shared")


async def test_features_of_another_version_are_not_used(database: AsyncConnection) -> None:
    await matching_repository.recognise(database, [a_company("1")], [], shipped())
    await database.exec_driver_sql("""update match_features set features = '{"v": 0}'""")
    with pytest.raises(LookupError, match="north/1"):
        await matching_repository.recognise(database, [a_company("2", "south")], [], shipped())


async def test_a_record_that_says_nothing_new_costs_nothing(database: AsyncConnection) -> None:
    features, other = a_company("1", siren="732829320"), a_company("2", "south", siren="732829320")
    await matching_repository.recognise(database, [features, other], [], shipped())
    before = await matching_repository.kept_pairs(database)
    assert await matching_repository.recognise(database, [features], [], shipped()) == {features.key}
    assert await matching_repository.kept_pairs(database) == before


async def test_names_without_a_departement_are_compared_with_those_everywhere(database: AsyncConnection) -> None:
    somewhere = [a_company(str(at), name="Margueritte", postcode=code) for at, code in enumerate(("42000", "97400"))]
    nowhere = [a_company(f"n{at}", "south", name="Marguerite") for at in range(2)]
    for records in (somewhere, nowhere):
        batch = await matching_repository.change_of(database, records, [], shipped())
    candidates = await matching_repository.candidates(database, batch)
    pairs = {frozenset((a.key.record_id, b.key.record_id)) for a, b in candidates.pairs}
    assert pairs == {frozenset(pair) for pair in (("0", "n0"), ("0", "n1"), ("1", "n0"), ("1", "n1"), ("n0", "n1"))}


async def test_it_says_whether_what_is_stored_is_current(database: AsyncConnection) -> None:
    weights = shipped()
    assert await matching_repository.is_current(database, weights)  # there is nobody to recognise
    await matching_repository.recognise(database, [a_company("1")], [], weights)
    assert await matching_repository.is_current(database, weights)
    assert not await matching_repository.is_current(database, replace(weights, version=weights.version + 1))
    await database.exec_driver_sql("update match_state set features = features - 1")
    assert not await matching_repository.is_current(database, weights)


@pytest.mark.parametrize("stored", ["features", "weights"])
async def test_what_another_version_computed_is_not_added_to(database: AsyncConnection, stored: str) -> None:
    features, other = a_company("1"), a_company("2", "south")
    await matching_repository.recognise(database, [features], [], shipped())
    await database.exec_driver_sql(f"update match_state set {stored} = {stored} - 1")
    for changed, removed in (([other], []), ([], [features.key])):
        with pytest.raises(matching_repository.StaleRecognitionError, match="run traboule rebuild"):
            await matching_repository.recognise(database, changed, removed, shipped())
    assert await matching_repository.rebuild(database, [features, other], shipped()) == 2
    assert await matching_repository.recognise(database, [other], [], shipped()) == {other.key}


async def test_rebuilding_is_recognising_from_scratch(database: AsyncConnection, members: list[Features]) -> None:
    former = replace(shipped(), version=99, prior=3.0)
    await matching_repository.recognise(database, members[:200], [], former)
    await database.exec_driver_sql("""update match_features set features = '{"v": 0}'""")
    assert await matching_repository.rebuild(database, iter(members), shipped()) == len(members)
    assert await matching_repository.is_current(database, shipped())
    assert await matching_repository.kept_pairs(database) == from_scratch(members)


def test_evaluate_gives_the_same_figures_in_a_database(nodes: Nodes, tmp_path: Path) -> None:
    header = "record_id,name,siren,phone,postcode"
    (tmp_path / "cluster_a.csv").write_text(f"{header}\nN1,Lumerine,732829320,,42000\nN2,Vioreau,,0477123456,42300\n")
    (tmp_path / "cluster_b.csv").write_text(
        f"{header}\nS1,Lumerine SAS,732829320,,69003\nS2,Viorau,,0477123456,42300\n"
    )
    (tmp_path / "truth_pairs.csv").write_text("record_id_1,record_id_2,kind\nN1,S1,cross\nN2,S2,cross\n")
    (tmp_path / "truth_records.csv").write_text("record_id,entity_id\nN1,1\nN2,2\nS1,1\nS2,2\n")
    runs = [
        CliRunner().invoke(app, ["evaluate", str(tmp_path), "--json", *where])
        for where in ([], ["--database", nodes.database.url])
    ]
    in_memory, in_database = (json.loads(run.stdout) | {"seconds": 0} for run in runs)
    assert in_memory == in_database
    assert in_memory["auto"]["false_pairs"] == 0
