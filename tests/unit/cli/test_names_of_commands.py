"""What ``traboule --help`` shows, and the names that it still understands from the version before."""

import re

import pytest
from typer.testing import CliRunner

from services.cli.main import app

PANELS = ("Run and watch", "Members", "Move a former system over", "Back up and restore", "Let in")


def shown(*arguments: str) -> str:
    answer = CliRunner().invoke(app, [*arguments, "--help"], env={"COLUMNS": "80", "TERM": "dumb"})
    assert answer.exit_code == 0, answer.output
    return answer.output


def test_every_command_is_in_a_panel_and_fits_80_columns() -> None:
    text = shown()
    assert [title for title in PANELS if f"─ {title} ─" in text] == list(PANELS)
    assert "─ Commands ─" not in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(
    ("former", "now"),
    [(("retell",), ("republish",)), (("cutover", "open"), ("cutover", "check")),
     (("cutover", "way-back"), ("cutover", "write-back"))],
)  # fmt: skip
def test_a_former_name_does_the_same_and_is_not_listed(former: tuple[str, ...], now: tuple[str, ...]) -> None:
    def options(text: str) -> set[str]:
        return set(re.findall(r"--[a-z-]+", text))

    assert options(shown(*former)) == options(shown(*now))
    listed = re.findall(r"^│ (\S+) ", shown(*now[:-1]), re.MULTILINE)
    assert now[-1] in listed
    assert former[-1] not in listed
