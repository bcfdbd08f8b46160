"""What ``traboule doctor`` tells: one finding for each thing that it looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

State = Literal["fail", "warn", "ok"]

PREPARE = "prepare the servers again: docker compose run --rm prepare, or the job traboule-prepare on Kubernetes"
"""What completes exchanges, queues, bindings, users, roles and extensions: ``deploy/provisioning/provision.py``."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check. ``where`` is a service, ``broker`` or ``house``; ``mend`` says what to do, empty if all is well.

    ``fail`` is wrong now: messages wait, or will. ``warn`` waits for a person, or could not be looked at.
    """

    where: str
    check: str
    state: State
    found: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Findings:
    """Makes findings of one place."""

    where: str

    def ok(self, check: str, text: str) -> Finding:
        """As it should be."""
        return Finding(self.where, check, "ok", text)

    def warn(self, check: str, text: str, mend: str) -> Finding:
        """It waits for a person, or could not be looked at."""
        return Finding(self.where, check, "warn", text, mend)

    def fail(self, check: str, text: str, mend: str) -> Finding:
        """It is wrong now."""
        return Finding(self.where, check, "fail", text, mend)

    def judged(self, check: str, wrong: Iterable[str], mend: str, well: str) -> list[Finding]:
        """A failure for each thing that is wrong, or one finding that nothing is."""
        return [self.fail(check, text, mend) for text in wrong] or [self.ok(check, well)]


def worst(findings: Iterable[Finding]) -> int:
    """The exit code: 0 if all is well, 1 if something waits for a person, 2 if something is wrong now."""
    states = {finding.state for finding in findings}
    return 2 if "fail" in states else 1 if "warn" in states else 0
