"""Letters of templates that somebody wrote, rendered in a process that may break (``process.py``)."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Timer
from types import TracebackType
from typing import Any, Final, Self

import orjson

from services.communications.deliveries.message import Letter
from services.communications.letters.sandbox import (
    RESULT_BYTES,
    TemplateRefusedError,
    Values,
    check_source,
    check_values,
)
from services.communications.letters.template import on_one_line

STARTS_WITHIN: Final = 30.0
"""Seconds for the process to start: half a one, where nothing else runs."""
LETTER_WITHIN: Final = 10.0
"""Seconds of the clock for each letter; its processor time is bounded by the process itself."""
_ANSWER_BYTES: Final = 20 * RESULT_BYTES
"""Three parts, of which each byte may need six in JSON."""
_COMMAND: Final = (sys.executable, "-m", "services.communications.letters.process")


class TemplateStoppedError(RuntimeError):
    """The process ended over this template: it took too long or too much. The message says which."""


@dataclass(frozen=True, slots=True)
class OutsideTemplate:
    """What somebody wrote: ``mjml`` becomes HTML."""

    subject: str
    text: str
    mjml: str


class TemplateProcess:
    """The process, for as long as the ``with`` block lasts. Its calls block: ask from a thread, one at a time."""

    def __enter__(self) -> Self:
        # Of the environment it gets what Python needs, and no password.
        kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG") if name in os.environ}
        self._process = subprocess.Popen(
            _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=kept, bufsize=0
        )
        self._answers = os.fdopen(os.dup(self._pipe(self._process.stdout).fileno()), "rb")
        self._fresh = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()
        self._answers.close()

    @property
    def pid(self) -> int:
        """Its id."""
        return self._process.pid

    def letters(self, template: OutsideTemplate, people: Sequence[Values]) -> list[Letter | str]:
        """For each person the letter, or why there is none. Raises TemplateRefusedError, TemplateStoppedError."""
        parts = {"subject": template.subject, "text": template.text, "mjml": template.mjml}
        for source in parts.values():
            check_source(source)
        for values in people:
            check_values(values)
        if refused := self._ask({"template": parts}).get("refused"):
            raise TemplateRefusedError(refused)
        return [self._letter(values) for values in people]

    def _letter(self, values: Values) -> Letter | str:
        answer = self._ask({"values": values})
        if "refused" in answer:
            return answer["refused"]
        return Letter(on_one_line(answer["subject"]), answer["text"], answer["html"])

    def _ask(self, request: Mapping[str, Any]) -> Mapping[str, str]:
        watch = Timer(LETTER_WITHIN + (STARTS_WITHIN if self._fresh else 0), self._process.kill)
        watch.daemon = True
        watch.start()
        try:
            self._pipe(self._process.stdin).write(orjson.dumps(request) + b"\n")
            answer = self._answers.readline(_ANSWER_BYTES)
        except OSError:
            answer = b""
        finally:
            watch.cancel()
        self._fresh = False
        if not answer.endswith(b"\n"):
            self._process.kill()
            raise TemplateStoppedError(self._reason())
        return orjson.loads(answer)

    def _reason(self) -> str:
        match -self._process.wait():
            case signal.SIGXCPU:
                return "rendering was stopped: a letter may take a second"
            case signal.SIGKILL:
                return "rendering was stopped: it took too long, or too much memory"
            case code:
                return f"rendering ended by itself (exit code {-code}): it asks for too much"

    @staticmethod
    def _pipe(pipe: Any) -> Any:
        assert pipe is not None, "it is a pipe"
        return pipe


def letters(template: OutsideTemplate, people: Sequence[Values]) -> list[Letter | str]:
    """For each person the letter, or why there is none, by a process that ends with this call.

    Raises TemplateRefusedError, TemplateStoppedError. It blocks: call it in a thread.
    """
    with TemplateProcess() as process:
        return process.letters(template, people)
