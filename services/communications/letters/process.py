"""The process that renders templates from outside: one request a line in, one answer a line out.

Its memory is bounded, and its time for each request: whatever is above ends it, and nothing else. It starts in half a
second, so one serves a whole batch.
"""

import resource
import signal
import sys
from collections.abc import Mapping
from typing import Final

import orjson

from services.communications.letters.mjml import html_of
from services.communications.letters.sandbox import TemplateRefusedError, check_source, environment, rendered

MEMORY_BYTES: Final = 400 * 1024 * 1024
SECONDS_EACH: Final = 1
SECONDS_IN_ALL: Final = 3600
_HTML: Final = environment(html=True)
_TEXT: Final = environment(html=False)


def main() -> None:
    """Answer each line of standard input until it ends: a new template, or values for the last one."""
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # It writes nowhere and opens nothing more.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    template: Mapping[str, str] = {}
    for line in sys.stdin.buffer:
        _allow(SECONDS_EACH)
        try:
            request = orjson.loads(line)
            template = _compiled(request["template"]) if "template" in request else template
            answer: Mapping[str, str] = _letter(template, request["values"]) if "values" in request else {}
        except TemplateRefusedError as error:
            answer = {"refused": str(error)}
        except (MemoryError, RecursionError) as error:
            answer = {"refused": f"it asks for too much ({type(error).__name__})"}
        sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
        sys.stdout.buffer.flush()


def _allow(seconds: int) -> None:
    """Let it work so much longer from now on (RLIMIT_CPU counts from the start)."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = int(used.ru_utime + used.ru_stime) + seconds + 1
    resource.setrlimit(resource.RLIMIT_CPU, (min(until, SECONDS_IN_ALL), SECONDS_IN_ALL))


def _compiled(template: Mapping[str, str]) -> Mapping[str, str]:
    check_source(template["mjml"])
    return {"subject": template["subject"], "text": template["text"], "html": html_of(template["mjml"])}


def _letter(template: Mapping[str, str], values: Mapping[str, str]) -> Mapping[str, str]:
    return {part: rendered(_HTML if part == "html" else _TEXT, source, values) for part, source in template.items()}


if __name__ == "__main__":
    main()
