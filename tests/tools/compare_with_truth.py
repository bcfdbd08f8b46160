"""Compare what the importers read with what the products' own databases say.

``python -m tests.tools.compare_with_truth FOLDER`` goes through ``FOLDER/PRODUCT-VERSION/*`` and takes the truth from
``FOLDER/truth``. One line for each file: how it was recognised, rows, accepted, set aside, wrong fields with how often,
members that are active beside how many are, and refusals beside how many there are.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from schemas.membership import MemberRecorded
from services.cli.importing.reading import FormerSystem, messages, open_files
from shared.importing.outcomes import Accepted, UnreadableError
from tests.tools.truth import Stated, differences, lost_by_product, read_truth

_ALWAYS = {"name", "status", "opt_outs"}
"""What is compared whether any record of the file says it or not: nothing is a statement there."""


@dataclass(slots=True)
class Comparison:
    """One file against the truth; ``refused`` is why it cannot be imported, ``wrong`` counts differences by field."""

    product: str
    export: str
    kind: str = ""
    refused: str = ""
    rows: int = 0
    accepted: int = 0
    set_aside: int = 0
    unknown: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    active: tuple[int, int] = (0, 0)
    refusals: tuple[int, int] = (0, 0)
    faults: list[str] = field(default_factory=list)

    @property
    def agrees(self) -> bool:
        """Whether everything that was read is true."""
        return not self.wrong and not self.unknown and self.active[0] == self.active[1]

    def cells(self) -> tuple[str, ...]:
        """For a table."""
        if self.refused:
            return (self.product, self.export, "refused", "", "", "", "", "", self.refused)
        wrong = _counted(self.wrong) or "0"
        return (
            self.product,
            self.export,
            self.kind,
            str(self.rows),
            str(self.accepted),
            str(self.set_aside),
            f"{self.active[0]}/{self.active[1]}",
            f"{self.refusals[0]}/{self.refusals[1]}",
            wrong
            + (f", not in truth {self.unknown}" if self.unknown else "")
            + (f" (lost by the product itself: {_counted(self.lost)})" if self.lost else ""),
        )


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())


HEADER = ("product", "export", "read as", "rows", "accepted", "set aside", "active", "refusals", "wrong fields")


def compare_folder(folder: Path) -> Iterator[Comparison]:
    """Every file of every product of the folder that has a truth."""
    for product in sorted(item for item in folder.iterdir() if item.is_dir()):
        truth = read_truth(folder / "truth", product.name)
        if truth is None:
            continue
        files = sorted(entry for entry in product.iterdir() if entry.is_file())
        for path in files:
            yield compare_file([path], product.name, truth.kinds)
        neighbour = [path for path in files if "dynamic_fields" in path.name]
        lists = [path for path in files if path.name.startswith(("liste-membres-s", "page-export-galette_adherents"))]
        for path in lists if neighbour else ():
            yield compare_file([path, *neighbour], product.name, truth.kinds)


def compare_file(paths: list[Path], product: str, kinds: Any) -> Comparison:
    """One file, with what is read beside it. A kind of which there is no truth is not compared field by field."""
    comparison = Comparison(product, " + ".join(path.name for path in paths))
    system = FormerSystem("numelink", "membership")
    try:
        file, *_ = open_files(system, paths)
    except UnreadableError as error:
        comparison.refused = " ".join(str(error).removeprefix(f"{paths[0]}: ").split())
        return comparison
    facts: list[MemberRecorded] = []
    outcomes = file.outcomes

    def passing() -> Iterator[Any]:
        for outcome in outcomes:
            if isinstance(outcome, Accepted) and isinstance(outcome.fact, MemberRecorded):
                facts.append(outcome.fact)
            yield outcome

    file.outcomes = passing()
    for _ in messages(system, [file]):
        pass
    report = file.report
    comparison.kind, comparison.rows, comparison.accepted, comparison.set_aside = (
        report.product,
        report.rows,
        report.accepted,
        report.rejected,
    )
    comparison.faults = [
        f"line {entry.line}: {entry.field} {entry.value!r}: {entry.reason}" for entry in report.rejections
    ]
    silent = any(not word for _, word in report.questions)
    _judge(comparison, facts, kinds.get(report.product, {}), silent=silent)
    return comparison


def _judge(comparison: Comparison, facts: list[MemberRecorded], truth: dict[str, Stated], *, silent: bool) -> None:
    """``silent``: the file has no column that says who is a member, and the import says so."""
    names = {name for fact in facts for name in fact.model_fields_set} | _ALWAYS
    active = refusals = true_active = true_refusals = 0
    for fact in facts:
        active += counts_as_member(fact)
        refusals += len(fact.opt_outs)
        true = truth.get(fact.record_id)
        if true is None:
            comparison.unknown += 1
            continue
        true_active += true.get("status") == "active" and not silent
        true_refusals += len(true.get("opt_outs", ()))
        for name in differences(fact, true, names - {"status"} if silent else names):
            (comparison.lost if lost_by_product(getattr(fact, name), true[name]) else comparison.wrong)[name] += 1
    comparison.active, comparison.refusals = (active, true_active), (refusals, true_refusals)


def counts_as_member(fact: MemberRecorded) -> bool:
    """Whether the record by itself makes an active member, as the consolidated view has it."""
    if fact.is_member is False:
        return False
    return fact.status in (None, "active")


def main(arguments: list[str]) -> int:
    """Print the table; 1 when anything is wrong."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m tests.tools.compare_with_truth FOLDER\n")
        return 2
    result = list(compare_folder(Path(arguments[0])))
    table = [HEADER, *(item.cells() for item in result)]
    widths = [max(len(row[at]) for row in table) for at in range(len(HEADER) - 1)]
    for row in table:
        sys.stdout.write("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]))
        sys.stdout.write("\n")
    for item in result:
        for fault in item.faults[:3]:
            sys.stdout.write(f"{item.export}: {fault}\n")
    return 0 if all(item.agrees or item.refused for item in result) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
