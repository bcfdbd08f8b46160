"""One service under cProfile: ``python -m tests.benchmarks.profiled billing FILE``, until SIGTERM."""

import cProfile
import pstats
import sys
from pathlib import Path

import uvloop

from services.cli.environment import settings_of
from services.cli.registry import definition_of
from shared.runtime.logging import configure_logging

SHOWN = 45


def main(service: str, output: str) -> None:
    """Serve, and write the statistics at the end."""
    settings = settings_of(service)
    configure_logging(service, settings.log_level)
    process = definition_of(service).create_app(settings)
    profile = cProfile.Profile()
    profile.enable()
    try:
        uvloop.run(process.run())
    finally:
        profile.disable()
        profile.dump_stats(output)


def table(path: Path) -> str:
    """The functions that took most, by their own time and with what they call."""
    lines: list[str] = []

    class Lines:
        def write(self, text: str) -> None:
            lines.append(text)

    statistics = pstats.Stats(str(path), stream=Lines())  # pyright: ignore[reportArgumentType]
    statistics.strip_dirs().sort_stats("tottime").print_stats(SHOWN)
    statistics.sort_stats("cumulative").print_stats(SHOWN)
    return "".join(lines)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
