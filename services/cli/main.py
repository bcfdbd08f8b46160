"""The ``traboule`` command: run a service, look after it, bring data in."""

from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperGroup

RUN, MEMBERS, MOVE, KEEP, LET_IN = (
    "Run and watch", "Members", "Move a former system over", "Back up and restore", "Let in",
)  # fmt: skip
"""The panels of ``traboule --help``, in order of first use."""
_COMMANDS = {
    "serve": (RUN, "Run one service until it is told to stop (SIGTERM or Ctrl-C)."),
    "migrate": (RUN, "Bring a service's database to the newest schema. Running it again changes nothing."),
    "status": (
        RUN,
        "Show every service: ready or not, its queues, outbox, dead letters.",
    ),
    "check": (RUN, "Say whether messages would be accepted, and why not, field by field."),
    "dead-letters": (RUN, "Messages that could not be applied: list, show, replay, discard."),
    "ask": (RUN, "Ask a service one of its queries (poser une question à un service)."),
    "doctor": (RUN, "Check a running installation: what is wrong, and how to mend it."),
    "import": (MEMBERS, "Publish what a former system exported."),
    "mail": (MEMBERS, "What mail goes out, comes back, and to whom none may go (le courrier, et les oppositions)."),
    "billing": (MEMBERS, "What members owe, and who bills it (ce que doivent les membres, et qui le facture)."),
    "events": (MEMBERS, "Gatherings, seats and who registers (les rencontres, les places, les inscriptions)."),
    "duplicates": (MEMBERS, "Decide which members are one company, and undo it."),
    "overrides": (MEMBERS, "Values that staff set by hand on members."),
    "matching": (MEMBERS, "Train and measure how companies are recognised."),
    "rebuild": (MEMBERS, "Compute anew what source records say."),
    "conflicts": (MEMBERS, "What merged members paid or registered for twice: list, show, assign, settle, reopen."),
    "cutover": (MOVE, "Move one former system over at a time: status, mirror, check, switch, rollback, retire."),
    "parity": (MOVE, "Compare a former system's export with what we hold of it."),
    "rehearse": (MOVE, "Compare what a former system did with what we would have done."),
    "differences": (MOVE, "What such a comparison found, and what of it may stay."),
    "quarantine": (MOVE, "What former systems said after they were moved over: list, show, apply, dismiss."),
    "backup": (KEEP, "Back up all databases at one moment, and the broker's definitions."),
    "restore": (KEEP, "Restore a backup into new servers."),
    "republish": (KEEP, "Publish again all that the services hold, such as after a restore."),
    "former-systems": (LET_IN, "Who may publish on the broker, with which password."),
    "people": (LET_IN, "Who may use the console, and links that let them in (qui entre dans la console)."),
    "keys": (LET_IN, "API keys for the HTTP gateway."),
}
"""In order of first use. Each is imported when it is called: a service need not carry the libraries of an import."""
_FORMER_NAMES = {"retell": "republish"}
"""Still understood for one release, and not listed."""


class _Commands(TyperGroup):
    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args:
            args[0] = _FORMER_NAMES.get(args[0], args[0])
            if args[0] in _COMMANDS:
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
        case "serve":
            from services.cli.serve import serve as command
        case "migrate":
            from services.cli.migrate import migrate as command
        case "status":
            from services.cli.status import status as command
        case "check":
            from services.cli.check.commands import check as command
        case "dead-letters":
            from services.cli.dead_letters.commands import app as command
        case "conflicts":
            from services.cli.conflicts.commands import app as command
        case "cutover":
            from services.cli.cutover.commands import app as command
        case "quarantine":
            from services.cli.cutover.quarantine import app as command
        case "ask":
            from services.cli.ask.commands import ask as command
        case "mail":
            from services.cli.mail.commands import app as command
        case "billing":
            from services.cli.billing.commands import app as command
        case "events":
            from services.cli.events.commands import app as command
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
        case "people":
            from services.cli.people import people as command
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


def _later() -> None:
    """Stands in the list of commands for one of :data:`_COMMANDS`."""


for _name, (_panel, _text) in _COMMANDS.items():
    app.command(_name, help=_text, rich_help_panel=_panel)(_later)


def main() -> None:
    """Entry point of ``traboule``."""
    from services.common.environment import NotConfigured, load_env_file
    from shared.runtime.tls import TlsError
    from shared.runtime.toml_file import ConfigurationFileError
    from shared.runtime.variables import SecretFileError

    load_env_file()
    try:
        app()
    except (NotConfigured, SecretFileError, TlsError, ConfigurationFileError) as error:
        typer.secho(str(error), fg="red", err=True)
        raise SystemExit(2) from None
