"""Lines of the report on the way from an export to views, and on what a record costs as there are more."""

from dataclasses import asdict

from tests.benchmarks.journey import WIZARD_SECONDS, Import, Latency, Reads
from tests.benchmarks.matching import Matching
from tests.benchmarks.members import Growth
from tests.benchmarks.recognition import Recognition, Step
from tests.benchmarks.report import Report
from tests.benchmarks.taking import STEPS, Taking

READS_TARGET, P99_TARGET = 0.45, 250.0
RECOGNISED_P50, RECOGNISED_P99 = 5.0, 20.0
RECOGNISED_AT_10_000, RECOGNISED_ALL, RECOGNISED_GROWTH = 400.0, 300.0, 1.15
"""µs for each of 10,000 records, seconds for 100,000, and the exponent."""
TAKEN_GROWTH, TAKEN_MB = 1.05, 300.0
"""From 1,000 to 100,000 records, and the memory of the process that has taken them in."""


def imported(report: Report, item: Import) -> None:
    """Export rows to views."""
    report.begin("journey")
    comparable = item.rows >= 10_000
    report.line(
        f"{item.rows:,} export rows → {item.views:,} readable views ({item.rejected} rejected)",
        f"{item.seconds:.1f} s",
        f"≤ {WIZARD_SECONDS} s: Dolibarr's wizard for 10,000, flat (measured elsewhere)",
        item.seconds <= WIZARD_SECONDS if comparable else None,
    )
    report.figures["import"] = asdict(item) | {"wizard_seconds": WIZARD_SECONDS}


def latency(report: Report, item: Latency) -> None:
    """From publish to readable."""
    report.begin("journey")
    report.line(
        f"publish → readable at the HTTP gateway, {item.rate:.0f}/s × {item.messages:,}",
        f"p50 {item.p50:.0f}  p95 {item.p95:.0f}  p99 {item.p99:.0f} ms",
        f"p99 ≤ {P99_TARGET:.0f} ms (looked for every 5 ms)",
        item.p99 <= P99_TARGET,
    )
    report.figures["latency_ms"] = asdict(item)


def reads(report: Report, item: Reads) -> None:
    """HTTP."""
    report.begin("journey")
    report.line(f"reads of one view, {item.bytes:,} bytes, 32 clients", f"{item.one_view:,.0f}/s")
    report.line("reads of 1,000 views in turn", f"{item.many_views:,.0f}/s")
    report.line("FastAPI, constant bytes of that length", f"{item.constant:,.0f}/s")
    report.line("ratio one view / constant", f"{item.ratio:.2f}", f"≥ {READS_TARGET}", item.ratio >= READS_TARGET)
    report.figures["reads"] = asdict(item) | {"ratio": item.ratio}


def memory(report: Report, result: dict[str, tuple[float, float]]) -> None:
    """Of the four services after all that."""
    report.begin("journey")
    for service, (now, peak) in result.items():
        report.line(f"memory of {service}", f"{now:,.0f} MB", f"peak {peak:,.0f} MB")
    report.figures["memory_mb"] = {service: {"rss": now, "peak": peak} for service, (now, peak) in result.items()}
    report.grid.add_section()


def growth(report: Report, item: Growth) -> None:
    """What a record costs as the house grows."""
    report.begin("growth")
    report.line(
        f"(m) membership, batches of 500: {item.records:,} records → {item.views:,} views",
        f"{item.records_per_second:,.0f} records/s",
        f"{item.views_per_second:,.0f} views/s, {item.rss_mb:,.0f} MB, peak {item.peak_mb:,.0f} MB",
    )
    for step in item.steps:
        report.line(
            f"    up to {step.records:,} records",
            f"{step.average_us:,.0f} µs each",
            f"the last ones {step.marginal_us:,.0f} µs each",
        )
    report.line("    growth: seconds ~ records^k", f"k = {item.exponent:.2f}", "1 is linear")
    report.figures["growth"] = asdict(item)


def taking(report: Report, item: Taking) -> None:
    """What it costs one process to take a record in as there are more, and its memory."""
    report.begin("taking")
    for step in item.steps:
        promised = step.records == STEPS[-1]
        promise = f" (promise ≤ {TAKEN_MB:.0f} MB)" if promised else ""
        report.line(
            f"{step.records:,} records, µs of processor each, process + database",
            f"{step.process_us:,.0f} + {step.database_us:,.0f}; "
            f"the last ones {step.last_process_us:,.0f} + {step.last_database_us:,.0f}",
            f"{step.memory:,.0f} MB, peak {step.peak:,.0f} MB{promise}",
            step.memory <= TAKEN_MB if promised else None,
        )
    report.line(
        "growth: processor time ~ records^k",
        f"k = {item.exponent:.2f}",
        f"k ≤ {TAKEN_GROWTH}; 1 is linear",
        item.exponent <= TAKEN_GROWTH if item.steps[-1].records == STEPS[-1] else None,
    )
    report.figures["taking"] = asdict(item)


def recognition(report: Report, recognition: Recognition) -> None:
    """What it costs to recognise a record as the house grows, and where the time goes."""
    report.begin("recognition")
    for step in recognition.steps:
        promise, met = _recognition_promise(step)
        report.line(
            f"recognition, batches of 500, up to {step.records:,} records in {step.seconds:,.0f} s",
            f"{step.average_us:,.0f} µs each",
            f"{promise}the last ones {step.marginal_us:,.0f} µs each: {_shares(step.parts_us)}",
            met,
        )
    report.line(
        "    growth: seconds ~ records^k",
        f"k = {recognition.exponent:.2f}",
        f"k ≤ {RECOGNISED_GROWTH}; 1 is linear",
        recognition.exponent <= RECOGNISED_GROWTH,
    )
    single = recognition.single
    report.line(
        f"    one new record among {single.records:,}",
        f"p50 {single.p50:.1f}  p95 {single.p95:.1f}  p99 {single.p99:.1f} ms",
        f"p50 ≤ {RECOGNISED_P50:.0f}, p99 ≤ {RECOGNISED_P99:.0f} ms, with its commit: {_shares(single.parts_ms)}",
        single.p50 <= RECOGNISED_P50 and single.p99 <= RECOGNISED_P99,
    )
    report.figures["recognition"] = asdict(recognition)


def matching(report: Report, matching: Matching) -> None:
    """How well companies are recognised, beside other ways."""
    report.begin("matching")
    report.line(f"{matching.records:,} records of made-up companies, {matching.true_pairs:,} pairs that are one", "")
    for name, way in matching.ways.items():
        wrong = f"{way.wrong} wrong pair{'' if way.wrong == 1 else 's'}"
        after = f"after review {_range(way.reviewed)}, asked of 1,000 {_range(way.asked)}; " if any(way.asked) else ""
        report.line(
            f"    {name}: merged without a person",
            f"{wrong}, recall {_range(way.recall)}",
            f"{after}{way.seconds:.1f} s",
            way.wrong == 0 if name == "Traboule" else None,
        )
    report.figures["matching"] = asdict(matching)
    report.grid.add_section()


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
