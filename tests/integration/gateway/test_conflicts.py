"""What a member should not have twice, by HTTP, with what the responsible services answered."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from schemas.billing import BillingConflictAnswered
from schemas.events import EventChanged, EventsConflictAnswered, RegistrationChanged
from schemas.membership import MemberRemoved
from services.membership.identity.decisions import Signature, confirm
from services.membership.records.record import RecordKey
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.usecases import decide
from tests.integration.gateway.gateways import CLUSTR, NUMELINK, GatewayUnderTest, own_id
from tests.support.builders import a_member, a_registration, an_event
from tests.support.in_memory import POLICY

AT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
SIRENS = ("732829320", "552100554", "542107651")


async def paid_twice(gateway: GatewayUnderTest, number: int = 0) -> str:
    """A member whose dues both clusters have for this year; its id."""
    for cluster, record_id in ((CLUSTR, f"A{number}"), (NUMELINK, f"B{number}")):
        name = f"Forges {SIRENS[number]}"
        await gateway.feed(
            cluster, a_member(record_id=record_id, name=name, siren=SIRENS[number], paid_until="2026-12-31")
        )
    return own_id(CLUSTR, f"A{number}")


async def registered_twice(gateway: GatewayUnderTest, number: int) -> None:
    """The member with this number comes twice to one gathering, which both clusters announce."""
    event = an_event(event_id="E1").model_dump(mode="json")
    for cluster, record_id in ((CLUSTR, f"A{number}"), (NUMELINK, f"B{number}")):
        await gateway.feed(cluster, EventChanged(cluster=cluster, **event))
        taken = a_registration(registration_id=f"R{record_id}", event_id="E1", record_id=record_id)
        await gateway.feed(cluster, RegistrationChanged(cluster=cluster, **taken.model_dump(mode="json")))


async def listed(gateway: GatewayUnderTest, **parameters: Any) -> list[dict[str, Any]]:
    answer = await gateway.get("/conflicts", role="staff", **parameters)
    assert answer.status_code == 200, answer.text
    page = answer.json()
    assert page["total"] == len(page["items"])
    return page["items"]


async def answered(
    gateway: GatewayUnderTest, conflict_id: str, state: str, version: int = 1, owner: str = "tresorerie"
) -> None:
    await gateway.feed(
        CLUSTR,
        BillingConflictAnswered.model_validate(
            {"conflict_id": conflict_id, "version": version, "owner": owner, "state": state, "changed_at": AT}
        ),
    )


async def test_a_conflict_is_told_whole_until_it_is_answered(gateway):
    member = await paid_twice(gateway)

    (item,) = await listed(gateway)

    assert item.pop("found_at")
    (in_view,) = (await gateway.get(f"/members/{member}")).json()["conflicts"]
    assert item == {
        "conflict_id": in_view["conflict_id"],
        "kind": "paid-twice",
        "what": "payé deux fois",
        "responsible": "billing",
        "owner": None,
        "state": "told",
        "member": {"id": member, "name": f"Forges {SIRENS[0]}"},
        "between": [f"{CLUSTR}/A0", f"{NUMELINK}/B0"],
        "overlaps": [
            {
                "starts_on": "2026-01-01",
                "ends_on": "2026-12-31",
                "items": [
                    {"from": f"{CLUSTR}/A0", "kind": "paid-until"},
                    {"from": f"{NUMELINK}/B0", "kind": "paid-until"},
                ],
            }
        ],
        "answered_at": None,
        "gone_at": None,
    }


async def test_owner_and_state_are_as_the_responsible_service_answered(gateway):
    await paid_twice(gateway)
    (item,) = await listed(gateway)
    path = f"/conflicts/{item['conflict_id']}"

    await answered(gateway, item["conflict_id"], "open", owner="cotisations Loire")

    now = (await gateway.get(path, role="staff")).json()
    assert (now["owner"], now["state"], now["answered_at"]) == (
        "cotisations Loire",
        "open",
        "2026-11-20T08:00:00+00:00",
    )
    await answered(gateway, item["conflict_id"], "settled", version=2)
    await answered(gateway, item["conflict_id"], "open", version=1)
    now = (await gateway.get(path, role="staff")).json()
    assert (now["owner"], now["state"]) == ("tresorerie", "settled")


async def test_another_services_answer_says_nothing(gateway):
    await paid_twice(gateway)
    (item,) = await listed(gateway)

    await gateway.feed(
        CLUSTR,
        EventsConflictAnswered(
            conflict_id=item["conflict_id"], version=1, owner="evenements", state="settled", changed_at=AT
        ),
    )

    assert await listed(gateway) == [item]


async def test_what_is_there_twice_no_more_is_gone_and_comes_back_as_it_was_told(gateway):
    await paid_twice(gateway)
    (item,) = await listed(gateway)
    await answered(gateway, item["conflict_id"], "open")
    paid = a_member(record_id="B0", version=2, name=f"Forges {SIRENS[0]}", siren=SIRENS[0])

    await gateway.feed(NUMELINK, paid)

    (removed,) = await listed(gateway)
    assert removed["state"] == "gone"
    assert removed["gone_at"]
    assert (await listed(gateway, state="gone"), await listed(gateway, state="open")) == ([removed], [])
    await answered(gateway, item["conflict_id"], "gone", version=2)
    await gateway.feed(NUMELINK, paid.model_copy(update={"version": 3, "paid_until": date(2026, 12, 31)}))
    (back,) = await listed(gateway, state="open")
    assert (back["state"], back["gone_at"]) == ("told", None)


async def test_it_is_filtered_by_state_service_and_member(gateway):
    members = [await paid_twice(gateway, number) for number in range(3)]
    await registered_twice(gateway, 1)
    both = await listed(gateway, member=members[1])
    assert {item["kind"]: item["what"] for item in both} == {
        "paid-twice": "payé deux fois",
        "registered-twice": "inscrit deux fois",
    }
    (paid,) = await listed(gateway, member=members[0])
    await answered(gateway, paid["conflict_id"], "settled")

    assert len(await listed(gateway)) == 4
    assert await listed(gateway, state="settled") == [
        paid | {"state": "settled", "owner": "tresorerie", "answered_at": "2026-11-20T08:00:00+00:00"}
    ]
    assert len(await listed(gateway, state="open")) == 3
    assert await listed(gateway, state="gone") == []
    assert [item["kind"] for item in await listed(gateway, responsible="events")] == ["registered-twice"]
    assert len(await listed(gateway, responsible="billing", state="open")) == 2
    # By the id that was merged away as well.
    assert await listed(gateway, member=own_id(NUMELINK, "B1")) == both


async def test_a_gathering_is_named_with_both_registrations(gateway):
    await paid_twice(gateway, 1)
    await registered_twice(gateway, 1)

    (item,) = await listed(gateway, responsible="events", lang="en")

    assert item["what"] == "registered twice"
    assert item["overlaps"] == [
        {
            "event": "Rencontre cybersécurité",
            "items": [
                {"from": f"{CLUSTR}/A1", "kind": "registration", "item_id": "RA1"},
                {"from": f"{NUMELINK}/B1", "kind": "registration", "item_id": "RB1"},
            ],
        }
    ]


async def test_after_a_separation_both_members_know_of_it(gateway):
    ours, theirs = RecordKey(CLUSTR, "A"), RecordKey(NUMELINK, "B")
    for key, name in ((ours, "Forges du Gier"), (theirs, "Néon Conseil")):
        different = {"record_id": key.record_id, "name": name, "email": f"a@{key.cluster}.fr"}
        await gateway.feed(key.cluster, a_member(**different, paid_until="2026-12-31"))
    staff = Signature("a test", "because")
    async with gateway.engine.begin() as connection:
        decision = await decide.decide(MembershipUnitOfWork(connection, POLICY), confirm([ours, theirs]), staff)
    assert [item["state"] for item in await listed(gateway, member=theirs.own_id)] == ["told"]

    async with gateway.engine.begin() as connection:
        await decide.take_back(MembershipUnitOfWork(connection, POLICY), decision.number, staff)

    for key in (ours, theirs):
        (item,) = await listed(gateway, member=key.own_id)
        assert (item["state"], item["member"]["id"]) == ("gone", ours.own_id)


async def test_when_nothing_is_left_of_the_member_the_conflict_stays(gateway):
    member = await paid_twice(gateway)
    for cluster, record_id in ((NUMELINK, "B0"), (CLUSTR, "A0")):
        await gateway.feed(cluster, MemberRemoved(record_id=record_id, version=2))

    (item,) = await listed(gateway)

    assert (item["state"], item["member"]) == ("gone", None)
    assert (await gateway.get("/conflicts", role="staff", member=member)).status_code == 410


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
async def test_pages_hold_everything_once_the_oldest_first(gateway, limit):
    for number in range(3):
        await paid_twice(gateway, number)
    whole = await listed(gateway)
    assert [item["found_at"] for item in whole] == sorted(item["found_at"] for item in whole)

    items, after = [], None
    while True:
        page = (
            await gateway.get("/conflicts", role="staff", limit=limit, **({"after": after} if after else {}))
        ).json()
        assert page["total"] == len(whole)
        items += page["items"]
        after = page["next"]
        if after is None:
            break

    assert items == whole
    assert len(items) == 3


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ({"state": "told"}, 422),
        ({"responsible": "membership"}, 422),
        ({"limit": 0}, 422),
        ({"after": "x"}, 400),
        ({"member": "x"}, 404),
        ({"member": "00000000-0000-0000-0000-000000000000"}, 404),
    ],
)
async def test_what_does_not_fit_is_a_problem(gateway, parameters, status):
    answer = await gateway.get("/conflicts", role="staff", **parameters)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


@pytest.mark.parametrize("conflict_id", ["0" * 32, "x", "%00"])
async def test_a_conflict_that_is_not_there_is_unknown(gateway, conflict_id):
    french = await gateway.get(f"/conflicts/{conflict_id}", role="staff", headers={"accept-language": "fr"})

    assert french.status_code == 404
    assert french.json()["type"] == "urn:traboule:problem:conflict-unknown"
    assert french.json()["title"] == "Ce conflit n'existe pas"


async def test_only_staff_may_read_them(gateway):
    await paid_twice(gateway)
    (item,) = await listed(gateway)
    for path in ("/conflicts", f"/conflicts/{item['conflict_id']}"):
        assert (await gateway.client.get(path)).status_code == 401
        for role, status in (("reader", 403), ("staff", 200), ("admin", 200)):
            assert (await gateway.get(path, role=role)).status_code == status
