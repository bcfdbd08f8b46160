"""A reader sees a file whole: none has more than 300 lines, but for tables of data."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST_LINES = 300
DATA = frozenset(
    ("deploy/demo/companies.py", "deploy/demo/words.py", "schemas/examples.py", "services/membership/tables.py")
)


def lines_of(folder: str) -> dict[str, int]:
    return {
        path.relative_to(ROOT).as_posix(): path.read_text("utf-8").count("\n")
        for path in sorted((ROOT / folder).rglob("*.py"))
    }


def test_no_file_is_longer() -> None:
    lines = {
        path: count
        for folder in ("services", "shared", "schemas", "deploy")
        for path, count in lines_of(folder).items()
    }
    assert len(lines) > 500
    assert {path for path, count in lines.items() if count > MOST_LINES} == DATA
