"""``traboule duplicates``: what may be one company, decided and undone from the command line."""

import csv
import os
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from services.cli.members.duplicates_file import NotThisFileError, read_lines
from services.cli.members.duplicates_operations import policy, read, write, write_each
from services.cli.members.duplicates_tables import (
    print_case,
    print_cases,
    print_decided,
    print_decisions,
    print_history,
)
from services.membership.identity import answers, decisions, queries, review_answers, review_rows
from services.membership.identity.decisions import Decided, Decision, DecisionError, Signature
from services.membership.identity.review import Kind
from services.membership.policy import Policy
from services.membership.records.record import RecordKey
from services.membership.rows import Rows
from services.membership.translations import Language
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.usecases import decide as commands
from services.membership.views import queries as views_queries
from shared.cli.author import who
from shared.cli.options import By, Json, Reason
from shared.cli.terminal import as_json, nothing, refuse

_MISTYPED = ("author-", "reason-", "records-too-", "record-twice")
"""Beginnings of DecisionErrors that no state of the database could make good."""

app = typer.Typer(
    name="duplicates",
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Members that may be one company: list, show, confirm, reject, sort, separate, take back.",
)

Lang = Annotated[Language | None, typer.Option("--lang", help="fr or en", show_default="the terminal's")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1_000, help="how many to show")]
Records = Annotated[list[str], typer.Argument(metavar="RECORD…", help="cluster/record id, such as numelink/B-1")]


@app.command("list")
def list_(
    limit: Limit = 20,
    cluster: Annotated[str | None, typer.Option("--cluster", help="only cases with a record of this cluster")] = None,
    kind: Annotated[Kind | None, typer.Option("--kind", help="two members, or a contested group")] = None,
    min_probability: Annotated[float, typer.Option("--min-probability", min=0, max=1)] = 0.0,
    lang: Lang = None,
    json: Json = False,
) -> None:
    """List what is open, the largest gain first: what a right answer saves of what is done twice today.

    Examples: [bold]traboule duplicates list[/], [bold]traboule duplicates list --kind contested --json[/]
    """
    clusters = policy().clusters
    if cluster is not None and cluster not in clusters:
        raise typer.BadParameter(f"there is no cluster {cluster!r}; there are {', '.join(sorted(clusters))}")

    async def work(rows: Rows, policy: Policy) -> dict[str, Any]:
        wanted = review_rows.Wanted(cluster, kind, min_probability)
        open_cases = await review_rows.page(rows, wanted, after=None, limit=limit)
        items = await review_answers.described(rows, open_cases, policy.weights, _language(lang))
        total = await review_rows.count(rows, wanted)
        crowds = review_answers.too_many_alike(await review_answers.all_crowds(rows), _language(lang))
        return {"items": items, "total": total, "too_many_alike": crowds}

    page = read(work)
    if json:
        as_json(page)
    else:
        print_cases(page)


@app.command()
def show(
    case: Annotated[str, typer.Argument(metavar="ID", help="as `list` shows it")], lang: Lang = None, json: Json = False
) -> None:
    """Show one case: its records side by side, and what speaks for and against.

    Example: [bold]traboule duplicates show d01d721a73ac4432 --lang fr[/]
    """

    async def work(rows: Rows, policy: Policy) -> list[dict[str, Any]]:
        open_case = await review_rows.by_id(rows, case)
        cases = [] if open_case is None else [open_case]
        return await review_answers.described(rows, cases, policy.weights, _language(lang))

    result = read(work)
    if not result:
        nothing("there is no such case, or it is not in question any more")
    if json:
        as_json(result[0])
    else:
        print_case(result[0])


@app.command()
def confirm(records: Records, reason: Reason, by: By = "", json: Json = False) -> None:
    """Say that records are one company. It holds whatever is imported later, until it is taken back.

    Example: [bold]traboule duplicates confirm numelink/B-1 clustr-numerique/12 --reason "same SIREN on the phone"[/]
    """
    _decide(lambda: decisions.confirm(_keys(records)), by, reason, json)


@app.command()
def reject(records: Records, reason: Reason, by: By = "", json: Json = False) -> None:
    """Say that no two of these records are one company.

    Example: [bold]traboule duplicates reject numelink/B-1 clustr-numerique/12 --reason "two sisters"[/]
    """
    _decide(lambda: decisions.reject(_keys(records)), by, reason, json)


@app.command()
def sort(
    part: Annotated[list[str], typer.Option("--part", help='the records of one company: A,B ("A,1",B for commas)')],
    reason: Reason,
    by: By = "",
    json: Json = False,
) -> None:
    """Sort a contested group out: each part is one company, and no two parts are the same one.

    Example: [bold]traboule duplicates sort --part numelink/B-1,clustr-numerique/12 --part numelink/B-2 --reason "…"[/]
    """
    _decide(lambda: decisions.sort_out([_keys(next(csv.reader([text]))) for text in part]), by, reason, json)


