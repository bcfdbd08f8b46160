"""One table for people, the same figures as JSON."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.benchmarks.billing import CHUNK, MEMBERS, RUN, Measured
from tests.benchmarks.filling import Row
from tests.benchmarks.journey import WIZARD_SECONDS, Import, Latency, Reads
from tests.benchmarks.lanes import Ratio, Result
from tests.benchmarks.linking import WAYS, Linking
from tests.benchmarks.mail import CONNECTIONS, MANY
from tests.benchmarks.mail import Measured as Mailed
from tests.benchmarks.matching import Matching
from tests.benchmarks.members import Growth
from tests.benchmarks.operations import CLIENTS, Operations
from tests.benchmarks.recognition import Recognition, Step
from tests.benchmarks.replicas import COUNTS, Replicas
from tests.benchmarks.switching import WRITTEN, Switching

READS_TARGET, P99_TARGET = 0.45, 250.0
RECOGNISED_P50, RECOGNISED_P99 = 5.0, 20.0
RECOGNISED_AT_10_000, RECOGNISED_ALL, RECOGNISED_GROWTH = 400.0, 300.0, 1.15
"""µs for each of 10,000 records, seconds for 100,000, and the exponent."""


def spread(ratios: Sequence[float], is_quiet: bool) -> str:
    """The median of a ratio and how far it went; nothing that means nothing, where others used the machine."""
    if not is_quiet:
        return "; no ratio: others used the machine"
    return f"; {median(ratios):.2f} × ({min(ratios):.2f} to {max(ratios):.2f})"


class Report:
    """Collects the figures of one run."""

    def __init__(self, servers: dict[str, str], *, quick: bool) -> None:
        self.grid = Table("What", "Result", "Promise", "", title="Traboule, measured", title_justify="left")
        self.grid.columns[1].justify = "right"
        self.parts: dict[str, list[Row]] = {}
        """The same lines by part, as the README has a table for each."""
        self._part: list[Row] = []
        self.figures: dict[str, Any] = {
            "quick": quick,
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "servers": servers,
        }

    def begin(self, part: str) -> None:
        """The lines that follow are of this part."""
        self._part = self.parts.setdefault(part, [])

    def line(self, what: str, result: str, promise: str = "", met: bool | None = None) -> None:
        """One line of the table; ``met`` says whether the promise was kept."""
        mark = "" if met is None else "[green]kept[/]" if met else "[red]not kept[/]"
        self.grid.add_row(what, result, promise, mark)
        self._part.append(Row(what.strip(), result, promise, met))

    def lanes(self, results: dict[str, Result], ratios: list[Ratio]) -> None:
        """Rates, ratios, memory of each lane."""
        self.begin("lanes")
        for letter, result in results.items():
            rates = f"{min(result.rates):,.0f}–{max(result.rates):,.0f}"
            per = result.facts / (sum(result.transactions) / len(result.transactions))
            self.line(
                f"({letter}) {result.lane.title}",
                f"{result.rate:,.0f} facts/s",
                f"{rates}; {median(result.cpu):,.0f} µs CPU, {max(result.memory):,.0f} MB, {per:,.0f} a transaction",
            )
        for ratio in ratios:
            spread = f"{ratio.value:.2f} ({min(ratio.rounds):.2f}–{max(ratio.rounds):.2f})"
            self.line(f"ratio {ratio.name}", spread, f"≥ {ratio.target:g}", ratio.met)
        self.figures["lanes"] = {
            letter: {
                "title": result.lane.title,
                "facts": result.facts,
                "median_per_second": round(result.rate),
                "per_second": [round(rate) for rate in result.rates],
                "transactions": result.transactions,
                "rss_mb": [round(mb) for mb in result.memory],
                "cpu_us": [round(cpu, 1) for cpu in result.cpu],
            }
            for letter, result in results.items()
        }
        self.figures["ratios"] = [asdict(ratio) | {"met": ratio.met} for ratio in ratios]
        self.grid.add_section()

    def switching(self, item: Switching) -> None:
        """A switch and a rollback in the middle of traffic."""
        self.begin("switching")
        self.line(
            "a switch under 200 messages/s and 20 commands/s: commands refused for",
            f"{item.refused:.2f} s",
            f"< 1 s; the move itself {item.switch * 1000:,.0f} ms",
            item.refused < 1,
        )
        self.line(
            f"a rollback with {WRITTEN:,} records written here: the command that waited longest",
            f"{item.waited:.2f} s",
            f"< 1 s; the rollback {item.rollback * 1000:,.0f} ms",
            item.waited < 1,
        )
        self.line(
            f"{item.messages:,} messages: applied {item.applied:,}, quarantined {item.quarantined:,}; "
            f"{item.carried_out} of {item.commands} commands carried out",
            f"{item.lost} lost",
            f"none; a command takes p50 {item.p50:.0f}, p99 {item.p99:.0f} ms",
            item.lost == 0,
        )
        self.figures["switching"] = asdict(item)
        self.grid.add_section()

    def operations(self, measured: Operations) -> None:
        """What another service is asked over the broker."""
        self.begin("operations")
        for name, alone, at_once in (
            ("query", measured.query_alone, measured.query_at_once),
            ("command", measured.command_alone, measured.command_at_once),
        ):
            self.line(
                f"a {name} of billing over HTTP, {alone.answers:,} by one person",
                f"p50 {alone.p50:.1f}, p99 {alone.p99:.1f} ms",
                f"{CLIENTS} at once: p50 {at_once.p50:.1f}, p99 {at_once.p99:.1f} ms",
            )
        self.figures["operations"] = asdict(measured)
        self.grid.add_section()

    def billing(self, measured: Measured) -> None:
        """What billing works out and issues."""
        self.begin("billing")
        ratio = measured.documents / measured.bare
        rows = (
            ("dues with their reasons", f"{measured.dues:,.0f}/s", "20,000/s", measured.dues >= 20_000),
            (f"simulation of {MEMBERS} members", f"{measured.simulation:.2f} s", "< 1 s", measured.simulation < 1),
            (
                f"documents with line, days, entry and outbox, in chunks of {CHUNK}",
                f"{measured.documents:,.0f}/s; bare asyncpg {measured.bare:,.0f}/s: {ratio:.2f} ×",
                "0.5 ×",
                ratio >= 0.5,
            ),
            (
                f"{RUN:,} documents in one transaction",
                f"{measured.at_once:,.0f}/s; memory grows by {measured.grown:.0f} MB",
                "flat: < 50 MB",
                measured.grown < 50,
            ),
            ("PDF/A-3 with Factur-X", f"{measured.pages:.1f}/s a core", "15/s", measured.pages >= 15),
        )
        for row in rows:
            self.line(*row)
        self.figures["billing"] = asdict(measured) | {"ratio": ratio}
        self.grid.add_section()

    def mail(self, measured: Mailed) -> None:
        """What communications sends, beside a loop that knows no queue and no objection."""
        self.begin("mail")
        ratio = measured.mails / measured.bare
        self.line(
            f"mails with DKIM on {CONNECTIONS} connections",
            f"{measured.mails:,.0f}/s; bare aiosmtplib {measured.bare:,.0f}/s: {ratio:.2f} × "
            f"({measured.lowest:.2f} to {measured.highest:.2f})",
            "0.6 ×",
            ratio >= 0.6,
        )
        self.line(
            "processor of a mail", f"{measured.processor:.1f} ms; bare aiosmtplib {measured.bare_processor:.1f} ms"
        )
        self.line(
            f"memory over {MANY:,} mails", f"grows by {measured.grown:.0f} MB", "flat: < 30 MB", measured.grown < 30
        )
        self.figures["mail"] = asdict(measured) | {"ratio": ratio}
        self.grid.add_section()

    def replicas(self, replicas: list[Replicas]) -> None:
        """What more processes bring."""
        self.begin("replicas")
        for replica in replicas:
            alone = replica.rates(1)
            published = ", ".join(
                f"{count}: {median(rates):,.0f}/s{spread(ratios, replica.is_quiet)}"
                for count in COUNTS
                for rates in (replica.rates(count),)
                for ratios in ([rate / entry for rate, entry in zip(rates, alone, strict=True)],)
            )
            self.line(f"replicas of {replica.service}, {replica.facts:,} single messages", published)
        self.figures["replicas"] = [asdict(replica) for replica in replicas]
        self.grid.add_section()

    def linking(self, item: Linking) -> None:
        """What it brings to publish records first."""
        self.begin("linking")
        for way in WAYS:
            runs = item.of(way)
            rates, cpu = [run.per_second for run in runs], median(run.cpu_us for run in runs)
            ratio = spread(item.ratios(way), item.is_quiet) if way != WAYS[0] else ""
            self.line(
                f"{item.records:,} new records, {way[0]} process{'es' if way[0] > 1 else ''}, "
                f"{'published first' if way[1] else 'all with the turn'}",
                f"{median(rates):,.0f}/s ({min(rates):,.0f} to {max(rates):,.0f}), {cpu:,.0f} µs CPU a record, "
                f"{median(run.turn for run in runs):.0%} of the time with the turn{ratio}",
            )
        self.figures["linking"] = asdict(item)
        self.grid.add_section()

    def imported(self, item: Import) -> None:
        """Export rows to views."""
        self.begin("journey")
        comparable = item.rows >= 10_000
        self.line(
            f"{item.rows:,} export rows → {item.views:,} readable views ({item.rejected} rejected)",
            f"{item.seconds:.1f} s",
            f"≤ {WIZARD_SECONDS} s: Dolibarr's wizard for 10,000, flat (measured elsewhere)",
            item.seconds <= WIZARD_SECONDS if comparable else None,
        )
        self.figures["import"] = asdict(item) | {"wizard_seconds": WIZARD_SECONDS}

    def latency(self, item: Latency) -> None:
        """From publish to readable."""
        self.begin("journey")
        self.line(
            f"publish → readable at the HTTP gateway, {item.rate:.0f}/s × {item.messages:,}",
            f"p50 {item.p50:.0f}  p95 {item.p95:.0f}  p99 {item.p99:.0f} ms",
            f"p99 ≤ {P99_TARGET:.0f} ms (looked for every 5 ms)",
            item.p99 <= P99_TARGET,
        )
        self.figures["latency_ms"] = asdict(item)

    def reads(self, item: Reads) -> None:
        """HTTP."""
        self.begin("journey")
        self.line(f"reads of one view, {item.bytes:,} bytes, 32 clients", f"{item.one_view:,.0f}/s")
        self.line("reads of 1,000 views in turn", f"{item.many_views:,.0f}/s")
        self.line("FastAPI, constant bytes of that length", f"{item.constant:,.0f}/s")
        self.line("ratio one view / constant", f"{item.ratio:.2f}", f"≥ {READS_TARGET}", item.ratio >= READS_TARGET)
        self.figures["reads"] = asdict(item) | {"ratio": item.ratio}

    def memory(self, result: dict[str, tuple[float, float]]) -> None:
        """Of the four services after all that."""
        self.begin("journey")
        for service, (now, peak) in result.items():
            self.line(f"memory of {service}", f"{now:,.0f} MB", f"peak {peak:,.0f} MB")
        self.figures["memory_mb"] = {service: {"rss": now, "peak": peak} for service, (now, peak) in result.items()}
        self.grid.add_section()

    def growth(self, item: Growth) -> None:
        """What a record costs as the house grows."""
        self.begin("growth")
        self.line(
            f"(m) membership, batches of 500: {item.records:,} records → {item.views:,} views",
            f"{item.records_per_second:,.0f} records/s",
            f"{item.views_per_second:,.0f} views/s, {item.rss_mb:,.0f} MB, peak {item.peak_mb:,.0f} MB",
        )
        for step in item.steps:
            self.line(
                f"    up to {step.records:,} records",
                f"{step.average_us:,.0f} µs each",
                f"the last ones {step.marginal_us:,.0f} µs each",
            )
        self.line("    growth: seconds ~ records^k", f"k = {item.exponent:.2f}", "1 is linear")
        self.figures["growth"] = asdict(item)

    def recognition(self, recognition: Recognition) -> None:
        """What it costs to recognise a record as the house grows, and where the time goes."""
        self.begin("recognition")
        for step in recognition.steps:
            promise, met = _recognition_promise(step)
            self.line(
                f"recognition, batches of 500, up to {step.records:,} records in {step.seconds:,.0f} s",
                f"{step.average_us:,.0f} µs each",
                f"{promise}the last ones {step.marginal_us:,.0f} µs each: {_shares(step.parts_us)}",
                met,
            )
        self.line(
            "    growth: seconds ~ records^k",
            f"k = {recognition.exponent:.2f}",
            f"k ≤ {RECOGNISED_GROWTH}; 1 is linear",
            recognition.exponent <= RECOGNISED_GROWTH,
        )
        single = recognition.single
        self.line(
            f"    one new record among {single.records:,}",
            f"p50 {single.p50:.1f}  p95 {single.p95:.1f}  p99 {single.p99:.1f} ms",
            f"p50 ≤ {RECOGNISED_P50:.0f}, p99 ≤ {RECOGNISED_P99:.0f} ms, with its commit: {_shares(single.parts_ms)}",
            single.p50 <= RECOGNISED_P50 and single.p99 <= RECOGNISED_P99,
        )
        self.figures["recognition"] = asdict(recognition)

    def matching(self, matching: Matching) -> None:
        """How well companies are recognised, beside other ways."""
        self.begin("matching")
        self.line(f"{matching.records:,} records of made-up companies, {matching.true_pairs:,} pairs that are one", "")
        for name, way in matching.ways.items():
            wrong = f"{way.wrong} wrong pair{'' if way.wrong == 1 else 's'}"
            after = (
                f"after review {_range(way.reviewed)}, asked of 1,000 {_range(way.asked)}; " if any(way.asked) else ""
            )
            self.line(
                f"    {name}: merged without a person",
                f"{wrong}, recall {_range(way.recall)}",
                f"{after}{way.seconds:.1f} s",
                way.wrong == 0 if name == "Traboule" else None,
            )
        self.figures["matching"] = asdict(matching)
        self.grid.add_section()

    def missing(self, what: str, why: str) -> None:
        """A part that could not be measured, and why; the README keeps its figures."""
        self.line(what, "[red]failed[/]", why)
        self.parts.pop(what, None)
        self.figures.setdefault("failed", {})[what] = why

    def show(self, path: Path, seconds: float) -> None:
        """Print the table and write the JSON."""
        self.figures["seconds"] = round(seconds, 1)
        path.write_text(json.dumps(self.figures, indent=2, ensure_ascii=False) + "\n")
        console = Console(width=None if Console().is_terminal else 150)
        console.print(self.grid)
        servers = ", ".join(f"{name} {version}" for name, version in self.figures["servers"].items())
        console.print(
            f"{os.cpu_count()} cores for servers, services and clients together; {servers}. Durable quorum queues, "
            "persistent messages, synchronous commit, about 1 KB each.\nEvery lane finds its messages in the queue and "
            "writes the same invoices (compared); rates run from the first transaction's begin to the last one's.\n"
            "The relay runs in (a) and (b); nobody publishes the outbox in the others. CPU is that of the lane's own "
            "processes, for each fact.\n"
            f"{seconds:.0f} s. The same as JSON: {path.relative_to(Path.cwd())}"
        )


def _recognition_promise(step: Step) -> tuple[str, bool | None]:
    """What is promised for so many records, and whether it was kept."""
    if step.records == 10_000:
        return f"≤ {RECOGNISED_AT_10_000:,.0f} µs; ", step.average_us <= RECOGNISED_AT_10_000
    if step.records == 100_000:
        return f"≤ {RECOGNISED_ALL:,.0f} s; ", step.seconds <= RECOGNISED_ALL
    return "", None


def _range(result: list[float]) -> str:
    """From the least to the most of all draws."""
    return f"{min(result):g}–{max(result):g}"


def _shares(parts: dict[str, float]) -> str:
    """The largest first: ``by name 41 %, writing 23 %``."""
    total = sum(parts.values())
    largest = sorted(parts.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {part / total:.0%}" for name, part in largest if part / total >= 0.005)
