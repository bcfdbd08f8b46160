"""``traboule duplicates``: the queue and decisions from the command line."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from deploy.local.nodes import Nodes
from deploy.provisioning.provision import CLUSTERS
from tests.integration.gateway.gateways import CLUSTR, NUMELINK, GatewayUnderTest, open_gateway, own_id
from tests.support.builders import a_member
from tests.support.command import Answer, traboule
from tests.support.emptying import EMPTY
from tests.support.merging import Database, a_database

FIRST, OTHER = f"{CLUSTR}/12", f"{NUMELINK}/B 1/x"
WHY = ("--reason", "they said so")


@pytest.fixture(scope="module")
def database(nodes: Nodes) -> Iterator[Database]:
    with a_database(nodes, "membership") as database:
        yield database


@pytest.fixture
async def gateway(database, monkeypatch) -> AsyncIterator[GatewayUnderTest]:
    """The service's own door over an empty database, which the command is told of."""
    for name, value in {"DATABASE_URL": database.url, "BROKER_URL": "amqp://nobody", "CLUSTERS_FILE": CLUSTERS}.items():
        monkeypatch.setenv(f"TRABOULE_MEMBERSHIP_{name}", str(value))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    async with open_gateway(database.url) as gateway:
        await gateway.sql(EMPTY)
        yield gateway


@pytest.fixture
async def two(gateway):
    """Two members of one name, who may be one company."""
    same: dict[str, Any] = {"name": "Forges du Gier [x]", "email": None, "postcode": "42000", "city": "Saint-Étienne"}
    await gateway.feed(CLUSTR, a_member(record_id="12", **same, phone="0477000001"))
    await gateway.feed(NUMELINK, a_member(record_id="B 1/x", **same, siren="732829320"))


@pytest.fixture
async def contested(gateway):
    """Three records that look like one company, of which two have SIRENs that differ."""
    same = {"name": "Forges du Gier", "email": "jean@forges.example", "phone": "0477123456", "postcode": "42000"}
    await gateway.feed(CLUSTR, a_member(record_id="12", **same))
    await gateway.feed(NUMELINK, a_member(record_id="B 1/x", siren="732829320", **same))
    await gateway.feed(NUMELINK, a_member(record_id="2,5", siren="552100554", **same))


async def duplicates(*arguments: str, ends: int = 0) -> Answer:
    answer = await traboule("duplicates", *arguments)
    assert answer.exit_code == ends, answer.out + answer.err
    return answer


async def listed(**_: Any) -> list[dict[str, Any]]:
    return (await duplicates("list", "--json")).json["items"]


async def test_the_queue_is_listed_and_a_case_is_shown_side_by_side(gateway, two):
    (case,) = await listed()
    table = (await duplicates("list")).out
    assert all(
        published in table
        for published in (case["id"], "Forges du Gier [x]", "Saint-Étienne", "732829320", FIRST, OTHER)
    )

    shown = (await duplicates("show", case["id"])).out
    assert all(
        published in shown for published in (FIRST, OTHER, "0477000001", "732829320", "Same name", "The name alone")
    )
    french = (await duplicates("show", case["id"], "--lang", "fr")).out
    assert "Même nom" in french
    assert (await duplicates("show", case["id"], "--json")).json == case


async def test_the_terminals_language_is_spoken(gateway, two, monkeypatch):
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")

    (case,) = await listed()

    assert case["questions"][0]["evidence"][0]["words"] == "Même nom"


