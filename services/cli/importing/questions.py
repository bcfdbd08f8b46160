"""What an import asks: words for a member's status that nobody has given a meaning."""

from rich.console import Console
from rich.markup import escape

from services.cli.importing.file_report import FileReport
from services.cli.importing.reading import FormerSystem
from services.membership.legacy.meanings import MEANINGS
from shared.importing.languages import in_both


def print_questions(out: Console, report: FileReport, former: FormerSystem) -> None:
    """Each word with how many records have it, and the lines of the clusters file that answer."""
    if not report.questions:
        return
    name = report.path.name
    unknown = [(column, word, asked) for (column, word), asked in report.questions.items() if word]
    for (column, word), asked in report.questions.items():
        if not word:
            asking = in_both(
                f"{name} : on ne sait pas qui est adhérent parmi {asked.count} lignes, car le fichier n'a pas la "
                f"colonne « {column} » : cochez-la et exportez de nouveau. Aucune ne compte comme adhérent.",
                f"{name}: who is a member is not known of {asked.count} rows, since the column "
                f'"{column}" is not in the file: tick it and export again. None of them counts as a member.',
            )
            out.print(f"[yellow]{escape(asking)}")
    for column, word, asked in unknown:
        lines = ", ".join(str(line) for line, _ in asked.examples)
        asking = in_both(
            f"{name} : {column} « {word} » fait-il un adhérent ? {asked.count} lignes, dont {lines}. Sans réponse, "
            "elles ne comptent pas comme adhérents.",
            f'{name}: does {column} "{word}" make a member? {asked.count} rows, such as line {lines}. Until it is '
            "answered they count as none.",
        )
        out.print(f"[yellow]{escape(asking)}")
    if unknown:
        words = ", ".join(f'"{word}" = "…"' for _, word, _ in unknown)
        section, meanings = f"[clusters.{former.cluster}]", ", ".join(MEANINGS)
        answering = in_both(
            f"Répondez dans le fichier des clusters, sous {section}, et importez de nouveau ; … est {meanings} :",
            f"Answer in the clusters file under {section} and import again; … is {meanings}:",
        )
        out.print(escape(answering))
        out.print(escape(f"statuses = {{ {former.service} = {{ {words} }} }}"))
