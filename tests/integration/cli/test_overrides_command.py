"""``traboule overrides``: the same as by HTTP, from the command line."""

import getpass
from collections.abc import AsyncIterator, Iterator

import pytest

from deploy.local.nodes import Nodes
from deploy.provisioning.provision import CLUSTERS
from services.membership.identity.decisions import Signature, confirm
from services.membership.records.record import RecordKey
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.usecases import decide
from tests.integration.gateway.gateways import CLUSTR, NUMELINK, GatewayUnderTest, open_gateway
from tests.support.builders import a_member, unique
from tests.support.command import Answer, traboule
from tests.support.in_memory import POLICY
from tests.support.merging import a_database

WHY = ("--reason", "by phone")


@pytest.fixture(scope="module")
def database_url(nodes: Nodes) -> Iterator[str]:
    with a_database(nodes, "membership") as database:
        yield database.url


@pytest.fixture
async def gateway(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[GatewayUnderTest]:
    """The door onto the database that the command is told of."""
    monkeypatch.setenv("TRABOULE_MEMBERSHIP_DATABASE_URL", database_url)
    monkeypatch.setenv("TRABOULE_MEMBERSHIP_BROKER_URL", "amqp://nobody")
    monkeypatch.setenv("TRABOULE_CLUSTERS_FILE", str(CLUSTERS))
    async with open_gateway(database_url) as gateway:
        yield gateway


@pytest.fixture
async def record(gateway: GatewayUnderTest) -> str:
    """A source record of a member that nothing is known about but its town."""
    key = RecordKey(NUMELINK, unique("fr:B/"))
    await gateway.feed(NUMELINK, a_member(record_id=key.record_id, name=unique("Forges"), email=None, city="Lyon"))
    return str(key)


def member_of(record: str) -> str:
    return RecordKey(*record.split("/", 1)).own_id


async def view(gateway: GatewayUnderTest, record: str) -> dict[str, object]:
    return (await gateway.get(f"/members/{member_of(record)}")).json()


async def setting(record: str, field: str, value: str, *more: str) -> Answer:
    return await traboule("overrides", "set", record, field, value, *WHY, *more)


async def test_a_value_is_set_shown_and_taken_back(gateway: GatewayUnderTest, record: str) -> None:
    before = await view(gateway, record)

    done = await setting(record, "phone", "04 77 00 00 00", "--by", "m.durand")

    assert (done.exit_code, done.err) == (0, "")
    assert done.out.strip() == f"phone of {member_of(record)} is shown as +33477000000, by m.durand"
    shown = (await view(gateway, record))["phone"]
    assert isinstance(shown, dict)
    assert (shown["value"], shown["override"]["on"]) == ("+33477000000", record)

    undone = await traboule("overrides", "unset", member_of(record), "phone", *WHY)

    assert undone.exit_code == 0
    assert undone.out.strip() == f"phone of {member_of(record)} is not shown any more: no record has it"
    assert await view(gateway, record) == before


async def test_what_the_records_say_is_told_when_it_is_taken_back(gateway: GatewayUnderTest, record: str) -> None:
    await setting(record, "city", "Givors")

    undone = await traboule("overrides", "unset", record, "city", *WHY, "--json")

    assert undone.json["value"] == "Lyon"
    assert undone.json["said_by"] == [record]
    assert (await traboule("overrides", "unset", record, "city", *WHY)).exit_code == 1


async def test_whoever_calls_it_is_the_author_unless_another_is_named(gateway: GatewayUnderTest, record: str) -> None:
    shown = (await setting(record, "city", "Givors", "--json")).json

    assert shown["member_id"] == member_of(record)
    (item,) = (await traboule("overrides", "list", record, "--json")).json["items"]
    assert item["author"] == getpass.getuser()


async def test_all_that_was_ever_set_is_listed(gateway: GatewayUnderTest, record: str) -> None:
    assert "nothing was ever set" in (await traboule("overrides", "list", record)).out
    await setting(record, "city", "Givors", "--by", "p.roux")
    await setting(record, "city", "[bold]\x1b[2J", "--by", "p.roux")

    listed = await traboule("overrides", "list", member_of(record))

    assert listed.exit_code == 0
    assert "[bold]�[2J" in listed.out
    assert "\x1b" not in listed.out
    newest, oldest = (await traboule("overrides", "list", record, "--json")).json["items"]
    assert (newest["value"], newest["taken_back"], oldest["value"]) == ("[bold]\x1b[2J", None, "Givors")
    assert (oldest["taken_back"]["by"], oldest["taken_back"]["reason"]) == ("p.roux", "by phone")


async def test_it_hangs_on_the_first_record_or_on_the_one_that_is_named(gateway: GatewayUnderTest, record: str) -> None:
    first = RecordKey(CLUSTR, unique("A"))
    await gateway.feed(CLUSTR, a_member(record_id=first.record_id, name=unique("Néon"), email=None))
    both = [first, RecordKey(*record.split("/", 1))]
    async with gateway.engine.begin() as connection:
        await decide.decide(MembershipUnitOfWork(connection, POLICY), confirm(both), Signature("a test", "because"))

    ours = (await setting(record, "city", "Givors", "--json")).json
    theirs = (await setting(record, "brand", "Néon+", "--record", record, "--json")).json

    assert ours["member_id"] == theirs["member_id"] == first.own_id
    assert (ours["override"]["on"], theirs["override"]["on"]) == (str(first), record)
    assert (await traboule("overrides", "unset", record, "city", *WHY, "--record", record)).exit_code == 1
    assert (await traboule("overrides", "unset", record, "city", *WHY, "--record", str(first))).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "exit_code", "text"),
    [
        (("set", "{record}", "siren", "123456789", *WHY), 2, "siren: not a valid SIREN"),
        (("set", "{record}", "departement", "69", *WHY), 2, "departement: not a field that can be set by hand"),
        (("set", "{record}", "city", " ", *WHY), 2, "city: no value"),
        (("set", "{record}", "city", "Dupont\udcff", *WHY), 2, "city: holds a character that is no text"),
        (("set", "{record}", "city", "Givors"), 2, "--reason"),
        (("set", "{record}", "city", "Givors", "--reason", " "), 2, "reason"),
        (("set", "{record}", "city", "Givors", "--reason", "\udcff"), 2, "reason"),
        (("set", "{record}", "city", "Givors", *WHY, "--record", "numelink/nobody"), 2, "no source record of this"),
        (("set", "{record}", "city", "Givors", *WHY, "--record", "B"), 2, "--record is a source record"),
        (("set", "numelink/nobody", "city", "Givors", *WHY), 1, "there is no such member"),
        (("set", "nobody", "city", "Givors", *WHY), 1, "name an id, or a source record"),
        (("list", "numelink/\udcff"), 1, "there is no such member"),
        (("list", "00000000-0000-0000-0000-000000000000"), 1, "there is no such member"),
        (("unset", "{record}", "city", *WHY), 1, "no value was set by hand"),
        (("unset", "{record}", "\udcff", *WHY), 1, "no value was set by hand"),
    ],
)
async def test_what_cannot_be_done_is_told_and_the_exit_code_says_so(
    gateway: GatewayUnderTest, record: str, arguments: tuple[str, ...], exit_code: int, text: str
) -> None:
    answer = await traboule("overrides", *(argument.format(record=record) for argument in arguments))

    assert answer.exit_code == exit_code
    assert text in " ".join(answer.err.split())
    assert "Dupont" not in answer.err
    assert (await traboule("overrides", "list", record, "--json")).json["items"] == []


async def test_a_database_that_is_away_is_told_in_a_line(
    gateway: GatewayUnderTest, record: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRABOULE_MEMBERSHIP_DATABASE_URL", "postgresql://u:secret@127.0.0.1:9/x")

    answer = await setting(record, "city", "Givors")

    assert answer.exit_code == 2
    assert "the membership service's database" in answer.err
    assert "secret" not in answer.err
