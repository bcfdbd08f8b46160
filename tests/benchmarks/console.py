"""Lines of the report on pages for staff."""

from dataclasses import asdict
from statistics import median

from tests.benchmarks.pages import PEOPLE, Page, Pages
from tests.benchmarks.report import Report

PAGE_P50, PAGE_P95, PART_P95 = 40.0, 100.0, 60.0
"""Milliseconds."""
COLD, WARM, REQUESTS = 100_000, 15_000, 8
CLICKED_P99 = 100.0
CONSUMED = 0.95


def pages(report: Report, measured: Pages) -> None:
    """How long pages take and weigh, and what they cost the messages."""
    report.begin("pages")
    for page in measured.pages:
        kept = page.p50 <= PAGE_P50 and page.p95 <= PAGE_P95 and page.bytes <= WARM
        report.line(_what(page, measured.members), _result(page), "p50 ≤ 40, p95 ≤ 100 ms; ≤ 15 kB", kept)
    for part in measured.fragments:
        report.line(_what(part, measured.members), _result(part), "p95 ≤ 60 ms", part.p95 <= PART_P95)
    report.line(
        "a browser that has nothing yet",
        f"{measured.cold_bytes / 1000:.0f} kB in {measured.cold_requests} requests",
        "≤ 100 kB, ≤ 8",
        measured.cold_bytes <= COLD and measured.cold_requests <= REQUESTS,
    )
    report.line(
        f"from publish to view at 100/s while {PEOPLE} people click once a second",
        f"p99 {measured.clicked.p99:.0f} ms; without them {measured.alone.p99:.0f} ms",
        "≤ 100 ms",
        measured.clicked.p99 <= CLICKED_P99,
    )
    for process, ratios in (("in one process", measured.consumed), ("the gateway in its own", measured.apart)):
        report.line(
            f"messages taken in at full speed while {PEOPLE} people click, beside without them; {process}",
            f"{median(ratios):.2f} × ({min(ratios):.2f} to {max(ratios):.2f})",
            "≥ 0.95 ×",
            median(ratios) >= CONSUMED,
        )
    report.figures["pages"] = asdict(measured)
    report.grid.add_section()


def _what(page: Page, members: int) -> str:
    return f"{page.name}, {members:,} members"


def _result(page: Page) -> str:
    return f"p50 {page.p50:.1f}, p95 {page.p95:.1f} ms; {page.bytes / 1000:.1f} kB"
