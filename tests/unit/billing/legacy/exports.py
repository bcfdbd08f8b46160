"""Files of billing exports, and what comes of their rows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from schemas.billing import InvoiceRecorded, PaymentRecorded
from services.cli.importing.reading import FormerSystem, open_files
from shared.importing.outcomes import Accepted, Rejection

SYSTEM = FormerSystem("numelink", "billing")


def outcomes(folder: Path, **files: Sequence[str]) -> list[Any]:
    """What comes of all rows of these files, in order."""
    paths: list[Path] = []
    for name, lines in files.items():
        paths.append(folder / f"{name}.csv")
        paths[-1].write_text("\n".join(lines) + "\n", "utf-8")
    return [outcome for file in open_files(SYSTEM, paths) for outcome in file.outcomes]


def facts(folder: Path, **files: Sequence[str]) -> list[InvoiceRecorded | PaymentRecorded]:
    every = outcomes(folder, **files)
    rejected = [outcome for outcome in every if isinstance(outcome, Rejection)]
    assert rejected == []
    return [outcome.fact for outcome in every if isinstance(outcome, Accepted)]  # type: ignore[misc]
