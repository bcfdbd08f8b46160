"""``traboule serve``: run one service in this process."""

import gc
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from services import SERVICES
from services.cli.environment import settings_of
from services.cli.registry import definition_of
from shared.process.http_server import raise_open_files
from shared.runtime import tracing
from shared.runtime.logging import configure_logging

if TYPE_CHECKING:
    from services.common.definition import ServiceDefinition

SERVED: Final = (20_000, 20, 50)
"""Thresholds of garbage collection while a service runs: a batch makes more objects than its usual patience."""


def _known(service: str | None) -> str | None:
    if service is not None and service not in SERVICES:
        raise typer.BadParameter(f"there is no service {service!r}; there are {', '.join(SERVICES)}")
    return service


Service = Annotated[str, typer.Argument(callback=_known, metavar="SERVICE", help=", ".join(SERVICES))]


Only = Annotated[
    str | None,
    typer.Option(
        help="membership only: `http` is its gateway alone, `messages` all the rest. Without it one process is both."
    ),
]


def serve(service: Service, only: Only = None) -> None:
    """Run one service until it is told to stop (SIGTERM or Ctrl-C).

    Example: [bold]traboule serve billing[/]

    Example: [bold]traboule serve membership --only http[/], beside [bold]traboule serve membership --only messages[/]
    """
    definition = definition_of(service)
    create = definition.create_app if only is None else definition.parts.get(only)
    if create is None:
        raise typer.BadParameter(_no_part(definition, only), param_hint="--only")
    settings = settings_of(service)
    configure_logging(service, settings.log_level)
    raise_open_files()
    process = create(settings)
    # What was loaded so far stays.
    gc.freeze()
    gc.set_threshold(*SERVED)
    tracing.start(service)
    try:
        _run_fast(process.run())
    finally:
        tracing.stop()


def _no_part(definition: "ServiceDefinition[Any]", only: str | None) -> str:
    if not definition.parts:
        return f"{definition.name} is one process: leave it out"
    return f"{definition.name} has no part {only!r}; there are {', '.join(definition.parts)}"


def _run_fast(main: Coroutine[Any, Any, None]) -> None:
    try:
        from uvloop import run
    except ImportError:
        from asyncio import run
    run(main)
