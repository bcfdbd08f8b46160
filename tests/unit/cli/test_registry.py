"""Every service has one definition, and nothing finds its parts by a name that was put together."""

import subprocess
import sys
from pathlib import Path

import pytest

from services import SERVICES
from services.cli.registry import definition_of, settings_type
from services.cutover.write_back import FACT_OF
from services.cutover.writers import count_announced

ROOT = Path(__file__).parents[3]
OPTIONAL_LIBRARY = Path("services/cli/members/matching_crosscheck.py")


@pytest.mark.parametrize("service", SERVICES)
def test_a_definition_is_whole_and_of_its_service(service: str) -> None:
    definition = definition_of(service)
    assert definition.name == service
    assert definition.settings is settings_type(service)
    queues = [subscription.queue_name for subscription in definition.subscriptions]
    assert len(queues) == len(set(queues)), "each queue is read once"
    assert all(name.startswith(f"{service}.") for name in queues)
    (asked,) = (each.queue for each in definition.subscriptions if each.queue_name == f"{service}.cutover-requested")
    assert asked.binding == f"traboule.membership.cutover-requested.{service}", "it alone hears what it is asked"
    assert {kind.table for kind in definition.mirrored} <= set(definition.metadata.tables)
    assert definition.rehearsals
    assert definition.republished
    # What may be written here must also find its way back.
    assert (definition.write_back is not None) == (service in FACT_OF)
    # Somebody must be able to write it: membership knows who, and the others are told.
    assert (f"{service}.write-access-changed" in queues) == (definition.count_writers is count_announced)
    assert (definition.count_writers is count_announced) == (service != "membership")


@pytest.mark.parametrize("find", [definition_of, settings_type])
def test_a_service_that_is_none_is_named(find: object) -> None:
    assert callable(find)
    with pytest.raises(LookupError, match="there is no service 'dues'"):
        find("dues")


def test_a_process_imports_its_own_service_alone() -> None:
    script = (
        "import sys; from services.cli.registry import definition_of; definition_of('billing'); "
        "print(*sys.modules, sep='\\n')"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(ran.stdout.split())
    assert "services.billing.definition" in loaded
    others = {f"services.{name}" for name in SERVICES if name != "billing"}
    assert not {name for name in loaded if name in others or name == "fastapi" or name.startswith("services.cli.main")}


def test_commands_of_membership_do_not_import_its_http_side() -> None:
    script = (
        "import sys; from services.cli.registry import definition_of; definition_of('membership'); "
        "print('fastapi' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


def test_no_module_is_imported_by_a_name_made_of_strings() -> None:
    sources = [path for top in ("services", "shared", "schemas", "deploy") for path in (ROOT / top).rglob("*.py")]
    relatives = {
        path.relative_to(ROOT)
        for path in sources
        if any(word in path.read_text("utf-8") for word in ("import_module", "find_spec", "__import__"))
    }
    assert relatives == {OPTIONAL_LIBRARY}
