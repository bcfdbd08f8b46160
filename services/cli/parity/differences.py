"""``traboule differences``: what the newest comparison with a former system found, and what of it may stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, cast, get_args

import typer

from services.cli.parity import operations
from services.cli.parity.operations import System
from services.cli.parity.tables import print_list, print_whole
from services.cli.systems import named
from services.cutover.parity.compare import What
from services.cutover.parity.deciding import Choice
from services.cutover.parity.listing import Filter
from shared.cli.author import required_text, who
from shared.cli.options import By, Json, Reason
from shared.cli.terminal import as_json, refuse, run

STATES = ("open", "accepted", "all")

app = typer.Typer(
    no_args_is_help=True,
    help="What differs between a former system and our mirror: list, show, assign, accept, take back, history.",
)

As = Annotated[str, typer.Option("--as", metavar="CLUSTER/SERVICE", help="the former system, such as numelink/billing")]
Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]…", help="or the beginning of one, as `list` shows them")]
Kind = Annotated[str | None, typer.Option("--kind", help="all of this kind of record, such as invoice")]
WhatOption = Annotated[
    str | None, typer.Option("--what", help="all that are missing-here, missing-there, different or unreadable")
]
Field = Annotated[str | None, typer.Option("--field", help="all that differ in this field")]
OfRehearsal = Annotated[
    bool, typer.Option("--rehearsal", help="what the newest rehearsal found, not the newest parity")
]


@app.command("list")
def list_(
    system: As,
    state: Annotated[str, typer.Option("--state", help=", ".join(STATES))] = "open",
    kind: Kind = None,
    what: WhatOption = None,
    field: Field = None,
    owner: Annotated[str | None, typer.Option("--owner", help="only this owner's")] = None,
    rehearsal: OfRehearsal = False,
    json: Json = False,
) -> None:
    """List differences of the newest comparison.

    Examples: [bold]traboule differences list --as numelink/billing[/],
    [bold]traboule differences list --as numelink/billing --kind invoice --field gross --json[/]
    """
    if state not in STATES:
        raise typer.BadParameter(f"--state is one of {', '.join(STATES)}")
    chosen = Filter(state, kind, _what(what), field, owner)
    newest, result = run(operations.listed(_system(system, rehearsal), Choice(filter=chosen)))
    if json:
        as_json({"system": system, **newest.as_json(), "differences": [item.as_json() for item in result]})
        return
    print_list(newest, result, state)


@app.command()
def show(
    difference: Annotated[str, typer.Argument(metavar="ID", help="or its beginning, as `list` shows it")],
    system: As,
    rehearsal: OfRehearsal = False,
    json: Json = False,
) -> None:
    """Show one difference whole. It may hold personal data.

    Example: [bold]traboule differences show 4f0c12ab --as numelink/billing[/]
    """
    _, (result,) = run(operations.listed(_system(system, rehearsal), Choice((difference,))))
    if json:
        as_json(result.as_json())
    else:
        print_whole(result)


@app.command()
def assign(
    system: As,
    ids: Ids = None,
    owner: Annotated[str, typer.Option("--owner", help="who sees to it: a person or a team")] = "",
    nobody: Annotated[bool, typer.Option("--nobody", help="nobody sees to it any more")] = False,
    kind: Kind = None,
    what: WhatOption = None,
    field: Field = None,
    rehearsal: OfRehearsal = False,
    json: Json = False,
) -> None:
    """Give differences to somebody. A record keeps its owner in the comparisons that follow.

    Example: [bold]traboule differences assign --as numelink/billing --kind payment --owner "tresorerie"[/]
    """
    if nobody and owner:
        refuse("--owner and --nobody exclude each other")
    to = None if nobody else required_text("--owner", owner, 200)
    chosen_system, choice = _system(system, rehearsal), _choice(ids, kind, what, field)
    _report("assigned", run(operations.assign(chosen_system, choice, to)), json)


@app.command()
def accept(
    system: As,
    reason: Reason,
    ids: Ids = None,
    kind: Kind = None,
    what: WhatOption = None,
    field: Field = None,
    by: By = "",
    rehearsal: OfRehearsal = False,
    json: Json = False,
) -> None:
    """Accept differences: each may stay for as long as it is just this difference. If it changes, it is open again.

    Examples: [bold]traboule differences accept 4f0c12ab --as numelink/billing --reason "rounded over there"[/],
    [bold]traboule differences accept --as numelink/billing --kind invoice --field label --reason "shortened there"[/]
    """
    why, author = required_text("--reason", reason), who(by)
    chosen_system, choice = _system(system, rehearsal), _choice(ids, kind, what, field)
    _report("accepted", run(operations.accept(chosen_system, choice, by=author, reason=why)), json)


@app.command("take-back")
def take_back(
    system: As,
    reason: Reason,
    ids: Ids = None,
    kind: Kind = None,
    what: WhatOption = None,
    field: Field = None,
    by: By = "",
    rehearsal: OfRehearsal = False,
    json: Json = False,
) -> None:
    """Open accepted differences again. Who accepted them and why stays on record.

    Example: [bold]traboule differences take-back 4f0c12ab --as numelink/billing --reason "it was ours to fix"[/]
    """
    why, author = required_text("--reason", reason), who(by)
    chosen_system, choice = _system(system, rehearsal), _choice(ids, kind, what, field)
    _report("taken_back", run(operations.take_back(chosen_system, choice, by=author, reason=why)), json)


@app.command()
def history(system: As, rehearsal: OfRehearsal = False, json: Json = False) -> None:
    """Show the comparisons so far, the newest first, with what each found open and accepted at its time.

    Example: [bold]traboule differences history --as numelink/billing[/]
    """
    chosen_system = _system(system, rehearsal)
    rows = run(operations.past(chosen_system))
    if json:
        as_json(rows)
        return
    for row in rows:
        files = ", ".join(row["source"])
        counts = f"{row['open']:>7,} open {row['accepted']:>7,} accepted"
        typer.echo(f"{row['id']:>5}  {row['at']:%Y-%m-%d %H:%M}  {counts}  by {row['by']}: {files}")
    if not rows:
        typer.echo(f"{system} was never {'rehearsed' if rehearsal else 'compared'}")


def _system(system: str, rehearsal: bool) -> System:
    return System(*named(system), "rehearsal" if rehearsal else "mirror")


def _choice(ids: list[str] | None, kind: str | None, what: str | None, field: str | None) -> Choice:
    if bool(ids) == any(text is not None for text in (kind, what, field)):
        refuse("name ids, or say --kind, --what or --field")
    if bad := [text for text in ids or () if len(text) < 4 or not text.isalnum()]:
        refuse(f"{bad[0]!r} is no difference's id: write four of its characters at least, as `list` shows them")
    return Choice(ids or (), Filter("all", kind, _what(what), field))


def _what(what: str | None) -> What | None:
    if what is not None and what not in get_args(What):
        refuse(f"--what is one of {', '.join(get_args(What))}")
    return cast("What | None", what)


def _report(verb: str, names: Sequence[str], json: bool) -> None:
    if json:
        as_json({verb: list(names)})
    elif len(names) > 20:
        typer.echo(f"{len(names):,} {verb.replace('_', ' ')}")
    else:
        typer.echo("\n".join(f"{name} {verb.replace('_', ' ')}" for name in names) or "nothing to change")