async def test_confirming_rejecting_and_taking_back(gateway, two):
    confirmed = (await duplicates("confirm", FIRST, OTHER, *WHY, "--by", "m.durand", "--json")).json
    member = own_id(CLUSTR, "12")
    assert confirmed == {"decision": 1, "repeated": False, "members": {FIRST: member, OTHER: member}}
    assert (await gateway.get(f"/members/by-source/{OTHER}")).json()["id"] == member
    assert "said already" in (await duplicates("confirm", FIRST, OTHER, *WHY)).out
    assert await listed() == []
    assert "nothing is in question" in (await duplicates("list")).out

    await duplicates("reject", FIRST, OTHER, "--reason", "two sisters")
    assert await listed() == []
    assert (await gateway.get(f"/members/by-source/{OTHER}")).json()["id"] != member

    for number in ("2", "1"):
        await duplicates("take-back", number, "--reason", "the wrong one")
    assert len(await listed()) == 1

    (newest, oldest) = (await duplicates("decisions", "--json")).json["items"]
    assert (newest["reason"], oldest["author"], oldest["key_id"]) == ("two sisters", "m.durand", None)
    assert oldest["taken_back"]["reason"] == "the wrong one"
    table = (await duplicates("decisions")).out
    assert all(published in table for published in ("m.durand", "two sisters", "taken back"))


async def test_what_is_decided_is_announced(gateway, two):
    await duplicates("confirm", FIRST, OTHER, *WHY)

    async with gateway.engine.begin() as connection:
        keys = (await connection.exec_driver_sql("select routing_key from outbox order by id")).scalars().all()
    assert "traboule.membership.members-merged" in keys


async def test_whoever_is_logged_in_decides(gateway, two, monkeypatch):
    monkeypatch.setenv("LOGNAME", "j.martin")

    await duplicates("reject", FIRST, OTHER, *WHY)

    assert (await duplicates("decisions", "--json")).json["items"][0]["author"] == "j.martin"


async def test_a_contested_group_is_sorted_out(gateway, contested):
    (case,) = await listed()
    third = f"{NUMELINK}/2,5"
    assert case["kind"] == "contested"
    shown = (await duplicates("show", case["id"])).out
    assert "Two valid SIRENs that differ, in one group" in shown

    sorted_out = await duplicates("sort", "--part", f"{FIRST},{OTHER}", "--part", f'"{third}"', *WHY, "--json")

    assert sorted_out.json["members"][OTHER] == own_id(CLUSTR, "12")
    assert sorted_out.json["members"][third] == own_id(NUMELINK, "2,5")
    assert await listed() == []


async def test_a_merge_is_undone_and_the_history_tells(gateway, two):
    await duplicates("confirm", FIRST, OTHER, *WHY, "--by", "m.durand")
    out = (await duplicates("history", OTHER)).out
    assert all(
        published in out for published in (own_id(CLUSTR, "12"), "decision 1 by m.durand: they said so", "merged")
    )

    await duplicates("separate", OTHER, "--reason", "no, two", "--by", "j.martin")

    for name in (OTHER, own_id(NUMELINK, "B 1/x")):
        published = (await duplicates("history", name, "--json")).json
        assert published["records"] == [OTHER]
        assert [item["what"] for item in published["items"]] == ["separated", "decided", "merged", "decided"]
        assert published["items"][0]["cause"]["author"] == "j.martin"
    assert "no, two" in (await duplicates("history", OTHER)).out


async def test_a_table_of_decisions_is_taken_line_by_line(gateway, two, tmp_path):
    file = tmp_path / "answers.csv"
    lines = [
        "\ufeffVerdict;a;b;reason;note",
        f"different;{FIRST};{OTHER};two sisters;ours",
        f"perhaps;{FIRST};{OTHER};who knows;",
        ";;;;",
        f"same;{FIRST};numelink/nobody;;",
        f"same;{FIRST};nobody;no slash",
        f"same;{FIRST};numelink/nobody;no record",
        f"SAME ;{FIRST}; {OTHER} ;one after all;",
    ]
    file.write_text("\r\n".join(lines), "utf-8")

    answer = await duplicates("decide", str(file), "--by", "m.durand", "--json", ends=1)

    results = {item["line"]: item.get("code") or item["decision"] for item in answer.json["results"]}
    assert results == {2: 1, 3: "verdict-unknown", 5: "reason-missing", 6: "record-unnamed", 7: "record-unknown", 8: 2}
    assert answer.json["failed"] == 4
    assert (await gateway.get(f"/members/by-source/{OTHER}")).json()["id"] == own_id(CLUSTR, "12")
    again = await duplicates("decide", str(file), ends=1)
    assert "line 3: the verdict is neither same nor different" in again.err
    assert "2 decided, 4 refused" in again.out


