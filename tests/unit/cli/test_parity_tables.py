"""What `traboule parity` prints of a run."""

from datetime import UTC, datetime

import pytest

from services.cli.parity.tables import print_run
from services.cutover.parity.compare import Difference, Sides
from services.cutover.parity.run import Acceptance, Run, RunDifference

AT = datetime(2026, 11, 30, tzinfo=UTC)


def found(kind: str, item_id: str, *, accepted: bool) -> RunDifference:
    difference = Difference(kind, item_id, "missing-here")
    return RunDifference(difference, difference.digest, None, Acceptance("known", "ops", AT) if accepted else None)


def test_each_kind_has_its_own_counts_of_open_and_accepted(capsys: pytest.CaptureFixture[str]) -> None:
    differences = [
        *(found("invoice", f"F{number}", accepted=number < 2) for number in range(3)),
        *(found("payment", f"P{number}", accepted=False) for number in range(4)),
    ]
    run = Run(
        number=1,
        cluster="numelink",
        at=AT,
        by="ops",
        source=["F.csv"],
        counts={kind: Sides(7, 7) for kind in ("invoice", "payment")},
        sums={},
        open=5,
        accepted=2,
        differences=differences,
        manifest=None,
        subject="mirror",
    )
    print_run("numelink/billing", run, [])
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["invoice", "7", "7", "1", "2"] in lines
    assert ["payment", "7", "7", "4", "0"] in lines
