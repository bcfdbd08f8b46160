"""A comparison as one page of HTML, in French and English: no script, nothing from elsewhere, made to be printed."""

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from html import escape
from itertools import groupby
from typing import Any, Final

from services.cutover.parity.by_manifest import COUNT, MORE
from services.cutover.parity.compare import What, context_fields
from services.cutover.parity.run import Run, RunDifference, Subject

SHOWN = 500
"""Differences of one kind on a page; --json has them all."""
_LONG = 400

_WHATS: Final[Mapping[What, tuple[str, str]]] = {
    "missing-here": ("Manque chez nous", "Missing here"),
    "missing-there": ("Manque là-bas", "Missing there"),
    "different": ("Diffère", "Different"),
    "unreadable": ("Ligne illisible", "Unreadable row"),
}
_CONTRADICTION: Final = ("se contredit", "contradicts itself")
"""In place of "unreadable row" of a manifest, whose kinds are what differs."""
_FIELDS: Final[Mapping[str, tuple[str, str]]] = {
    "digest": ("contenu", "content"),
    COUNT: ("nombre", "count"),
    "listed": ("énumérés", "listed"),
    MORE: ("autres écarts, non énumérés", "more, not listed"),
}
"""What a manifest tells, which no record has as a field. Fields of records are shown by their names."""
_DIGEST_SHOWN = 12
_FIELD_TITLE: Final = ("Champ", "Field")
_NARROW: Final = ' class="field"'
_KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "member": ("Adhérents", "Members"),
    "invoice": ("Factures", "Invoices"),
    "payment": ("Règlements", "Payments"),
    "event": ("Événements", "Events"),
    "registration": ("Inscriptions", "Registrations"),
    "consent": ("Consentements", "Consents"),
    "mailing": ("Envois", "Mailings"),
    "row": ("Lignes de l’export", "Rows of the export"),
    "manifest": ("Manifeste", "Manifest"),
    "standing": ("Situation des adhésions", "Standing of memberships"),
    "dues": ("Cotisations facturées", "Dues billed"),
    "settlement": ("Factures restant dues", "Invoices still owed"),
    "place": ("Places attribuées", "Places given"),
    "audience": ("Destinataires des envois", "Recipients of mailings"),
}
_TITLES: Final[Mapping[Subject, tuple[str, str]]] = {
    "mirror": ("parité", "parity"),
    "rehearsal": ("répétition", "rehearsal"),
}
_SIDES: Final[Mapping[Subject, tuple[str, str]]] = {
    "mirror": ("Là-bas : l’ancien système. Chez nous : Traboule.", "There: the former system. Here: Traboule."),
    "rehearsal": (
        "Là-bas : ce que l’ancien système a fait. Chez nous : ce que Traboule aurait fait.",
        "There: what the former system did. Here: what Traboule would have done.",
    ),
}
_NEWER: Final = (
    "Plus récents chez nous : modifiés depuis ce que dit le manifeste, et non comparés.",
    "Newer here: changed since what the manifest says, and not compared.",
)
_STYLE = """
:root { --ink: #1d2430; --soft: #5b6675; --line: #d9dee5; --good: #17693a; --bad: #a3241c; --wash: #f5f7f9; }
* { box-sizing: border-box }
body { font: 15px/1.5 system-ui, "Segoe UI", Roboto, Arial, sans-serif; color: var(--ink); margin: 0 auto;
       max-width: 72rem; padding: 2rem 1.5rem 4rem }
h1 { font-size: 1.6rem; margin: 0 } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem } p { margin: .3rem 0 }
[lang=en], small { color: var(--soft); font-weight: normal; font-size: .85em }
.verdict { border-left: .4rem solid; padding: .6rem 1rem; margin: 1.2rem 0; background: var(--wash) }
.clean { border-color: var(--good) } .open { border-color: var(--bad) } .verdict b { font-size: 1.15rem }
.clean b { color: var(--good) } .open b, td.bad { color: var(--bad) }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { text-align: left; vertical-align: top; padding: .35rem .7rem .35rem 0; border-bottom: 1px solid var(--line) }
th { font-size: .85rem } th [lang=en] { display: block } .wide th [lang=en] { display: inline }
.number { text-align: right } td.number { white-space: nowrap } th.number { padding-left: 1rem; min-width: 5rem }
code { font: .85em ui-monospace, Consolas, monospace; color: var(--soft) }
table.wide { table-layout: fixed } .wide td { overflow-wrap: anywhere }
.wide th:first-child { width: 24% } .wide th.field { width: 15% }
table.narrow { width: auto; min-width: 34rem } tbody + tbody { border-top: 1px solid var(--line) }
td.field, .name { color: var(--soft) } .accepted td { background: var(--wash) }
ins { text-decoration: none; border-left: 3px solid var(--good); padding-left: .4rem; display: block }
ul { padding-left: 1.2rem }
@media print {
  body { font-size: 10pt; max-width: none; padding: 0 } @page { margin: 14mm }
  thead { display: table-header-group } tr { break-inside: avoid } h2 { break-after: avoid }
  .verdict, .accepted td { print-color-adjust: exact; -webkit-print-color-adjust: exact }
}
"""