async def test_a_table_that_is_all_right_ends_well(gateway, two, tmp_path):
    file = tmp_path / "answers.csv"
    file.write_text(f'reason,b,a,verdict\n"two, sisters",{FIRST},{OTHER},different\n', "utf-8")

    assert "1 decided, 0 refused" in (await duplicates("decide", str(file))).out
    assert (await duplicates("decisions", "--json")).json["items"][0]["reason"] == "two, sisters"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "has no column verdict, a, b, reason"),
        (b"verdict,a,b\nsame,x/1,x/2\n", "has no column reason"),
        ("verdict;a;b;reason\nsame;x/1;x/2;déjà vu\n".encode("cp1252"), "is not UTF-8"),
    ],
)
async def test_a_file_that_is_no_table_of_decisions_is_refused(gateway, tmp_path, content, words):
    file = tmp_path / "answers.csv"
    file.write_bytes(content)

    assert words in (await duplicates("decide", str(file), ends=2)).err


async def test_a_decision_that_cannot_be_taken_ends_with_1(gateway, two):
    refused = {
        ("confirm", FIRST, "numelink/nobody"): "there is no source record numelink/nobody",
        ("separate", FIRST): "no other source records",
        ("separate", FIRST, OTHER): "not part of one and the same member",
        ("take-back", "7"): "there is no decision 7",
    }
    for arguments, words in refused.items():
        assert words in (await duplicates(*arguments, *WHY, ends=1)).err
    assert "no such case" in (await duplicates("show", "0123456789abcdef", ends=1)).err
    assert "no such member" in (await duplicates("history", "numelink/nobody", ends=1)).err
    assert (await duplicates("decisions", "--json")).json["items"] == []
    assert "nothing was decided yet" in (await duplicates("decisions")).out


@pytest.mark.parametrize(
    "wrong",
    [
        ("confirm", FIRST, OTHER),
        ("confirm", FIRST, *WHY),
        ("confirm", FIRST, FIRST, *WHY),
        ("confirm", FIRST, "numelink", *WHY),
        ("confirm", FIRST, "/7", *WHY),
        ("confirm", FIRST, OTHER, "--reason", " "),
        ("confirm", FIRST, OTHER, *WHY, "--by", "x" * 201),
        ("sort", *WHY),
        ("sort", "--part", FIRST, "--part", "", *WHY),
        ("take-back", "x", *WHY),
        ("take-back", "0", *WHY),
        ("list", "--kind", "triple"),
        ("list", "--min-probability", "2"),
        ("list", "--cluster", "nobody"),
        ("list", "--lang", "de"),
        ("history", "nobody"),
        ("decide", "/nowhere.csv"),
    ],
)
async def test_wrong_usage_ends_with_2(gateway, two, wrong):
    await duplicates(*wrong, ends=2)

    assert (await duplicates("decisions", "--json")).json["items"] == []


async def test_a_database_that_is_away_is_told(gateway, monkeypatch):
    monkeypatch.setenv("TRABOULE_MEMBERSHIP_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/nothing")

    for arguments in (("list",), ("confirm", FIRST, OTHER, *WHY)):
        assert "database does not answer" in (await duplicates(*arguments, ends=1)).err


async def test_help_has_examples():
    for name in (
        "list",
        "show",
        "confirm",
        "reject",
        "sort",
        "separate",
        "take-back",
        "decide",
        "decisions",
        "history",
    ):
        assert f"traboule duplicates {name}" in " ".join((await duplicates(name, "--help")).out.split())


async def test_what_too_many_share_is_listed(gateway):
    same: dict[str, Any] = {"name": "Forges du Gier", "email": None, "siren": "732829320"}
    await gateway.feed(CLUSTR, *(a_member(record_id=f"{at:02}", **same) for at in range(31)))
    out = (await duplicates("list", "--lang", "en")).out
    assert "Too many records have this SIREN and this name" in out
    assert "732829320 FORGESGIER, 31 records" in " ".join(out.split())
