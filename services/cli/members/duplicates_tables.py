"""What ``traboule duplicates`` prints for people."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.table import Table

from services.membership.identity.decisions import Decided
from services.membership.identity.review_answers import WRITTEN
from shared.cli.terminal import plain, terminal

Item = Mapping[str, Any]


def print_cases(page: Item) -> None:
    """The queue, one case a row."""
    _print_crowds(page["too_many_alike"])
    if not page["items"]:
        terminal().print("nothing is in question")
        return
    table = _table("gain", "probable", "members", "id", right=2)
    for case in page["items"]:
        members = "\n".join(_summary(one) for one in case["members"])
        table.add_row(f"{case['gain']:.2f}", f"{case['probability']:.0%}", members, case["id"])
    terminal().print(table)
    if page["total"] > len(page["items"]):
        terminal().print(f"[dim]{page['total'] - len(page['items'])} more[/]")


def _print_crowds(crowds: Sequence[Item]) -> None:
    for one in crowds:
        examples = plain(", ".join(one["examples"]))
        terminal().print(
            f"[yellow]{plain(one['words'])}[/]: {plain(one['shared'])}, "
            f"{one['records']} records, among them {examples}",
            highlight=False,
        )


def print_case(case: Item) -> None:
    """Records side by side, then each question with its evidence."""
    console = terminal()
    kind = "two members in question" if case["kind"] == "pair" else "a group that contradicts itself"
    console.print(f"[bold]{case['id']}[/]  {kind}, gain {case['gain']:.2f}")
    console.print(_side_by_side(case["members"]))
    for one in case["contradictions"]:
        console.print(f"[yellow]{plain(one['words'])}[/]: {plain(' · '.join(one['records']))}", highlight=False)
    for question in case["questions"]:
        console.print()
        console.print(_evidence(question))
        for one in (question["not_merged"], *question["twice"]):
            console.print(f"  [dim]{plain(one['words'])}[/]", highlight=False)


def print_decided(decided: Decided) -> None:
    """What came of a decision."""
    console = terminal()
    again = ", said already" if decided.repeated else ""
    console.print(f"decision [bold]{decided.number}[/]{again}")
    for key, member_id in sorted(decided.members.items()):
        console.print(f"  {plain(str(key))} → {member_id or 'removed'}", highlight=False)


def print_decisions(items: Sequence[Item]) -> None:
    """Decisions, one a row."""
    if not items:
        terminal().print("nothing was decided yet")
        return
    table = _table("decision", "when", "who", "what", "why", right=1)
    for one in items:
        back = one["taken_back"]
        why = plain(one["reason"])
        if back is not None:
            why += f"\n[yellow]taken back {_when(back['at'])} by {plain(back['author'])}: {plain(back['reason'])}[/]"
        table.add_row(str(one["decision"]), _when(one["at"]), plain(one["author"]), _pairs(one["pairs"]), why)
    terminal().print(table)


def print_history(found: Item) -> None:
    """What holds a member together, and its turns."""
    console = terminal()
    console.print(f"member [bold]{found['id']}[/]: {plain(', '.join(found['records']))}", highlight=False)
    for link in found["links"]:
        console.print(f"  {plain(' = '.join(link['records']))}  {_held_by(link)}", highlight=False)
    table = _table("when", "what", "records", "why")
    for turn in found["items"]:
        table.add_row(_when(turn["at"]), turn["what"], _records_of(turn), _why(turn))
    if found["items"]:
        console.print(table)


def _table(*titles: str, right: int = 0) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for at, title in enumerate(titles):
        table.add_column(title, justify="right" if at < right else "left", overflow="fold")
    return table


def _summary(member: Item) -> str:
    told = ", ".join(plain(str(member[name])) for name in ("name", "city", "siren") if member[name])
    return f"{told or '?'} [dim]{plain(' '.join(one['record'] for one in member['records']))}[/]"


def _side_by_side(members: Sequence[Item]) -> Table:
    records = [record for member in members for record in member["records"]]
    table = _table("", *(plain(record["record"]) for record in records))
    table.add_row("[dim]member[/]", *(member["id"] for member in members for _ in member["records"]))
    for name in WRITTEN:
        values = [str(record["written"].get(name) or "") for record in records]
        if any(values):
            table.add_row(f"[dim]{name}[/]", *map(plain, values))
    return table


def _evidence(question: Item) -> Table:
    table = _table("bits", plain(" = ".join(question["records"]) + " ?"), right=1)
    for one in question["evidence"]:
        colour = "green" if one["weight"] > 0 else "red"
        table.add_row(f"[{colour}]{one['weight']:+.2f}[/]", f"{plain(one['words'])} [dim]{one['field']}[/]")
    table.add_row(f"[dim]{question['prior']:+.2f}[/]", "[dim]before any evidence[/]")
    table.add_row(f"{question['score']:+.2f}", f"{question['probability']:.0%}")
    return table


def _held_by(link: Item) -> str:
    if link["by"] == "decision":
        return f"[dim]decision {link['decision']} by {plain(link['author'])}: {plain(link['reason'])}[/]"
    words = ", ".join(one["words"] for one in link["evidence"] if one["weight"] > 0)
    return f"[dim]{link['score']:+.2f}: {plain(words)}[/]"


def _records_of(turn: Item) -> str:
    match turn["what"]:
        case "merged":
            return plain(" = ".join(turn["records"]))
        case "separated":
            return plain(" | ".join(" = ".join(part["records"]) for part in turn["parts"]))
        case _:
            return _pairs(turn["pairs"])


def _why(turn: Item) -> str:
    if turn["what"] == "taken-back":
        turn = {**turn["taken_back"], "decision": turn["decision"]}
    told = turn.get("cause", turn)
    if told.get("by") == "records":
        return f"[dim]{plain(', '.join(told.get('records', ())) or 'another record')}[/]"
    return f"{told['decision']}, {plain(told.get('author', '?'))}: {plain(told.get('reason', ''))}"


def _pairs(pairs: Sequence[Item]) -> str:
    signs = {"same": " = ", "different": " ≠ "}
    shown = [plain(signs[one["verdict"]].join(one["records"])) for one in pairs[:6]]
    return "\n".join([*shown, *([f"[dim]{len(pairs) - 6} more[/]"] if len(pairs) > 6 else [])])


def _when(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
