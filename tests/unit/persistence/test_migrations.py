"""What runs while processes of the version before are still there only adds; the rest says that it must wait."""

import ast
from pathlib import Path

import pytest

import services

FOLDER = Path(services.__path__[0])
MIGRATIONS = sorted(FOLDER.glob("*/migrations/versions/*.py"))
TAKES_AWAY = {
    "drop_table", "drop_column", "drop_constraint", "drop_index", "rename_table", "create_unique_constraint",
    "create_foreign_key", "create_exclude_constraint",
}  # fmt: skip
BRINGS = {"create_table", "add_column"}
BEFORE_THE_FIRST_RELEASE = {("membership", "0003_decisions")}
WORDS = ("drop ", "rename ", "truncate ", "set not null", "delete from", "add constraint")


def functions_of(source: str) -> dict[str, ast.FunctionDef]:
    return {item.name: item for item in ast.parse(source).body if isinstance(item, ast.FunctionDef)}


STEPS = functions_of((FOLDER / "common" / "migration_steps.py").read_text("utf-8"))


def operations_of(source: str) -> list[ast.Call]:
    """What a migration's upgrade does, by itself and by the steps that it shares with others."""
    calls = [item for item in ast.walk(functions_of(source)["upgrade"]) if isinstance(item, ast.Call)]
    shared = [STEPS[name] for call in calls if (name := ast.unparse(call.func)) in STEPS]
    calls += [item for step in shared for item in ast.walk(step) if isinstance(item, ast.Call)]
    return [call for call in calls if ast.unparse(call.func).startswith("op.")]


def breaks_the_version_before(source: str) -> list[str]:
    """What of a migration's upgrade the version before could not live with."""
    calls = operations_of(source)
    tables = {text(item.args[0]) for item in calls if verb(item) == "create_table"}
    columns = {text(column_of(item).args[0]) for item in calls if verb(item) == "add_column"}
    return [f"line {item.lineno}: {ast.unparse(item)[:80]}" for item in calls if breaks(item, tables, columns)]


def breaks(call: ast.Call, tables: set[str], columns: set[str]) -> bool:
    """``tables`` and ``columns`` are those that the migration itself makes: the version before does not know them."""
    options = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    match verb(call):
        case "add_column":
            column = {keyword.arg: ast.unparse(keyword.value) for keyword in column_of(call).keywords}
            return column.get("nullable") == "False" and "server_default" not in column
        case "alter_column":
            return options.get("nullable") == "False" or bool({"new_column_name", "type_"} & options.keys())
        case "create_check_constraint":
            return not any(column in text(call.args[2]) for column in columns)
        case "create_index":
            return options.get("unique") == "True" and text(call.args[1]) not in tables
        case "execute":
            # A trigger that fires on truncate takes nothing away itself.
            sql = ast.unparse(call.args[0]).lower().replace("after truncate on", "")
            return any(word in sql for word in WORDS)
        case name:
            return name in TAKES_AWAY


def verb(call: ast.Call) -> str:
    """What the operation is called."""
    assert isinstance(call.func, ast.Attribute)
    return call.func.attr


def column_of(call: ast.Call) -> ast.Call:
    """The column that ``op.add_column`` adds."""
    assert isinstance(call.args[1], ast.Call)
    return call.args[1]


def text(node: ast.expr) -> str:
    """What a literal says."""
    assert isinstance(node, ast.Constant), "names in migrations are literals"
    return str(node.value)


@pytest.mark.parametrize("path", MIGRATIONS, ids=lambda path: f"{path.parents[2].name}-{path.stem}")
def test_a_migration_that_the_version_before_cannot_live_with_says_so(path: Path) -> None:
    source = path.read_text("utf-8")
    warns = 'phase = "post"' in source
    assert bool(breaks_the_version_before(source)) == warns, breaks_the_version_before(source) or "it only adds"


def brings(source: str) -> list[str]:
    """What of a migration's upgrade a program could not run without."""
    return [
        ast.unparse(item)[:80]
        for item in operations_of(source)
        if verb(item) in BRINGS or "create " in ast.unparse(item).lower()
    ]


@pytest.mark.parametrize("path", MIGRATIONS, ids=lambda path: f"{path.parents[2].name}-{path.stem}")
def test_a_migration_that_waits_brings_nothing_for_the_new_program_runs_before_it(path: Path) -> None:
    source = path.read_text("utf-8")
    if 'phase = "post"' in source and (path.parents[2].name, path.stem) not in BEFORE_THE_FIRST_RELEASE:
        assert brings(source) == [], "these belong to a migration of their own, before this one"


def test_what_brings_something_is_found() -> None:
    well = 'def upgrade():\n    op.execute("update t set c = d")\n    op.drop_column("t", "d")\n'
    assert brings(well) == []
    assert len(brings(well + '    op.add_column("t", sa.Column("c"))\n    op.execute("create sequence s")\n')) == 2


def test_the_steps_that_migrations_share_are_looked_at_too() -> None:
    assert len(brings("def upgrade():\n    make_write_access()\n")) == 1
    assert breaks_the_version_before("def upgrade():\n    drop_write_access()\n")
    assert not breaks_the_version_before('def upgrade():\n    mark_changes("accounts", ("invoices",))\n')


@pytest.mark.parametrize(
    ("operation", "waits"),
    [
        ('op.add_column("t", sa.Column("c", sa.Text(), nullable=False))', True),
        ('op.add_column("t", sa.Column("c", sa.Text(), nullable=False, server_default="x"))', False),
        ('op.add_column("t", sa.Column("c", sa.Text()))', False),
        ('op.drop_column("t", "c")', True),
        ('op.drop_table("t")', True),
        ('op.rename_table("t", "u")', True),
        ('op.alter_column("t", "c", nullable=False)', True),
        ('op.alter_column("t", "c", new_column_name="d")', True),
        ('op.alter_column("t", "c", comment="said better")', False),
        ('op.create_check_constraint("k", "t", "c in (1)")', True),
        ('op.create_index("i", "t", ["c"])', False),
        ('op.create_index("i", "t", ["c"], unique=True)', True),
        ('op.execute("alter table t drop column c")', True),
        ('op.execute("create sequence s")', False),
    ],
)  # fmt: skip
def test_what_takes_away_or_forbids_is_found(operation: str, waits: bool) -> None:
    assert bool(breaks_the_version_before(f"def upgrade():\n    {operation}\n")) == waits
