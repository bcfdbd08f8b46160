"""The demo's chapter about companies that are in both clusters: what is asked of staff, a merge, and its undoing."""

from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.errors import NodeError

Ask = Callable[..., Any]
"""``ask(path)`` reads, ``ask(path, body)`` posts; both give the answer's JSON."""


def add_duplicates(console: Console, ask: Ask) -> None:
    """Show the review queue and the conflicts; merge the first case by a decision, and take the decision back."""
    queue = ask("/duplicates?limit=5&kind=pair")
    _show_queue(console, queue)
    if queue["items"]:
        _merge_and_undo(console, ask, queue["items"][0])
    _show_conflicts(console, ask("/conflicts?limit=500")["items"])


def _show_queue(console: Console, queue: Any) -> None:
    title = f"Are these one company? {queue['total']} questions wait for staff (traboule duplicates list)"
    table = Table("Gain", "Likely", "One", "The other", "Most for, most against", title=title, title_justify="left")
    for case in queue["items"]:
        text, other = (_named(member) for member in case["members"])
        evidence = sorted(case["questions"][0]["evidence"], key=lambda each: -each["weight"])
        table.add_row(f"{case['gain']:.1f}", f"{case['probability']:.0%}", text, other, _in_words(evidence))
    console.print(table)


def _in_words(evidence: list[Any]) -> str:
    most = [evidence[0], evidence[-1]] if len(evidence) > 1 else evidence
    return escape("; ".join(f"{item['words']} ({item['weight']:+.1f})" for item in most))


def _named(member: Any) -> str:
    return escape(", ".join(str(part) for part in (member["name"], member["city"]) if part))


def _merge_and_undo(console: Console, ask: Ask, case: Any) -> None:
    ids = [member["id"] for member in case["members"]]
    apart = [ask(f"/members/{item}") for item in ids]
    records = case["questions"][0]["records"]
    decided = ask("/duplicates/decisions", {"verdict": "same", "records": records, "reason": "the demo says so"})
    merged = ask(f"/members/{ids[1]}")
    if any(merged != ask(f"/members/{item}") for item in ids):
        raise NodeError("after the merge, both ids must answer with the same member")
    ask(f"/duplicates/decisions/{decided['decision']}/take-back", {"reason": "it was only a demo"})
    now = [ask(f"/members/{item}") for item in ids]
    if differing := {name for item, was in zip(now, apart, strict=True) for name in was if item.get(name) != was[name]}:
        raise NodeError(f"the un-merge did not leave what was there before: {', '.join(sorted(differing))}")
    console.print(
        f"Decision {decided['decision']} merged {' and '.join(records)}: both ids answered with one member of "
        f"{len(merged['sources'])} source records. Taken back, both are what they were, to the last field.\n"
    )


def _show_conflicts(console: Console, conflicts: list[Any]) -> None:
    title = f"{len(conflicts)} conflicts that merges brought together (traboule conflicts list)"
    table = Table("What", "Member", "Between", "To resolve", title=title, title_justify="left")
    for conflict in conflicts[:5]:
        whose = f"{conflict['responsible']}: {conflict['owner'] or '…'}"
        table.add_row(
            conflict["what"], escape(str(conflict["member"]["name"])), " and ".join(conflict["between"]), whose
        )
    if len(conflicts) > 5:
        table.add_row("…", "", "", "")
    console.print(table)