@app.command()
def separate(records: Records, reason: Reason, by: By = "", json: Json = False) -> None:
    """Undo a merge: these records leave their member, with everything that names them.

    Example: [bold]traboule duplicates separate numelink/B-1 --reason "merged by mistake"[/]
    """
    keys = _keys(records)
    _act(lambda uow, signature: commands.separate(uow, keys, signature), by, reason, json)


@app.command("take-back")
def take_back(
    number: Annotated[int, typer.Argument(min=1, max=2**63 - 1, metavar="NUMBER", help="as `decisions` shows it")],
    reason: Reason,
    by: By = "",
    json: Json = False,
) -> None:
    """Take a decision back: what it held together or apart is judged by the rest again.

    Example: [bold]traboule duplicates take-back 12 --reason "the wrong company"[/]
    """
    _act(lambda uow, signature: commands.take_back(uow, number, signature), by, reason, json)


@app.command()
def decide(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", exists=True, dir_okay=False)],
    by: By = "",
    json: Json = False,
) -> None:
    """Take many decisions from a table with the columns verdict (same or different), a, b, reason.

    Each line is a decision by itself: one that fails is told, and the others are taken all the same.

    Example: [bold]traboule duplicates decide answers.csv --by "m.durand"[/]
    """
    try:
        lines = read_lines(file)
    except NotThisFileError as error:
        refuse(str(error))
    results = write_each(lines, who(by), silent=json)
    failed = [result for result in results if "error" in result]
    if json:
        as_json({"results": results, "failed": len(failed)})
    else:
        for document in failed:
            typer.secho(f"line {document['line']}: {document['error']}", fg="red", err=True)
        typer.echo(f"{len(results) - len(failed)} decided, {len(failed)} refused")
    if failed:
        raise typer.Exit(1)


@app.command("decisions")
def decisions_(limit: Limit = 20, json: Json = False) -> None:
    """List decisions, the newest first, with those that were taken back.

    Example: [bold]traboule duplicates decisions --limit 100[/]
    """

    async def work(rows: Rows, _: Policy) -> list[dict[str, Any]]:
        newest_decisions = await queries.newest_decisions(rows, before=2**63 - 1, limit=limit)
        return [answers.decision(decision) for decision in newest_decisions]

    items = read(work)
    if json:
        as_json({"items": items})
    else:
        print_decisions(items)


@app.command()
def history(
    member: Annotated[str, typer.Argument(metavar="MEMBER", help="a member's id, or cluster/record id")],
    limit: Limit = 50,
    lang: Lang = None,
    json: Json = False,
) -> None:
    """Show what holds a member together, and what merged, separated and was decided, newest first.

    Examples: [bold]traboule duplicates history numelink/B-1[/]
    """
    asked = _member_id(member)

    async def work(rows: Rows, policy: Policy) -> dict[str, Any] | None:
        view = await views_queries.member_by_any_id(rows, asked)
        if view is None or view.member_id is None:
            return None
        identity = await answers.identity(rows, view.member_id, policy.weights, _language(lang))
        turns = await answers.history(
            rows, view.member_id, asked, policy.weights, _language(lang), before=answers.END, limit=limit
        )
        return {**identity, "items": [content for _, content in turns]}

    document = read(work)
    if document is None:
        nothing("there is no such member, or all its records were removed")
    if json:
        as_json(document)
    else:
        print_history(document)


# --- what was asked for --------------------------------------------------------------------------------------------


def _keys(records: Sequence[str]) -> list[RecordKey]:
    return [_key(record.strip()) for record in records]


def _key(name: str) -> RecordKey:
    cluster, _, record_id = name.partition("/")
    if not cluster or not record_id or "\x00" in name:
        raise typer.BadParameter(f"{name!r} is no source record: write cluster/record id, such as numelink/B-1")
    return RecordKey(cluster, record_id)


def _member_id(name: str) -> str:
    try:
        return str(UUID(name))
    except ValueError:
        return _key(name).own_id


def _language(lang: Language | None) -> Language:
    if lang is not None:
        return lang
    locale = next((text for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (text := os.environ.get(name))), "")
    return "fr" if locale.startswith("fr") else "en"


def _decide(decision: Callable[[], Decision], by: str, reason: str, json: bool) -> None:
    def work(uow: MembershipUnitOfWork, signature: Signature) -> Awaitable[Decided]:
        return commands.decide(uow, decision(), signature)

    _act(work, by, reason, json)


def _act(
    work: Callable[[MembershipUnitOfWork, Signature], Awaitable[Decided]], by: str, reason: str, json: bool
) -> None:
    try:
        signature = Signature(who(by), reason)
        decided = write(lambda uow: work(uow, signature))
    except DecisionError as error:
        if error.kind.startswith(_MISTYPED):
            refuse(str(error))
        typer.secho(str(error), fg="red", err=True)
        raise typer.Exit(1) from None
    if json:
        as_json(answers.just_decided(decided))
    else:
        print_decided(decided)
