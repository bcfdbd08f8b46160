"""Lines of the report on rates: lanes, replicas, moves, documents, mails."""

from collections.abc import Sequence
from dataclasses import asdict
from statistics import median

from tests.benchmarks.billing import CHUNK, MEMBERS, RUN, Measured
from tests.benchmarks.lanes import Ratio, Result
from tests.benchmarks.linking import WAYS, Linking
from tests.benchmarks.mail import CONNECTIONS, MANY
from tests.benchmarks.mail import Measured as Mailed
from tests.benchmarks.operations import CLIENTS, Operations
from tests.benchmarks.registering import PER_SECOND, Registering
from tests.benchmarks.replicas import COUNTS, Replicas
from tests.benchmarks.report import Report
from tests.benchmarks.seats import BATCH as SEATS_BATCH
from tests.benchmarks.seats import SESSIONS as SEATS_SESSIONS
from tests.benchmarks.seats import Measured as Seated
from tests.benchmarks.switching import WRITTEN, Switching


def spread(ratios: Sequence[float], is_quiet: bool) -> str:
    """The median of a ratio and how far it went; nothing that means nothing, where others used the machine."""
    if not is_quiet:
        return "; no ratio: others used the machine"
    return f"; {median(ratios):.2f} × ({min(ratios):.2f} to {max(ratios):.2f})"


