"""Two fictional clusters' exports, as their former systems would write them, and the truth about them.

The same arguments give the same bytes: the demo shows the same companies to everyone, and a benchmark measures the same
work twice. Companies, people and numbers are made up; towns and postcodes are true; e-mail addresses and sites end in
``.example`` and phone numbers come from the ranges that Arcep keeps for fiction.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random

from deploy.demo import activity, companies, exports
from deploy.demo.companies import CLUSTERS, CLUSTR, NUMELINK, HardNegative, Pair, Record
from deploy.demo.exports import BadRow, Written

THIRD_PARTIES = f"{CLUSTR}/dolibarr-tiers.csv"
SUBSCRIPTIONS = f"{CLUSTR}/dolibarr-adherents.csv"
ADHERENTS = f"{NUMELINK}/galette-adherents.csv"
DYNAMIC_FIELDS = f"{NUMELINK}/galette_dynamic_fields_full.csv"
ANCHOR = date(2026, 11, 23)
"""The day on which the exports are made."""


@dataclass(frozen=True, slots=True)
class Generated:
    """Files by their path below the folder, such as ``numelink/invoices.jsonl``, and what is true of them."""

    paths: dict[str, Path]
    rows: dict[str, int]
    """Rows of each file, bad ones included, header not."""
    bad: dict[str, tuple[BadRow, ...]]
    companies: int
    """Distinct members of both clusters together (a few are natural persons), those in bad rows not counted."""
    pairs: tuple[Pair, ...]
    """The companies in both clusters."""
    hard_negatives: tuple[HardNegative, ...]
    paid_twice: tuple[Pair, ...]
    """Those of the pairs that paid both clusters for periods that overlap."""
    opted_out: dict[str, frozenset[str]]
    """By cluster, the records that refuse or no longer want its newsletter."""

    @property
    def overlap(self) -> int:
        """How many companies are in both clusters."""
        return len(self.pairs)


def generate(
    folder: Path, seed: int = 42, members: int = 300, overlap: float = 0.2, anchor: date = ANCHOR
) -> Generated:
    """Write the exports of two clusters of ``members`` each, of which the share ``overlap`` is in both."""
    if members < 1 or not 0 <= overlap <= 1:
        raise ValueError("members must be at least 1, and overlap from 0 to 1")
    rng = Random(seed)  # noqa: S311 - the same companies each time is the point
    world = companies.build(rng, members, overlap, anchor)
    written: dict[str, Written] = {}
    for cluster in CLUSTERS:
        (folder / cluster).mkdir(parents=True, exist_ok=True)
    ours, theirs = world.records[CLUSTR], world.records[NUMELINK]
    written[THIRD_PARTIES] = exports.dolibarr_third_parties(folder / THIRD_PARTIES, ours, rng)
    written[SUBSCRIPTIONS] = exports.dolibarr_members(folder / SUBSCRIPTIONS, ours, rng)
    written[ADHERENTS] = exports.galette_members(folder / ADHERENTS, theirs, rng)
    written[DYNAMIC_FIELDS] = exports.galette_dynamic_fields(folder / DYNAMIC_FIELDS, theirs)
    for cluster in CLUSTERS:
        for name, lines in activity.lines(cluster, world.records[cluster], rng, anchor).items():
            written[f"{cluster}/{name}"] = activity.write(folder / cluster / name, lines, rng)
    return Generated(
        paths={name: folder / name for name in written},
        rows={name: file.rows for name, file in written.items()},
        bad={name: file.bad for name, file in written.items()},
        companies=world.companies,
        pairs=world.pairs,
        hard_negatives=world.hard_negatives,
        paid_twice=_paid_twice(world.pairs, ours, theirs),
        opted_out={
            cluster: frozenset(record.record_id for record in world.records[cluster] if record.opted_out)
            for cluster in CLUSTERS
        },
    )


def _paid_twice(pairs: tuple[Pair, ...], ours: list[Record], theirs: list[Record]) -> tuple[Pair, ...]:
    left = {record.record_id: record for record in ours}
    right = {record.record_id: record for record in theirs}
    return tuple(pair for pair in pairs if _overlap(left[pair.clustr_id], right[pair.numelink_id]))


def _overlap(a: Record, b: Record) -> bool:
    return any(
        term.outcome == other.outcome == "paid" and term.starts_on <= other.ends_on and other.starts_on <= term.ends_on
        for term in a.terms
        for other in b.terms
    )
