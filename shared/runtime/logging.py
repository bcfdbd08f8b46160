"""JSON logs: one event a line, keys only, never bodies."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import orjson
import structlog
from prometheus_client import Counter

LOST = Counter("traboule_log_lines_lost_total", "Log lines that could not be written, as on a full disk")


def configure_logging(service: str, level: str = "INFO") -> None:
    """Send structlog, and the libraries' own logging, to standard output as JSON lines."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks,
            _without_values,
            structlog.processors.JSONRenderer(serializer=_dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=lambda *_: _Lines(),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    root = logging.getLogger()
    root.handlers = [_ToStructlog()]
    root.setLevel(logging.WARNING)


def _dumps(event: dict[str, Any], **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()


def _without_values(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    # An exception's text may quote a parameter or a body, and a frame's locals do: keep types and places only.
    for trace in event.get("exception", ()) if isinstance(event.get("exception"), list) else ():
        trace["exc_value"] = ""
        for frame in trace.get("frames", ()):
            frame.pop("locals", None)
        trace.pop("exc_notes", None)
        trace.pop("syntax_error", None)
    return event


class _Lines:
    """Writes one line an event to standard output, or loses it."""

    def msg(self, line: str) -> None:
        """Write a line. Where that fails work goes on: else a full disk of logs would end every lane of a service."""
        try:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        except OSError:
            LOST.inc()

    debug = info = warning = error = critical = exception = msg


class _ToStructlog(logging.Handler):
    """Libraries' warnings as JSON, without their tracebacks' values."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        log.log(record.levelno, "library", logger=record.name, message=record.msg, error=kind)
