"""The ``traboule`` command: run a service, look after it, bring data in."""

import gc
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from services import SERVICES
from services.cli.check.commands import check
from services.cli.conflicts import commands as conflicts
from services.cli.cutover import commands as cutover
from services.cli.cutover import quarantine
from services.cli.dead_letters import commands as dead_letters
from services.cli.migrate import migrate
from services.cli.registry import definition_of
from services.cli.status import status

RUN, MEMBERS, MOVE, KEEP, LET_IN = (
    "Run and watch", "Members", "Move a former system over", "Back up and restore", "Let in",
)  # fmt: skip
"""The panels of ``traboule --help``, in order of first use."""
_LATER = {
    "ask": (RUN, "Ask a service one of its queries (poser une question à un service)."),
    "doctor": (RUN, "Check a running installation: what is wrong, and how to mend it."),
    "import": (MEMBERS, "Publish what a former system exported."),
    "billing": (MEMBERS, "What members owe, and who bills it (ce que doivent les membres, et qui le facture)."),
    "duplicates": (MEMBERS, "Decide which members are one company, and undo it."),
    "overrides": (MEMBERS, "Values that staff set by hand on members."),
    "matching": (MEMBERS, "Train and measure how companies are recognised."),
    "rebuild": (MEMBERS, "Compute anew what source records say."),
    "parity": (MOVE, "Compare a former system's export with what we hold of it."),
    "rehearse": (MOVE, "Compare what a former system did with what we would have done."),
    "differences": (MOVE, "What such a comparison found, and what of it may stay."),
    "backup": (KEEP, "Back up all databases at one moment, and the broker's definitions."),
    "restore": (KEEP, "Restore a backup into new servers."),
    "republish": (KEEP, "Publish again all that the services hold, such as after a restore."),
    "former-systems": (LET_IN, "Who may publish on the broker, with which password."),
    "keys": (LET_IN, "API keys for the HTTP door."),
}
"""Commands that are imported when they are called: a service's process need not carry the import's libraries."""
_FORMER_NAMES = {"retell": "republish"}
"""Still understood for one release, and not listed."""


class _Commands(TyperGroup):
    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args:
            args[0] = _FORMER_NAMES.get(args[0], args[0])
            if args[0] in _LATER:
                self.add_command(_load(args[0]), args[0])
        return super().resolve_command(ctx, args)


def _load(name: str) -> Any:
    loaded = typer.Typer()
    if isinstance(result := _import(name), typer.Typer):
        loaded.add_typer(result, name=name)
    else:
        loaded.command(name)(result)
    return typer.main.get_group(loaded).commands[name]


def _import(name: str) -> typer.Typer | Callable[..., None]:
    match name:
        case "ask":
            from services.cli.ask.commands import ask as command
        case "billing":
            from services.cli.billing.commands import app as command
        case "import":
            from services.cli.importing.commands import import_files as command
        case "matching":
            from services.cli.members.matching import app as command
        case "rebuild":
            from services.cli.members.rebuild import rebuild_everything as command
        case "duplicates":
            from services.cli.members.duplicates import app as command
        case "overrides":
            from services.cli.members.overrides import app as command
        case "parity":
            from services.cli.parity.commands import parity as command
        case "rehearse":
            from services.cli.parity.rehearse import rehearse as command
        case "differences":
            from services.cli.parity.differences import app as command
        case "backup":
            from services.cli.backup.backup import backup as command
        case "restore":
            from services.cli.backup.restore import restore as command
        case "republish":
            from services.cli.backup.republish import republish as command
        case "doctor":
            from services.cli.doctor.commands import doctor as command
        case "former-systems":
            from services.cli.former_systems.commands import app as command
        case "keys":
            from services.cli.keys import keys as command
        case _:
            raise LookupError(f"there is no command {name!r}")
    return command


app = typer.Typer(
    cls=_Commands,
    help="Traboule joins the systems of merging clusters.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _known(service: str | None) -> str | None:
    if service is not None and service not in SERVICES:
        raise typer.BadParameter(f"there is no service {service!r}; there are {', '.join(SERVICES)}")
    return service


Service = Annotated[str, typer.Argument(callback=_known, metavar="SERVICE", help=", ".join(SERVICES))]


@app.command(rich_help_panel=RUN)
def serve(service: Service) -> None:
    """Run one service until it is told to stop (SIGTERM or Ctrl-C).

    Example: [bold]traboule serve billing[/]
    """
    from services.cli.environment import settings_of
    from shared.process.http_server import raise_open_files
    from shared.runtime import tracing
    from shared.runtime.logging import configure_logging

    settings = settings_of(service)
    configure_logging(service, settings.log_level)
    raise_open_files()
    process = definition_of(service).create_app(settings)
    # What was loaded so far stays; and a batch makes more objects than the collector's usual patience.
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    tracing.start(service)
    try:
        _run_fast(process.run())
    finally:
        tracing.stop()


def _later() -> None:
    """Stands in the list of commands for one of :data:`_LATER`."""


app.command(rich_help_panel=RUN)(migrate)
app.command(rich_help_panel=RUN)(status)
app.command(rich_help_panel=RUN)(check)
app.add_typer(dead_letters.app, name="dead-letters", rich_help_panel=RUN)
app.add_typer(cutover.app, name="cutover", rich_help_panel=MOVE)
app.add_typer(quarantine.app, name="quarantine", rich_help_panel=MOVE)
app.add_typer(conflicts.app, name="conflicts", rich_help_panel=MEMBERS)
for _name, (_panel, _text) in _LATER.items():
    app.command(_name, help=_text, rich_help_panel=_panel)(_later)


def _run_fast(main: Coroutine[Any, Any, None]) -> None:
    try:
        from uvloop import run
    except ImportError:
        from asyncio import run
    run(main)


def main() -> None:
    """Entry point of ``traboule``."""
    from services.common.environment import NotConfigured, load_env_file
    from services.membership.views.rules import RulesFileError
    from shared.runtime.clusters import ClustersFileError
    from shared.runtime.tls import TlsError
    from shared.runtime.variables import SecretFileError

    load_env_file()
    try:
        app()
    except (NotConfigured, SecretFileError, TlsError, ClustersFileError, RulesFileError) as error:
        typer.secho(str(error), fg="red", err=True)
        raise SystemExit(2) from None
