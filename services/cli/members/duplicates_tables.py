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
        members = "\n".join(_summary(item) for item in case["members"])
        table.add_row(f"{case['gain']:.2f}", f"{case['probability']:.0%}", members, case["id"])
    terminal().print(table)
    if page["total"] > len(page["items"]):
        terminal().print(f"[dim]{page['total'] - len(page['items'])} more[/]")


def _print_crowds(crowds: Sequence[Item]) -> None:
    for crowd in crowds:
        examples = plain(", ".join(crowd["examples"]))
        terminal().print(
            f"[yellow]{plain(crowd['words'])}[/]: {plain(crowd['shared'])}, "
            f"{crowd['records']} records, among them {examples}",
            highlight=False,
        )


def print_case(case: Item) -> None:
    """Records side by side, then each question with its evidence."""
    console = terminal()
    kind = "two members in question" if case["kind"] == "pair" else "a group that contradicts itself"
    console.print(f"[bold]{case['id']}[/]  {kind}, gain {case['gain']:.2f}")
    console.print(_side_by_side(case["members"]))
    for item in case["contradictions"]:
        console.print(f"[yellow]{plain(item['words'])}[/]: {plain(' · '.join(item['records']))}", highlight=False)
    for question in case["questions"]:
        console.print()
        console.print(_evidence(question))
        for item in (question["not_merged"], *question["twice"]):
            console.print(f"  [dim]{plain(item['words'])}[/]", highlight=False)


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
    for item in items:
        back = item["taken_back"]
        why = plain(item["reason"])
        if back is not None:
            why += f"\n[yellow]taken back {_when(back['at'])} by {plain(back['author'])}: {plain(back['reason'])}[/]"
        table.add_row(str(item["decision"]), _when(item["at"]), plain(item["author"]), _pairs(item["pairs"]), why)
    terminal().print(table)


def print_history(item: Item) -> None:
    """What holds a member together, and its turns."""
    console = terminal()
    console.print(f"member [bold]{item['id']}[/]: {plain(', '.join(item['records']))}", highlight=False)
    for link in item["links"]:
        console.print(f"  {plain(' = '.join(link['records']))}  {_basis(link)}", highlight=False)
    table = _table("when", "what", "records", "why")
    for turn in item["items"]:
        table.add_row(_when(turn["at"]), turn["what"], _records_of(turn), _why(turn))
    if item["items"]:
        console.print(table)


def _table(*titles: str, right: int = 0) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for at, title in enumerate(titles):
        table.add_column(title, justify="right" if at < right else "left", overflow="fold")
    return table


def _summary(member: Item) -> str:
    known = ", ".join(plain(str(member[name])) for name in ("name", "city", "siren") if member[name])
    return f"{known or '?'} [dim]{plain(' '.join(item['record'] for item in member['records']))}[/]"


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
    for item in question["evidence"]:
        colour = "green" if item["weight"] > 0 else "red"
        table.add_row(f"[{colour}]{item['weight']:+.2f}[/]", f"{plain(item['words'])} [dim]{item['field']}[/]")
    table.add_row(f"[dim]{question['prior']:+.2f}[/]", "[dim]before any evidence[/]")
    table.add_row(f"{question['score']:+.2f}", f"{question['probability']:.0%}")
    return table


def _basis(link: Item) -> str:
    if link["by"] == "decision":
        return f"[dim]decision {link['decision']} by {plain(link['author'])}: {plain(link['reason'])}[/]"
    words = ", ".join(item["words"] for item in link["evidence"] if item["weight"] > 0)
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
    cause = turn.get("cause", turn)
    if cause.get("by") == "records":
        return f"[dim]{plain(', '.join(cause.get('records', ())) or 'another record')}[/]"
    return f"{cause['decision']}, {plain(cause.get('author', '?'))}: {plain(cause.get('reason', ''))}"


def _pairs(pairs: Sequence[Item]) -> str:
    signs = {"same": " = ", "different": " ≠ "}
    shown = [plain(signs[pair["verdict"]].join(pair["records"])) for pair in pairs[:6]]
    return "\n".join([*shown, *([f"[dim]{len(pairs) - 6} more[/]"] if len(pairs) > 6 else [])])


def _when(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"
