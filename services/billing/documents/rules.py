"""What the European and the French rules say of documents: both schematrons, in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from threading import Timer
from types import TracebackType
from typing import Final, Self

import orjson

STARTS_WITHIN: Final = 60.0
"""Seconds for the process to start and to compile the rules: two, where nothing else runs."""
DOCUMENT_WITHIN: Final = 2.0
"""Seconds for each document: a tenth of a second, where nothing else runs."""
_COMMAND: Final = (sys.executable, "-m", "services.billing.documents.rules_process")


class RulesUnavailableError(RuntimeError):
    """The rules could not be asked."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one document: how many rules of each set fired, and which failed, as (id, text)."""

    fired: dict[str, int]
    failed: tuple[tuple[str, str], ...]

    @property
    def problem(self) -> str:
        """Why it must not be issued; empty if it may. Rules of which none fired looked at nothing."""
        if asleep := [name for name, count in self.fired.items() if count == 0]:
            return f"no rule of {' or '.join(asleep)} looked at it"
        return "; ".join(f"{rule}: {text}" for rule, text in self.failed)


class RulesProcess:
    """The process, for as long as the ``with`` block lasts. Its calls block: ask from a thread, one at a time."""

    def __enter__(self) -> Self:
        # Of the environment it gets what Python needs, and no password.
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG") if name in os.environ}
        self._process = subprocess.Popen(
            _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=kept
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def verdicts(self, documents: Sequence[bytes]) -> list[Verdict]:
        """What the rules say of each CII. Raises RulesUnavailableError."""
        watch = Timer(STARTS_WITHIN + DOCUMENT_WITHIN * len(documents), self._process.kill)
        watch.daemon = True
        watch.start()
        try:
            return [self._verdict(document) for document in documents]
        finally:
            watch.cancel()

    def _verdict(self, document: bytes) -> Verdict:
        into, out_of = self._process.stdin, self._process.stdout
        assert into is not None, "it is a pipe"
        assert out_of is not None, "it is a pipe"
        try:
            into.write(orjson.dumps(document.decode()) + b"\n")
            into.flush()
            answer = out_of.readline()
        except OSError:
            answer = b""
        if not answer:
            command = " ".join(_COMMAND[1:])
            raise RulesUnavailableError(f"the rules' process ended: `python {command} </dev/null` says why")
        sets = orjson.loads(answer)
        return Verdict(
            {name: each["fired"] for name, each in sets.items()},
            tuple((rule, text) for each in sets.values() for rule, text in each["failed"]),
        )


def verdicts(documents: Iterable[bytes]) -> list[Verdict]:
    """What the rules say of each CII, from a process that ends with this call. Raises RulesUnavailableError."""
    some = list(documents)
    if not some:
        return []
    with RulesProcess() as process:
        return process.verdicts(some)
