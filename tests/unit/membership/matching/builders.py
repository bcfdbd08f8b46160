"""Records and features made up for tests of recognition: fictional companies, unless a true name is the point."""

from pathlib import Path
from typing import Any

from deploy.demo.generate import generate
from schemas.membership import MemberRecorded
from services.cli.importing.reading import FormerSystem, open_files
from services.membership.matching.evaluation import Truth
from services.membership.matching.features import Features, features
from services.membership.matching.levels import Levels, compare
from services.membership.matching.term_frequency import Commonness
from services.membership.normalisation.normalised_record import meaning
from services.membership.records.record import RecordKey, SourceRecord
from shared.importing.outcomes import Accepted


def a_record(record_id: str = "1", cluster: str = "north", **written: Any) -> SourceRecord:
    return _recorded(cluster, MemberRecorded(record_id=record_id, version=1, **{"name": "Lumerine", **written}))


def _recorded(cluster: str, fact: MemberRecorded) -> SourceRecord:
    understood = meaning(fact, None)
    return SourceRecord(
        RecordKey(cluster, fact.record_id),
        fact.model_dump(mode="json", exclude_none=True),
        understood.document,
        understood.siren,
        understood.same_as,
        understood.name_key,
        None,
    )


def a_company(record_id: str = "1", cluster: str = "north", **written: Any) -> Features:
    return features(a_record(record_id, cluster, **written))


def levels(document: dict[str, Any], other: dict[str, Any], **classes: Commonness) -> Levels:
    """Of two records, both ways round; ``classes`` of keys, which may not be written as words."""
    a, b = a_company("1", "north", **document), a_company("2", "south", **other)
    result = compare(a, b, classes)
    assert compare(b, a, classes) == result
    return result


def names(text: str, other: str) -> str | None:
    return levels({"name": text}, {"name": other}).name


def demo_members(folder: Path, *, seed: int = 11, members: int) -> tuple[list[Features], Truth]:
    """Two clusters of made-up companies, as the import reads their exports, and which of them are the same."""
    made = generate(folder, seed=seed, members=members)
    ours = ("clustr-numerique", "dolibarr-tiers.csv")
    theirs = ("numelink", "galette-adherents.csv", "galette_dynamic_fields_full.csv")
    records = [
        features(_recorded(cluster, outcome.fact))
        for cluster, *names in (ours, theirs)
        for file in open_files(FormerSystem(cluster, "membership"), [folder / cluster / name for name in names])
        for outcome in file.outcomes
        if isinstance(outcome, Accepted)
    ]
    same = ((RecordKey(ours[0], pair.clustr_id), RecordKey(theirs[0], pair.numelink_id)) for pair in made.pairs)
    return records, Truth(frozenset(same))


NOTHING = Levels(*(None for _ in Levels._fields))