def page(system: str, run: Run, hints: Sequence[str] = ()) -> str:
    """The whole document. It holds members' data, as far as it differs."""
    parts = [_head(system, run), _hints(hints), _counts(run), _sums(run)]
    for (kind, what), result in groupby(run.differences, key=lambda item: (item.difference.kind, item.difference.what)):
        parts.append(_group(kind, what, list(result)))
    body = "\n".join(filter(None, parts))
    return (
        '<!doctype html>\n<html lang="fr">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(system)} · {', '.join(_TITLES[run.subject])} · {run.at:%Y-%m-%d}</title>\n"
        f"<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _head(system: str, run: Run) -> str:
    if run.subject == "rehearsal":
        source = ", ".join(map(escape, run.source))
    elif run.manifest is None:
        source = f"{_both('Fichiers', 'Files')} : {', '.join(map(escape, run.source))}"
    else:
        source = f"{_both('Manifeste', 'Manifest')} : {run.manifest}"
    if run.open:
        verdict = _both(
            f"Écarts ouverts : {run.open}, acceptés : {run.accepted}", f"Open: {run.open}, accepted: {run.accepted}"
        )
    elif run.accepted:
        verdict = _both(f"Conforme ; écarts acceptés : {run.accepted}", f"Clean; accepted differences: {run.accepted}")
    else:
        verdict = _both("Conforme : aucun écart", "Clean: no difference")
    return (
        f"<header><h1>{escape(system)} : {_both(*_TITLES[run.subject])}</h1>\n"
        f"<p>{run.at:%Y-%m-%d %H:%M} UTC, {escape(run.by)}, n° {run.number}. {source}</p>"
        f'</header>\n<div class="verdict {"open" if run.open else "clean"}"><b>{verdict}</b></div>\n'
        f"<p>{_both(*_SIDES[run.subject])}</p>"
    )


def _hints(hints: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(hint)}</li>' for hint in hints)}</ul>" if hints else ""


def _counts(run: Run) -> str:
    rows: list[str] = []
    newer = any(sides.newer_here for sides in run.counts.values())
    for kind in dict.fromkeys((*run.counts, *(item.difference.kind for item in run.differences))):
        result = [item for item in run.differences if item.difference.kind == kind]
        accepted = sum(item.accepted is not None for item in result)
        sides = run.counts.get(kind)
        counts = ["", ""] if sides is None else [_grouped(sides.there), _grouped(sides.here)]
        if newer:
            counts.append("" if sides is None else _grouped(sides.newer_here))
        still = len(result) - accepted
        cells = [_number(count) for count in counts] + [
            _number(_grouped(still), bad=still > 0),
            _number(_grouped(accepted)),
        ]
        rows.append(f"<tr><td>{_kind(kind)}</td>{''.join(cells)}</tr>")
    titles = [("Là-bas", "There"), ("Chez nous", "Here"), ("Écarts ouverts", "Open"), ("Acceptés", "Accepted")]
    if newer:
        titles.insert(2, ("Plus récents chez nous", "Newer here"))
    counted = f"<h2>{_both('Nombre', 'Counts')}</h2>\n" + _table([("Quoi", "What")], titles, rows, "narrow")
    return f"{counted}<p>{_both(*_NEWER)}</p>" if newer else counted


def _sums(run: Run) -> str:
    rows: list[str] = []
    for kind, years in run.sums.items():
        for year, sides in years.items():
            theirs, ours = sides.there, sides.here
            apart = _number(_euros(ours - theirs), bad=ours != theirs)
            money = f"{_number(_euros(theirs))}{_number(_euros(ours))}{apart}"
            rows.append(f"<tr><td>{_kind(kind)}</td><td>{year}</td>{money}</tr>")
    if not rows:
        return ""
    titles = [("Là-bas, €", "There"), ("Chez nous, €", "Here"), ("Écart, €", "Difference")]
    heading = f"<h2>{_both('Montants TTC par année', 'Gross amounts per year')}</h2>\n"
    return heading + _table([("Quoi", "What"), ("Année", "Year")], titles, rows, "narrow")


def _group(kind: str, what: What, result: Sequence[RunDifference]) -> str:
    still = sum(item.accepted is None for item in result)
    meaning = _CONTRADICTION if kind == "manifest" else _WHATS[what]
    heading = f"{_kind(kind)} : {_both(*meaning)} ({len(result)}, {_both('ouverts', 'open')} : {still})"
    titles = [("Écart", "Difference"), *_columns(what)]
    rows = [row for item in result[:SHOWN] for row in _rows(item)]
    more = f"<p>+ {len(result) - SHOWN} (--json)</p>" if len(result) > SHOWN else ""
    return f"<h2>{heading}</h2>\n{_table(titles, [], rows, 'wide')}{more}"


def _columns(what: What) -> list[tuple[str, str]]:
    match what:
        case "missing-here":
            return [("Là-bas", "There")]
        case "missing-there":
            return [("Chez nous", "Here")]
        case "different":
            return [_FIELD_TITLE, ("Là-bas", "There"), ("Chez nous", "Here")]
        case "unreadable":
            return [_FIELD_TITLE, ("Là-bas", "There"), ("Pourquoi", "Why")]


def _rows(item: RunDifference) -> Iterable[str]:
    """One for each field that differs; a record that one side lacks is one row with all that the other says."""
    difference = item.difference
    theirs, document = difference.there or {}, difference.why or difference.here or {}
    state = ' class="accepted"' if item.accepted is not None else ""
    if not difference.fields:
        yield f"<tr{state}><td>{_about(item)}</td><td>{_whole(theirs or document)}</td></tr>"
        return
    periodic_tasks = context_fields(difference)
    first = f'<td rowspan="{len(difference.fields) + bool(periodic_tasks)}">{_about(item)}</td>'
    for name in difference.fields:
        cells = "".join(f"<td>{_value(side, name)}</td>" for side in (theirs, document))
        yield f'<tr{state}>{first}<td class="field">{_field(name)}</td>{cells}</tr>'
        first = ""
    if periodic_tasks:
        yield f'<tr{state}><td colspan="3">{_both("Chez nous", "Here")} : {_whole(periodic_tasks)}</td></tr>'


def _field(name: str) -> str:
    return _both(*_FIELDS[name]) if name in _FIELDS else escape(name)


def _whole(document: Mapping[str, Any]) -> str:
    return " · ".join(f'<span class="name">{escape(name)}</span> {_value(document, name)}' for name in document) or "–"


def _about(entry: RunDifference) -> str:
    difference = entry.difference
    item = _kind(difference.item_id) if difference.kind == "manifest" else escape(difference.item_id)
    if difference.fields in ((COUNT,), (MORE,)) and difference.fields == (difference.item_id,):
        item = _field(difference.item_id)
    about = [f"<b>{item}</b> <code>{entry.name}</code>"]
    if entry.owner:
        about.append(f"{_both('suivi par', 'owner')} {escape(entry.owner)}")
    if entry.accepted is not None:
        acceptance = entry.accepted
        who = f"{escape(acceptance.by)}, {acceptance.at:%Y-%m-%d}"
        about.append(f"<ins>{_both('accepté', 'accepted')} : {escape(acceptance.reason)} <small>{who}</small></ins>")
    return "<br>".join(about)


# --- cells ---------------------------------------------------------------------------------------------------------


def _table(
    words: Sequence[tuple[str, str]], numbers: Sequence[tuple[str, str]], rows: Iterable[str], style: str = ""
) -> str:
    heads = "".join(f"<th{_NARROW if title == _FIELD_TITLE else ''}>{_both(*title)}</th>" for title in words)
    heads += "".join(f'<th class="number">{_both(*title)}</th>' for title in numbers)
    body = "\n".join(rows)
    return f'<table class="{style}">\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n'


def _both(french: str, english: str) -> str:
    return f'{escape(french)} <span lang="en">{escape(english)}</span>'


def _kind(kind: str) -> str:
    return _both(*_KINDS[kind]) if kind in _KINDS else escape(kind)


def _number(text: str, *, bad: bool = False) -> str:
    return f'<td class="number{" bad" if bad else ""}">{text}</td>'


def _grouped(count: int) -> str:
    return f"{count:,}".replace(",", "\u202f")


def _euros(amount: Decimal) -> str:
    return f"{amount:,.2f}".replace(",", "\u202f").replace(".", ",").replace("-", "−")


def _value(side: Mapping[str, Any], name: str) -> str:
    value = side.get(name)
    if value is None or value in ("", [], {}):
        return "–"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if name == "digest":
        return f"<code>{escape(text[:_DIGEST_SHOWN])}…</code>"
    return escape(text if len(text) <= _LONG else text[:_LONG] + "…")
