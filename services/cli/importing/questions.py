"""What an import asks: words for a member's status that nobody has given a meaning."""

from rich.console import Console
from rich.markup import escape

from services.cli.importing.reading import FileReport, FormerSystem
from services.membership.legacy.meanings import MEANINGS


def print_questions(out: Console, report: FileReport, former: FormerSystem) -> None:
    """Each word with how many records have it, and the lines of the clusters file that answer."""
    if not report.questions:
        return
    name = escape(report.path.name)
    unknown = [(column, word, asked) for (column, word), asked in report.questions.items() if word]
    for (column, word), asked in report.questions.items():
        if not word:
            out.print(
                f"[yellow]{name}: who is a member is not known of {asked.count} rows, since the column "
                f'"{escape(column)}" is not in the file: tick it and export again. None of them counts as a member.'
            )
    for column, word, asked in unknown:
        lines = ", ".join(str(line) for line, _ in asked.examples)
        out.print(
            f'[yellow]{name}: does {escape(column)} "{escape(word)}" make a member? {asked.count} rows, such as line '
            f"{lines}. Until it is answered they count as none."
        )
    if unknown:
        words = ", ".join(f'"{word}" = "…"' for _, word, _ in unknown)
        out.print(
            f"Answer in the clusters file under {escape(f'[clusters.{former.cluster}]')} and import again; "
            f"… is {', '.join(MEANINGS)}:"
        )
        out.print(escape(f"statuses = {{ {former.service} = {{ {words} }} }}"))
