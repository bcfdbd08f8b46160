"""Records full of collisions, and an empty place in which to recognise them."""

from collections.abc import AsyncIterator
from itertools import product
from random import Random

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from deploy.local.nodes import Nodes
from services.membership.matching import repository as matching_repository
from services.membership.matching import term_frequency as frequencies
from services.membership.matching.features import Features
from services.membership.matching.keys import BEGINNING, NEAR, SIREN
from shared.persistence.database import create_engine
from tests.unit.membership.matching.builders import a_company, demo_members


@pytest.fixture
async def database(nodes: Nodes) -> AsyncIterator[AsyncConnection]:
    """An empty place for the tables of recognition, gone when the test is."""
    engine = create_engine(nodes.database.url, application="test", pool_size=1)
    try:
        async with engine.connect() as connection:
            await matching_repository.make_private_tables(connection)
            yield connection
    finally:
        await engine.dispose()


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> list[Features]:
    return demo_members(tmp_path_factory.mktemp("demo"), members=300)[0]


@pytest.fixture(scope="module")
def alike() -> list[Features]:
    """Names that resemble each other, in places that are near, far, or known in part."""
    rng = Random(7)
    names = [
        "Lumerinance",
        "Lumerinanse",
        "Lumerinance Lyon",
        "Lumerine",
        "Numerinance",
        "Lumerino SAS",
        "Groupe Lumer",
    ]
    places = [("42000", "Roanne"), ("42300", "Roanne"), ("42300", None), (None, "Roanne"), (None, None),
              ("69003", "Lyon"), ("69003", "Roanne")]  # fmt: skip
    return [
        a_company(f"{at:03}", rng.choice(["north", "south"]), name=name, postcode=postcode, city=town)
        for at, (name, (postcode, town)) in enumerate(product(names, places))
    ]


@pytest.fixture(scope="module")
def crowd() -> list[Features]:
    """Records whose keys pass every threshold: shared by two, by a few, and by more than may find each other."""
    rng = Random(5)
    words = ["ALPHAN", "BRAVIO", "CORMEL", "DELNOR", "ESTIVE", "FRAMOR"]
    return [
        a_company(
            f"{at:03}", rng.choice(["north", "south"]), name=" ".join(rng.sample(words[: 2 + at % 5], 2)),
            website=rng.choice([None, "union.example", f"d{rng.randrange(30)}.example"]),
            email=rng.choice([None, f"ada{rng.randrange(8)}@orange.fr", f"ada@d{rng.randrange(9)}.example"]),
            phone=rng.choice([None, f"04 77 12 34 {rng.randrange(50, 60)}"]),
            street=rng.choice([None, f"{rng.randrange(1, 4)} rue des Lilas"]),
            postcode=rng.choice([None, "42000", "42300", "69003"]),
            siren=rng.choice([None, None, "732829320", "552100554"]),
        )
        for at in range(140)
    ]  # fmt: skip


@pytest.fixture
def small_crowds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Crowds of a few, so that keys move in and out of being one all the time."""
    monkeypatch.setattr(frequencies, "_CROWDED", 4)
    monkeypatch.setattr(frequencies, "MOST_BY_HUBS", 12)
    monkeypatch.setattr(frequencies, "_CROWDED_ABOVE", {SIREN: 6, NEAR: 9, BEGINNING: 5})


@pytest.fixture(scope="module")
def twins() -> list[Features]:
    """Records with one SIREN and name, or that are declared to be one, and names alike in one place: crowds of each."""
    rng = Random(11)
    names = ["Lumerinance", "Lumerinance", "Lumerinance Lyon", "Lumerinanse", "Lumerino Forez", "Vioreau"]
    records = [
        a_company(
            f"{at:03}", rng.choice(["north", "south"]), name=rng.choice(names),
            siren=rng.choice([None, "732829320", "732829320", "552100554"]),
            same_as=rng.choice([None, None, "007", "008"]),
            works_for=rng.choice([None, None, None, "007"]),
            postcode=rng.choice([None, "42000", "42000", "42300", "69003"]),
            city=rng.choice([None, "Roanne"]), phone=rng.choice([None, f"04 77 12 34 {rng.randrange(50, 60)}"]),
        )
        for at in range(60)
    ]  # fmt: skip
    return sorted(records, key=lambda record: str(record.key.record_id))
