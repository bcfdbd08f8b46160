"""``traboule overrides``: what staff set by hand on members, from the command line."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated, Any, TypeVar
from uuid import UUID

import asyncpg
import typer
from rich.markup import escape
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from services.common.environment import load_settings
from services.membership.identity.decisions import DecisionError, Signature
from services.membership.policy import policy_of
from services.membership.records.record import RecordKey
from services.membership.rows import InTransaction
from services.membership.settings import MembershipSettings
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.usecases.override_member import (
    Find,
    MemberMissingError,
    OverrideRequest,
    Shown,
    present,
    set_manually,
    take_back,
)
from services.membership.views.override_queries import overrides_ever_set
from services.membership.views.overrides import OVERRIDABLE, OverrideError
from services.membership.views.queries import member_by_any_id, member_by_source
from shared.cli.author import who
from shared.cli.options import By, Json, Reason
from shared.cli.terminal import as_json, nothing, refuse, terminal
from shared.persistence.database import create_engine
from shared.runtime.text import is_text, printable

T = TypeVar("T")

app = typer.Typer(
    no_args_is_help=True, help="Values that staff set by hand, believed before every record: set, unset, list."
)

Member = Annotated[
    str, typer.Argument(metavar="MEMBER", help="any id that the member ever had, or a source record: numelink/B-1")
]
Field = Annotated[str, typer.Argument(metavar="FIELD", help=", ".join(OVERRIDABLE))]


@app.command("set")
def set_(
    member: Member,
    field: Field,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="what to show; one that begins with - goes after --")],
    reason: Reason,
    record: Annotated[
        str | None,
        typer.Option("--record", help="the source record that it goes with; else the member's first, with its own id"),
    ] = None,
    by: By = "",
    json: Json = False,
) -> None:
    """Show a member with a value, whatever its records say, until it is taken back.

    It is kept in its normal form, and goes with its source record when members are merged and separated.

    Examples: [bold]traboule overrides set numelink/B-1 city Rive-de-Gier --reason "moved, by phone"[/],
    [bold]traboule overrides set numelink/B-1 phone "04 77 00 00 00" --reason "by phone" --record numelink/B-1[/]
    """
    asked, signature = _asked(member, field, record), _signature(by, reason)
    shown = _run(lambda uow: set_manually(uow, asked, value, signature))
    if json:
        as_json(shown.as_json())
    else:
        typer.echo(f"{_named(shown)} is shown as {_value(shown.content['value'])}, by {signature.author}")


@app.command()
def unset(
    member: Member,
    field: Field,
    reason: Reason,
    record: Annotated[
        str | None, typer.Option("--record", help="only what was set on this source record; else on any of the member")
    ] = None,
    by: By = "",
    json: Json = False,
) -> None:
    """Take back what was set by hand, so that the records are believed again.

    Example: [bold]traboule overrides unset numelink/B-1 city --reason "the import is right now"[/]
    """
    asked, signature = _asked(member, field, record), _signature(by, reason)
    shown = _run(lambda uow: take_back(uow, asked, signature))
    if json:
        as_json(shown.as_json())
    elif shown.content["value"] is None:
        typer.echo(f"{_named(shown)} is not shown any more: no record has it")
    else:
        typer.echo(f"{_named(shown)} is shown as {_value(shown.content['value'])}")


@app.command("list")
def list_(member: Member, json: Json = False) -> None:
    """List all that was ever set by hand on a member's records, the newest first.

    Examples: [bold]traboule overrides list numelink/B-1[/],
    [bold]traboule overrides list 58a76dde-d76d-5be4-9ccb-e7301181a329 --json[/]
    """
    member_id, items = _run(partial(_ever_set, find=_find(member)))
    if json:
        as_json({"member_id": member_id, "items": items})
    elif items:
        _print(items)
    else:
        typer.echo("nothing was ever set by hand on this member")


# --- what was asked for --------------------------------------------------------------------------------------------


async def _ever_set(uow: MembershipUnitOfWork, find: Find) -> tuple[str, Sequence[Mapping[str, Any]]]:
    rows = InTransaction(uow.connection)
    member_id = str((await present(rows, find)).member_id)
    return member_id, await overrides_ever_set(rows, member_id)


def _find(member: str) -> Find:
    cluster, slash, record_id = member.partition("/")
    try:
        # A byte of the command line that is not UTF-8 reaches us as half a character, which names nobody.
        member.encode()
        if slash:
            return partial(member_by_source, cluster=cluster, record_id=record_id)
        return partial(member_by_any_id, member_id=str(UUID(member)))
    except ValueError:
        nothing("there is no such member: name an id, or a source record as <cluster>/<its id>, such as numelink/B-1")


def _asked(member: str, field: str, record: str | None) -> OverrideRequest:
    if record is None:
        return OverrideRequest(_find(member), field)
    cluster, slash, record_id = record.partition("/")
    if not slash or not is_text(record):
        refuse("--record is a source record, written <cluster>/<its id>, such as numelink/B-1")
    return OverrideRequest(_find(member), field, RecordKey(cluster, record_id))


def _signature(by: str, reason: str) -> Signature:
    try:
        return Signature(who(by), reason)
    except DecisionError as error:
        refuse(str(error))


def _run(work: Callable[[MembershipUnitOfWork], Coroutine[Any, Any, T]]) -> T:
    async def run() -> T:
        async with _transaction() as uow:
            return await work(uow)

    try:
        return asyncio.run(run())
    except MemberMissingError as error:
        nothing(str(error))
    except OverrideError as error:
        refuse(str(error))
    except DecisionError as error:
        (nothing if error.kind == "override-unknown" else refuse)(str(error))
    except (OSError, TimeoutError, SQLAlchemyError, asyncpg.PostgresError) as error:
        # Its own words may hold the value.
        refuse(f"the membership service's database: {type(error).__name__}")


@asynccontextmanager
async def _transaction() -> AsyncGenerator[MembershipUnitOfWork]:
    settings = load_settings("membership", MembershipSettings)
    policy = policy_of(settings)
    engine = create_engine(settings.database_url, application="traboule overrides", pool_size=1)
    try:
        async with engine.begin() as connection:
            uow = MembershipUnitOfWork(connection, policy)
            yield uow
            await uow.outbox.flush(connection)
    finally:
        await engine.dispose()


# --- what is printed -----------------------------------------------------------------------------------------------


def _named(shown: Shown) -> str:
    return f"{shown.field} of {shown.member_id}"


def _value(value: Any) -> str:
    """Text; an object's parts beside each other."""
    text = ", ".join(str(part) for part in value.values() if part) if isinstance(value, dict) else str(value)
    return printable(text)


def _print(items: Sequence[Mapping[str, Any]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("field", "value", "on", "by", "when", "why", "taken back"):
        table.add_column(title, overflow="fold")
    for item in items:
        back = item["taken_back"]
        cells = (
            item["field"],
            item["value"],
            item["record"],
            item["author"],
            f"{item['at']:%Y-%m-%d %H:%M}",
            item["reason"],
        )
        over = f"{back['at']:%Y-%m-%d %H:%M} by {back['by']}: {back['reason']}" if back else ""
        table.add_row(*(escape(printable(cell)) for cell in (*cells, over)))
    terminal().print(table, highlight=False)
