"""The program of a next version: a copy of this one in which an invoice's ``label`` has become ``wording``.

A rename as it is done while the version before runs on: what is new comes first, what is old goes when nobody needs it.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.local.runs import CHECKOUT

ROOMS = ("services", "shared", "schemas", "deploy")
NEWER = """
from alembic import op
import sqlalchemy as sa

revision = "next1"
down_revision = {before!r}


def upgrade() -> None:
    op.add_column("invoices", sa.Column("wording", sa.Text()))
"""
LATER = """
from alembic import op

revision = "next2"
down_revision = "next1"
phase = "post"


def upgrade() -> None:
    op.execute("update invoices set wording = coalesce(wording, label)")
    op.drop_column("invoices", "label")
"""
WORDING = """

    @property
    def wording(self) -> str | None:
        return self.label
"""


def make(folder: Path, before: str) -> Mapping[str, str]:
    """Write it into a folder; returns the environment in which Python runs it. ``before`` is billing's revision."""
    for room in ROOMS:
        shutil.copytree(CHECKOUT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__", "secrets"))
    _replace(folder / "services/billing/tables.py", 'sa.Column("label", sa.Text)', 'sa.Column("wording", sa.Text)')
    accounts = folder / "services/billing/accounts/queries.py"
    _replace(
        accounts, 'f"i.{name}" for name in _INVOICE', 'f"i.{name}".replace("label", "wording") for name in _INVOICE'
    )
    key = '    key: ClassVar[str] = "invoice-recorded"'
    _replace(folder / "schemas/billing.py", key, key + WORDING)
    versions = folder / "services/billing/migrations/versions"
    (versions / "next1.py").write_text(NEWER.format(before=before))
    (versions / "next2.py").write_text(LATER)
    return {"PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"}


def _replace(path: Path, current: str, that: str) -> None:
    text = path.read_text("utf-8")
    assert text.count(current) == 1, f"{path} is not as it was"
    path.write_text(text.replace(current, that))


def python(env: Mapping[str, str], *words: str) -> tuple[int, str]:
    """Run a program with this environment alone, and Python's own; its exit code and all that it printed."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("TRABOULE_")}
    done = subprocess.run(
        [sys.executable, *words], env={**own, **env}, cwd=CHECKOUT, check=False, timeout=120,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    return done.returncode, done.stdout