def lanes(report: Report, results: dict[str, Result], ratios: list[Ratio]) -> None:
    """Rates, ratios, memory of each lane."""
    report.begin("lanes")
    for letter, result in results.items():
        rates = f"{min(result.rates):,.0f}–{max(result.rates):,.0f}"
        per = result.facts / (sum(result.transactions) / len(result.transactions))
        report.line(
            f"({letter}) {result.lane.title}",
            f"{result.rate:,.0f} facts/s",
            f"{rates}; {median(result.cpu):,.0f} µs CPU, {max(result.memory):,.0f} MB, {per:,.0f} a transaction",
        )
    for ratio in ratios:
        spread = f"{ratio.value:.2f} ({min(ratio.rounds):.2f}–{max(ratio.rounds):.2f})"
        report.line(f"ratio {ratio.name}", spread, f"≥ {ratio.target:g}", ratio.met)
    report.figures["lanes"] = {
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
    report.figures["ratios"] = [asdict(ratio) | {"met": ratio.met} for ratio in ratios]
    report.grid.add_section()


def switching(report: Report, item: Switching) -> None:
    """A switch and a rollback in the middle of traffic."""
    report.begin("switching")
    report.line(
        "a switch under 200 messages/s and 20 commands/s: commands refused for",
        f"{item.refused:.2f} s",
        f"< 1 s; the move itself {item.switch * 1000:,.0f} ms",
        item.refused < 1,
    )
    report.line(
        f"a rollback with {WRITTEN:,} records written here: the command that waited longest",
        f"{item.waited:.2f} s",
        f"< 1 s; the rollback {item.rollback * 1000:,.0f} ms",
        item.waited < 1,
    )
    report.line(
        f"{item.messages:,} messages: applied {item.applied:,}, quarantined {item.quarantined:,}; "
        f"{item.carried_out} of {item.commands} commands carried out",
        f"{item.lost} lost",
        f"none; a command takes p50 {item.p50:.0f}, p99 {item.p99:.0f} ms",
        item.lost == 0,
    )
    report.figures["switching"] = asdict(item)
    report.grid.add_section()


def operations(report: Report, measured: Operations) -> None:
    """What another service is asked over the broker."""
    report.begin("operations")
    for name, alone, at_once in (
        ("query", measured.query_alone, measured.query_at_once),
        ("command", measured.command_alone, measured.command_at_once),
    ):
        report.line(
            f"a {name} of billing over HTTP, {alone.answers:,} by one person",
            f"p50 {alone.p50:.1f}, p99 {alone.p99:.1f} ms",
            f"{CLIENTS} at once: p50 {at_once.p50:.1f}, p99 {at_once.p99:.1f} ms",
        )
    report.figures["operations"] = asdict(measured)
    report.grid.add_section()


def billing(report: Report, measured: Measured) -> None:
    """What billing works out and issues."""
    report.begin("billing")
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
        report.line(*row)
    report.figures["billing"] = asdict(measured) | {"ratio": ratio}
    report.grid.add_section()


def mail(report: Report, measured: Mailed) -> None:
    """What communications sends, beside a loop that knows no queue and no objection."""
    report.begin("mail")
    ratio = measured.mails / measured.bare
    report.line(
        f"mails with DKIM on {CONNECTIONS} connections",
        f"{measured.mails:,.0f}/s; bare aiosmtplib {measured.bare:,.0f}/s: {ratio:.2f} × "
        f"({measured.lowest:.2f} to {measured.highest:.2f})",
        "0.6 ×",
        ratio >= 0.6,
    )
    report.line("processor of a mail", f"{measured.processor:.1f} ms; bare aiosmtplib {measured.bare_processor:.1f} ms")
    report.line(
        f"memory over {MANY:,} mails", f"grows by {measured.grown:.0f} MB", "flat: < 30 MB", measured.grown < 30
    )
    report.figures["mail"] = asdict(measured) | {"ratio": ratio}
    report.grid.add_section()


def replicas(report: Report, replicas: list[Replicas]) -> None:
    """What more processes bring."""
    report.begin("replicas")
    for replica in replicas:
        alone = replica.rates(1)
        published = ", ".join(
            f"{count}: {median(rates):,.0f}/s{spread(ratios, replica.is_quiet)}"
            for count in COUNTS
            for rates in (replica.rates(count),)
            for ratios in ([rate / entry for rate, entry in zip(rates, alone, strict=True)],)
        )
        report.line(f"replicas of {replica.service}, {replica.facts:,} single messages", published)
    report.figures["replicas"] = [asdict(replica) for replica in replicas]
    report.grid.add_section()


def linking(report: Report, item: Linking) -> None:
    """What it brings to publish records first."""
    report.begin("linking")
    for way in WAYS:
        runs = item.of(way)
        rates, cpu = [run.per_second for run in runs], median(run.cpu_us for run in runs)
        ratio = spread(item.ratios(way), item.is_quiet) if way != WAYS[0] else ""
        report.line(
            f"{item.records:,} new records, {way[0]} process{'es' if way[0] > 1 else ''}, "
            f"{'published first' if way[1] else 'all with the turn'}",
            f"{median(rates):,.0f}/s ({min(rates):,.0f} to {max(rates):,.0f}), {cpu:,.0f} µs CPU a record, "
            f"{median(run.turn for run in runs):.0%} of the time with the turn{ratio}",
        )
    report.figures["linking"] = asdict(item)
    report.grid.add_section()


def seats(report: Report, measured: Seated) -> None:
    """How fast seats are given, beside a row lock that keeps one row of each registration."""
    report.begin("seats")
    report.line(
        f"registrations of 1 to 5 people for one session, in batches of {SEATS_BATCH}",
        f"{measured.hot:,.0f}/s; bare row lock {measured.bare:,.0f}/s: {measured.ratio:.2f} × "
        f"({measured.lowest:.2f} to {measured.highest:.2f})",
        "0.3 ×",
        measured.ratio >= 0.3,
    )
    report.line(f"the same for {SEATS_SESSIONS} sessions", f"{measured.many:,.0f}/s")
    report.line(
        "from a cancellation to the offer of the next of 10,000 who wait",
        f"{measured.promotion:.0f} ms at most",
        "< 1 s",
        measured.promotion < 1000,
    )
    report.figures["seats"] = asdict(measured)
    report.grid.add_section()


def registering(report: Report, measured: Registering) -> None:
    """How long somebody who registers over HTTP waits for the answer."""
    report.begin("registering")
    report.line(
        f"a registration over HTTP, {measured.count:,} at {PER_SECOND} a second",
        f"p50 {measured.p50:.1f}, p99 {measured.p99:.1f}, worst {measured.worst:.0f} ms",
        "p99 ≤ 100 ms",
        measured.p99 <= 100,
    )
    report.figures["registering"] = asdict(measured)
    report.grid.add_section()
