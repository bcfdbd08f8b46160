import asyncio
import re
from datetime import UTC, datetime, timedelta

import asyncpg
import orjson
import pytest
from typer.testing import CliRunner

from services.cli.keys import keys
from services.gateway.auth.caller import Grant
from services.gateway.auth.keys import create_key, hash_secret
from services.gateway.auth.rights import Role
from tests.support.emptying import EMPTY

NEW = ("create", "--name", "Extranet", "--role", "staff", "--days", "90")


@pytest.fixture
def run(database_url, monkeypatch):
    """``run("list")`` is ``traboule keys list``."""
    monkeypatch.setenv("TRABOULE_MEMBERSHIP_DATABASE_URL", database_url)
    monkeypatch.setenv("TRABOULE_MEMBERSHIP_BROKER_URL", "amqp://nobody")
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: CliRunner().invoke(keys, arguments)


@pytest.fixture
async def rows(database_url):
    """``await rows("select …")`` over a database without keys."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(EMPTY)
    yield connection.fetch
    await connection.close()


def in_thread(function, *arguments):
    # The command runs a loop of its own, which a test with a loop must not be inside of.
    return asyncio.to_thread(function, *arguments)


async def test_a_key_is_shown_once_and_only_its_hash_is_kept(run, rows):
    result = await in_thread(run, *NEW)

    key = result.stdout.strip()
    assert re.fullmatch(r"trb_[a-z0-9]{12}_[A-Za-z0-9_-]{43}", key)
    _, key_id, secret = key.split("_", 2)
    (kept,) = await rows("select * from api_keys")
    assert (kept["id"], kept["name"], kept["role"], kept["revoked_at"]) == (key_id, "Extranet", "staff", None)
    assert kept["hash"] == hash_secret(secret)
    assert abs(kept["expires_at"] - datetime.now(UTC) - timedelta(days=90)) < timedelta(minutes=5)
    assert secret not in str(await rows("select api_keys::text from api_keys"))
    assert secret not in (await in_thread(run, "list")).stdout


async def test_machines_get_json(run, rows):
    made = orjson.loads((await in_thread(run, *NEW, "--json")).stdout)
    (listed,) = orjson.loads((await in_thread(run, "list", "--json")).stdout)

    assert made["key"].startswith(f"trb_{made['id']}_")
    assert listed["id"] == made["id"]
    assert listed["usable"] is True
    assert "hash" not in listed


async def test_a_key_is_revoked_by_its_id_and_stays_listed(run, rows):
    made = orjson.loads((await in_thread(run, *NEW, "--json")).stdout)

    assert "Extranet" in (await in_thread(run, "revoke", made["id"])).stdout
    first = (await rows("select revoked_at from api_keys"))[0][0]
    assert (await in_thread(run, "revoke", made["id"])).exit_code == 0

    assert (await rows("select revoked_at from api_keys"))[0][0] == first
    assert re.search(rf"{made['id']}.*revoked", (await in_thread(run, "list")).stdout)


async def test_what_is_done_at_the_terminal_leaves_a_trace(run, rows):
    made = orjson.loads((await in_thread(run, *NEW, "--json")).stdout)
    await in_thread(run, "revoke", made["id"])

    kept = await rows("select who, permission, about, reason from access_audit order by id")
    assert [(row["permission"], row["about"], row["reason"]) for row in kept] == [
        ("give-access", f"key:{made['id']}", "staff"),
        ("give-access", f"key:{made['id']}", "revoked"),
    ]
    assert all(row["who"].startswith("cli:") for row in kept)


async def test_an_unknown_key_cannot_be_revoked(run, rows):
    result = await in_thread(run, "revoke", "nobody")

    assert result.exit_code == 1
    assert "there is no key nobody" in result.output


def test_a_cluster_that_there_is_not_is_refused_by_name(run):
    result = run(*NEW, "--role", "staff@atlantis")

    assert result.exit_code == 2
    assert "there is no cluster 'atlantis'" in result.output
    assert "numelink" in result.output


@pytest.mark.parametrize(
    "wrong", [("--role", "king"), ("--days", "0"), ("--days", "-1"), ("--days", "soon"), ("--days", "99999")]
)
def test_nonsense_is_refused(run, wrong):
    result = run(*NEW, *wrong)

    assert result.exit_code == 2


async def test_a_caller_in_code_is_told_too():
    for grants, days in (((), 1), ((Grant(Role.READER),), 0)):
        with pytest.raises(ValueError, match=r"must have a role|a day at least"):
            await create_key(None, "x", grants, days, by="a test")  # type: ignore[arg-type]


def test_keys_are_never_alike_and_hashes_do_not_tell_them():
    assert hash_secret("a") != hash_secret("b")
    assert len(hash_secret("a")) == 32
