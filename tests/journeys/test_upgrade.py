"""An upgrade while messages come, in the order in which an operator, docker compose and Kubernetes do it; and back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path

import asyncpg
import pytest

from deploy.local.local_services import LocalServices
from deploy.local.nodes import Nodes, local_nodes
from deploy.local.runs import Run
from deploy.provisioning import definitions
from deploy.provisioning.provision import CLUSTERS, migrations_folder, provision
from services import SERVICES
from shared.messaging.broker_version import PRIVATE_BROKER
from shared.messaging.topology import VHOST
from shared.persistence.migrations import head
from tests.support import next_version
from tests.support.builders import an_invoice
from tests.support.next_version import python
from tests.support.servers import publish_as, query
from tests.support.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

CLI = ("-m", "services.cli")
CHECK = (*CLI, "migrate", "billing", "--check")
# What brings the schema to where the new program can run, before it starts.
BEFORE: Mapping[str, Callable[[Path], tuple[str, ...]]] = {
    "by hand": lambda _: (*CLI, "migrate", "--all"),
    "docker compose": lambda passwords: (
        "-c", f"from deploy.compose import prepare; raise SystemExit(prepare.main(prepare.Path({str(passwords)!r})))"
    ),
    "kubernetes": lambda _: ("-m", "deploy.kubernetes.prepare"),
}  # fmt: skip


@pytest.fixture(scope="module")
def own_nodes() -> Iterator[Nodes]:
    """The jobs that prepare name their databases themselves, so these are not those of other tests."""
    with local_nodes() as nodes:
        yield nodes


@pytest.fixture(scope="module")
def new(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The environment in which Python runs the next version."""
    return next_version.make(tmp_path_factory.mktemp("next"), head(migrations_folder("billing")))


@pytest.fixture
async def stack(own_nodes: Nodes, tmp_path: Path) -> AsyncIterator[LocalServices]:
    """Everything is made, and nothing runs; the environment is an operator's."""
    servers = (own_nodes.database.url, own_nodes.broker.url, own_nodes.broker.management_url)
    made = await asyncio.to_thread(lambda: provision(*servers, clusters_file=CLUSTERS))
    names = ("TRABOULE_DATABASE_URL", "TRABOULE_BROKER_URL", "TRABOULE_BROKER_MANAGEMENT_URL")
    with Run() as run:
        services = LocalServices(run, made, tmp_path, SERVICES)
        services.env |= dict(zip(names, servers, strict=True)) | {PRIVATE_BROKER: "yes"}
        (tmp_path / "passwords").write_text("".join(f"{name}={value}\n" for name, value in made.secrets.items()))
        yield services
        services.close()
    admin = await asyncpg.connect(own_nodes.database.url)
    for service in SERVICES:
        await admin.execute(f"drop database traboule_{service} with (force)")
    await admin.close()
    definitions.call(own_nodes.broker.management_url, "DELETE", f"/api/vhosts/{VHOST}")


async def told(stack: LocalServices, name: str) -> None:
    """A former system publishes an invoice."""
    await publish_as(stack.env, "numelink.billing", an_invoice(invoice_id=name, label=f"dues {name}"))


async def held(stack: LocalServices, *names: str) -> None:
    """Return once billing holds exactly these invoices; nothing was parked."""

    async def all_present() -> bool:
        rows = await query(stack.env, "billing", "select invoice_id from invoices order by 1")
        return [row["invoice_id"] for row in rows] == sorted(names)

    await eventually(all_present, 30)
    assert await query(stack.env, "billing", "select reason, detail from dead_letters") == []


@pytest.mark.parametrize("order", BEFORE)
async def test_an_upgrade_loses_nothing_and_can_be_undone_until_its_last_step(
    order: str, stack: LocalServices, new: Mapping[str, str], tmp_path: Path
) -> None:
    async def run(env: Mapping[str, str], *words: str) -> tuple[int, str]:
        return await asyncio.to_thread(python, {**stack.env, **env}, *words)

    await asyncio.to_thread(stack.start, "billing")
    await told(stack, "F1")
    await held(stack, "F1")
    # The new program recognises companies otherwise.
    await query(stack.env, "membership", "insert into match_state (features, weights) values (0, 0)")

    code, answer = await run(new, *BEFORE[order](tmp_path / "passwords"))
    assert code == 0, answer
    assert "billing: next2 must wait until no process of an earlier version runs" in answer
    assert "membership: 0 source records computed anew" in answer
    code, answer = await run(new, *CHECK)
    assert (code, answer) == (0, "billing: next2 has not run: traboule migrate billing --post\n"), "new pods may start"
    await told(stack, "F2")
    await held(stack, "F1", "F2")

    newer = await asyncio.to_thread(stack.start_replica, "billing", new)
    for name in ("F3", "F4", "F5", "F6"):
        await told(stack, name)
    await asyncio.to_thread(stack.stop, "billing")
    await told(stack, "F7")
    await held(stack, *(f"F{n}" for n in range(1, 8)))

    # The release is bad: back to the version before, whose own preparation and check let it start.
    await asyncio.to_thread(stack.stop, newer)
    for words in (BEFORE[order](tmp_path / "passwords"), CHECK):
        code, answer = await run({}, *words)
        assert code == 0, answer
        assert "billing: the schema is at next1, of a newer program; this one can live with it" in answer
    await asyncio.to_thread(stack.start, "billing")
    await told(stack, "F8")
    await held(stack, *(f"F{n}" for n in range(1, 9)))
    await asyncio.to_thread(stack.stop, "billing")

    await asyncio.to_thread(stack.start, newer, new)
    code, answer = await run(new, *CLI, "migrate", "--all", "--post")
    assert code == 0, answer
    assert "billing: the schema is up to date" in answer
    code, answer = await run(new, *CLI, "migrate", "--all", "--check")
    assert (code, answer) == (0, "".join(f"{item}: the schema is as this program's\n" for item in SERVICES))
    await told(stack, "F9")
    names = [f"F{n}" for n in range(1, 10)]
    await held(stack, *names)
    rows = await query(stack.env, "billing", "select wording from invoices order by 1")
    assert [row["wording"] for row in rows] == [f"dues {name}" for name in names]
    for name in ("billing", newer):
        assert "transaction.failed" not in stack.log(name).read_text("utf-8"), "no message was in another's way"

    # From now on there is no way back, and the version before says so instead of starting.
    for words in (CHECK, BEFORE[order](tmp_path / "passwords")):
        code, answer = await run({}, *words)
        assert code != 0, answer
        assert "billing: the schema is at revision next2, which this program does not know: it is too old" in answer
    # Were it started all the same, it would keep what it cannot write in its hands.
    await asyncio.to_thread(stack.stop, newer)
    await asyncio.to_thread(stack.start, "billing")
    await told(stack, "F10")
    log = stack.log("billing")
    await eventually(lambda: _announces(log, "the schema is not this program's"), 30)
    await asyncio.to_thread(stack.stop, "billing")
    await asyncio.to_thread(stack.start, newer, new)
    await held(stack, *names, "F10")


async def _announces(log: Path, words: str) -> bool:
    return words in log.read_text("utf-8")
