"""Who may ask for what: generated from the table of rights, and held against every route of the contract."""

import asyncio
from random import Random

import pytest
from structlog.testing import capture_logs

from services.gateway.auth.people import disable_person
from services.gateway.auth.rights import FRESH, NOT_BY_KEYS, RIGHTS, ROLES, SCOPED, WHOLE, Role, roles_with
from services.gateway.auth.writers import announce_write_access, count_writers
from tests.integration.gateway.gateways import NUMELINK, own_id
from tests.support.builders import a_member

ANYTHING = {
    "member_id": "7f2c1a34-0000-4000-8000-000000000000",
    "cluster": NUMELINK,
    "service": "membership",
    "number": "1",
    "person_id": "abcdefghijkm",
    "key_id": "abcdefghijkm",
    "grant_id": "1",
}


_contract = []


async def contract(gateway):
    """Method, path and right of each route that is not for everybody: made once, for that takes a second."""
    if not _contract:
        _contract.extend(await _routes(gateway))
    return _contract


async def _routes(gateway):
    paths = (await gateway.client.get("/openapi.json")).json()["paths"]
    return [
        (method.upper(), path, operation.get("x-traboule-right"))
        for path, methods in paths.items()
        for method, operation in methods.items()
        if not path.startswith("/p/")  # pages for everybody
    ]


def asked(path):
    for name in [part[1:-1] for part in path.split("/") if part.startswith("{")]:
        path = path.replace(f"{{{name}}}", ANYTHING.get(name, "x"))
    return path


async def test_every_route_of_the_contract_names_its_right(gateway):
    routes = await contract(gateway)

    assert len(routes) > 100
    assert [(method, path) for method, path, right in routes if right is None] == []
    named = {right for _, _, rights in routes for right in rights.split(" or ")}
    assert named <= set(RIGHTS)
    assert set(RIGHTS) - named <= {"see-operations", "read-parked", "replay-parked", "edit-parked", "note-backup"}


@pytest.mark.parametrize("role", [None, *Role])
@pytest.mark.parametrize("by", ["key", "session"])
async def test_whoever_has_not_the_right_is_refused_on_every_route(gateway, role, by):
    headers, inside = {}, {}
    if role is not None and by == "key":
        headers = {"authorization": f"Bearer {await gateway.key(role)}"}
    elif role is not None:
        inside = await gateway.inside(role)
    for method, path, rights in await contract(gateway):
        may = role is not None and any(right in ROLES[role] for right in rights.split(" or "))
        if may and not (by == "key" and set(rights.split(" or ")) <= NOT_BY_KEYS):
            continue
        answer = await gateway.ask_as(method, asked(path), headers=headers, **inside)

        assert answer.status_code == (401 if role is None else 403), (method, path, rights, answer.text)
        if role is not None:
            assert answer.json()["right"] in rights.split(" or ")


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("by", ["key", "session"])
async def test_whoever_has_the_right_is_let_through(gateway, role, by):
    own_routes = ("/members", "/access", "/statistics", "/duplicates", "/conflicts", "/records", "/cutover/requests")
    inside = await gateway.inside(role) if by == "session" else {}
    headers = {} if inside else {"authorization": f"Bearer {await gateway.key(role)}"}
    for method, path, rights in await contract(gateway):
        if not path.startswith(own_routes):
            continue  # operations of other services are asked over the broker
        if any(right in ROLES[role] for right in rights.split(" or ")) and not (by == "key" and rights in NOT_BY_KEYS):
            answer = await gateway.ask_as(method, asked(path), headers=headers, **inside)
            assert answer.status_code not in (401, 403), (method, path, rights, answer.text)


# --- clusters --------------------------------------------------------------------------------------------------------

REASON = {"reason": "because"}
DENSE = "".join(map(chr, Random(7).choices(range(0x4E00, 0x9FA5), k=4_000)))
"""Letters of three bytes each that no index can make smaller."""
ON_IT = {"record": "numelink/M-1"}
TWO = {"records": ["numelink/M-1", "numelink/M-2"]}
SCOPED_ROUTES = [
    ("decide-identity", "POST", "/duplicates/decisions", {"verdict": "same", **TWO, **REASON}),
    ("decide-identity", "POST", "/members/{id}/separations", {"records": ["numelink/M-1"], **REASON}),
    ("set-values", "PUT", "/members/{id}/fields/phone", {"value": "04 77 00 00 00", **REASON}),
    ("set-values", "PUT", "/members/{id}/fields/phone", {"value": "04 77 00 00 00", **ON_IT, **REASON}),
    ("set-values", "POST", "/members/{id}/fields/phone/take-back", REASON),
    ("write-records", "POST", "/records/numelink", {"fields": {"name": "x"}}),
    ("write-records", "PATCH", "/records/numelink/M-1", {"fields": {"name": "x"}}),
    ("write-records", "POST", "/records/numelink/M-1/end", {"on": "2026-11-01"}),
    ("write-records", "PUT", "/records/numelink/M-1/contact", {}),
    ("move-systems", "POST", "/cutover/numelink/membership/moves", {"move": "mirror", **REASON}),
    ("decide-late", "POST", "/cutover/numelink/membership/quarantine/1/apply", REASON),
    ("decide-late", "POST", "/cutover/numelink/events/quarantine/1/dismiss", REASON),
    ("decide-late-billing", "POST", "/cutover/numelink/billing/quarantine/1/apply", REASON),
    ("decide-late", "POST", "/cutover/numelink/membership/parity/accept", {"differences": ["abcd"], **REASON}),
    (
        "decide-late-billing",
        "POST",
        "/cutover/numelink/billing/parity/assign",
        {"differences": ["abcd"], "owner": "me"},
    ),
]


def test_every_right_that_holds_in_a_cluster_is_tried():
    assert {right for right, *_ in SCOPED_ROUTES} == SCOPED


@pytest.mark.parametrize("by", ["key", "session"])
async def test_what_is_changed_must_be_of_ones_own_cluster(gateway, by):
    await gateway.feed(NUMELINK, a_member(record_id="M-1"), a_member(record_id="M-2", name="Another"))
    if_match = {"if-match": "*"}
    for right, method, path, body in SCOPED_ROUTES:
        role = "admin" if right == "move-systems" else "treasurer" if right == "decide-late-billing" else "staff"
        for cluster, may in (("", True), ("@numelink", True), ("@clustr-numerique", False)):
            if (right, path) == ("set-values", "/members/{id}/fields/phone/take-back"):
                await gateway.ask(
                    "PUT",
                    f"/members/{own_id(NUMELINK, 'M-1')}/fields/phone",
                    json={"value": "04 77 00 00 01", **REASON},
                )
            if path.endswith("/separations"):
                await gateway.ask("POST", "/duplicates/decisions", json={"verdict": "same", **TWO, **REASON})
            inside = await gateway.inside(role + cluster) if by == "session" else {}
            headers = (
                if_match if inside else if_match | {"authorization": f"Bearer {await gateway.key(role + cluster)}"}
            )
            answer = await gateway.ask_as(
                method, path.format(id=own_id(NUMELINK, "M-1")), headers=headers, json=body, **inside
            )
            refused = answer.status_code == 403 and answer.json()["type"].endswith("cluster-not-yours")
            assert refused is not may, (right, path, cluster, answer.status_code, answer.text)


async def test_one_record_of_ones_own_is_enough_to_decide(gateway):
    await gateway.feed(NUMELINK, a_member(record_id="M-1"))
    await gateway.feed("clustr-numerique", a_member(record_id="7", name="Another"))
    body = {"verdict": "same", "records": ["numelink/M-1", "clustr-numerique/7"], **REASON}

    decided = await gateway.ask("POST", "/duplicates/decisions", role="staff@numelink", json=body)
    assert decided.status_code == 201
    path = f"/duplicates/decisions/{decided.json()['decision']}/take-back"
    assert (await gateway.ask("POST", path, role="staff@clustr-numerique", json=REASON)).status_code == 200


@pytest.mark.parametrize(
    ("decision", "status"),
    [
        ({"verdict": "same", "records": ["numelink/M-1", "clustr-numerique/1", "clustr-numerique/2"]}, 201),
        ({"verdict": "different", "records": ["numelink/M-1", "clustr-numerique/1", "clustr-numerique/2"]}, 403),
        ({"parts": [["numelink/M-1", "clustr-numerique/1"], ["clustr-numerique/2"]]}, 201),
        ({"parts": [["numelink/M-1"], ["clustr-numerique/1", "clustr-numerique/2"]]}, 403),
        ({"parts": [["numelink/M-1"], ["clustr-numerique/1"], ["clustr-numerique/2"]]}, 403),
    ],
)
async def test_a_record_of_ones_own_is_no_leave_to_decide_about_others(gateway, decision, status):
    await gateway.feed(NUMELINK, a_member(record_id="M-1"))
    await gateway.feed("clustr-numerique", a_member(record_id="1", name="A"), a_member(record_id="2", name="B"))
    scoped = await gateway.ask("POST", "/duplicates/decisions", role="staff@numelink", json=decision | REASON)
    assert scoped.status_code == status, scoped.text
    if status == 201:
        return
    whole = (await gateway.ask("POST", "/duplicates/decisions", role="staff", json=decision | REASON)).json()

    path = f"/duplicates/decisions/{whole['decision']}/take-back"
    assert (await gateway.ask("POST", path, role="staff@numelink", json=REASON)).status_code == 403
    (kept,) = await gateway.rows("select taken_back_at from decisions")
    assert kept["taken_back_at"] is None


async def test_a_bulk_is_judged_item_by_item(gateway):
    await gateway.feed(NUMELINK, a_member(record_id="M-1"), a_member(record_id="M-2", name="Another"))
    await gateway.feed("clustr-numerique", a_member(record_id="1", name="A"), a_member(record_id="2", name="B"))
    items = [
        {"verdict": "different", "records": [f"{cluster}/{a}", f"{cluster}/{b}"], **REASON}
        for cluster, a, b in (("numelink", "M-1", "M-2"), ("clustr-numerique", "1", "2"))
    ]
    answer = await gateway.ask("POST", "/duplicates/decisions", role="staff@numelink", json={"decisions": items})

    assert [item["status"] for item in answer.json()["results"]] == [201, 403]


async def test_who_administers_one_cluster_cannot_reach_the_others_by_giving_access(gateway):
    for right in WHOLE:
        assert Role.ADMIN in roles_with(right)
    inside = await gateway.inside("admin@numelink")
    for method, path, right in (
        ("GET", "/access/people", "give-access"),
        ("POST", "/communications/mail/information", "inform-members"),
        ("POST", "/billing/runs/x/approve", "approve-billing"),
        ("POST", "/communications/suppressions/1/lift", "lift-suppressions"),
    ):
        answer = await gateway.ask_as(method, path, **inside)
        assert (answer.status_code, answer.json()["right"]) == (403, right)


# --- who signs -------------------------------------------------------------------------------------------------------


async def test_a_person_is_their_own_author_whatever_a_body_says(gateway):
    await gateway.feed(NUMELINK, a_member(record_id="M-1"), a_member(record_id="M-2", name="Another"))
    body = {"verdict": "different", **TWO, **REASON}

    forged = await gateway.ask_as(
        "POST", "/duplicates/decisions", json=body | {"author": "the president"}, **await gateway.inside("staff")
    )
    assert (forged.status_code, forged.json()["type"]) == (403, "urn:traboule:problem:author-not-yours")
    assert await gateway.rows("select id from decisions") == []

    decided = await gateway.ask_as("POST", "/duplicates/decisions", json=body, **await gateway.inside("staff"))
    assert decided.status_code == 201
    (kept,) = await gateway.rows("select author, key_id from decisions")
    (person,) = await gateway.rows("select id from people where name = 'a staff'")
    assert (kept["author"], kept["key_id"]) == ("a staff", f"person:{person['id']}")


@pytest.mark.parametrize(("signs", "status"), [(False, 403), (True, 201)])
async def test_a_key_names_an_author_only_where_it_may(gateway, signs, status):
    await gateway.feed(NUMELINK, a_member(record_id="M-1"), a_member(record_id="M-2", name="Another"))
    key = await gateway.key("staff")
    await gateway.sql("update api_keys set signs_for_others = $1", signs)
    body = {"verdict": "different", **TWO, **REASON, "author": "Marie"}

    answer = await gateway.client.post("/duplicates/decisions", json=body, headers={"authorization": f"Bearer {key}"})

    assert answer.status_code == status


async def test_a_key_of_a_version_before_may_as_much_as_then(gateway):
    key = await gateway.key("reader")
    await gateway.sql("delete from grants")
    for role, path, status in (
        ("reader", "/members/{id}/timeline", 403),
        ("staff", "/members/{id}/timeline", 404),
        ("staff", "/access/people", 403),
        ("admin", "/access/people", 403),
    ):
        await gateway.sql("update api_keys set role = $1", role)
        await gateway.callers.refresh()
        answer = await gateway.client.get(
            path.format(id=ANYTHING["member_id"]), headers={"authorization": f"Bearer {key}"}
        )
        assert answer.status_code == status, (role, path)


async def test_a_key_whose_role_was_taken_away_may_nothing(gateway):
    key = await gateway.key("staff")
    headers = {"authorization": f"Bearer {key}"}
    assert (await gateway.client.get("/members", headers=headers)).status_code == 200
    (grant,) = await gateway.rows("select id from grants where key_id is not null")

    ended = await gateway.ask_as("POST", f"/access/grants/{grant['id']}/end", json={}, **await gateway.inside("admin"))

    assert ended.status_code == 200
    assert (await gateway.client.get("/members", headers=headers)).status_code == 403
    listed = (await gateway.ask_as("GET", "/access/keys", **await gateway.inside("admin"))).json()["items"]
    assert [item["roles"] for item in listed] == [[]]


# --- a recent sign-in ------------------------------------------------------------------------------------------------


async def test_what_is_grave_needs_a_recent_sign_in(gateway):
    assert {"move-systems", "give-access"} == FRESH
    inside = await gateway.inside("admin")
    await gateway.sql("update sessions set signed_in_at = now() - interval '16 minutes'")
    await gateway.callers.refresh()
    old = await gateway.inside("admin")

    for path, body in (
        ("/cutover/numelink/membership/moves", {"move": "mirror", **REASON}),
        ("/access/people", {"name": "x", "grants": [{"role": "admin"}]}),
    ):
        answer = await gateway.ask_as("POST", path, json=body, **old)
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:traboule:problem:sign-in-again"), path
    assert (await gateway.ask_as("GET", "/access/people", **old)).status_code == 200
    assert (await gateway.ask_as("POST", "/access/people", json=body, **inside)).status_code == 201


async def test_people_and_keys_who_may_write_are_counted_for_the_gates(gateway):
    for role, counted in (("reader", 0), ("operator", 0), ("staff@numelink", 1), ("treasurer", 2), ("admin", 3)):
        await gateway.person(role)
        async with gateway.engine.begin() as connection:
            assert (await count_writers(connection)).count == counted, role
    await gateway.key("treasurer@numelink")
    await gateway.sql("update people set disabled_at = now() where name = 'a admin'")
    async with gateway.engine.begin() as connection:
        assert (await count_writers(connection)).count == 3
        await announce_write_access(connection)
    (announced,) = await gateway.rows("select expires_at from write_access")
    assert [moment.year for moment in announced["expires_at"]][:2] == [2199, 2199]


# --- traces ----------------------------------------------------------------------------------------------------------


async def traces(gateway):
    await gateway.audit.flush(keys=True)
    rows = await gateway.rows("select name, permission, about, outcome, reason, times from access_audit order by id")
    return [tuple(row.values()) for row in rows]


async def test_looking_at_a_person_leaves_a_trace_and_a_list_does_not(gateway):
    await gateway.feed(NUMELINK, a_member(record_id="M-1"))
    member = own_id(NUMELINK, "M-1")
    inside = await gateway.inside("staff")
    for path in ("/members", "/statistics", f"/members/{member}", f"/members/{member}/timeline", "/members.csv"):
        assert (await gateway.ask_as("GET", path, **inside)).status_code == 200
    reader = await gateway.inside("reader")
    await gateway.ask_as("GET", f"/members/{member}", **reader)

    assert await traces(gateway) == [
        ("a staff", "read-persons", f"member:{member}", "read", None, 1),
        ("a staff", "read-persons", "/members.csv", "read", None, 1),
    ]


async def test_a_programs_reads_are_counted(gateway):
    await gateway.feed(NUMELINK, a_member(record_id="M-1"))
    for _ in range(20):
        await gateway.get(f"/members/{own_id(NUMELINK, 'M-1')}", role="staff")

    assert await traces(gateway) == [("a staff", "read-persons", "/members/{member_id}", "read", None, 20)]


async def test_a_trace_that_no_database_takes_holds_back_no_other(gateway):
    gateway.audit.turned_away("10.0.0.0/24", "link-used")
    gateway.audit.turned_away("10.0\x00/24", "link-used")

    for _ in range(2):
        assert await traces(gateway) == [("", "sign-in", "10.0.0.0/24", "link-used", None, 1)]


async def test_a_trace_that_is_kept_is_not_kept_again_when_the_database_goes_away(gateway, monkeypatch):
    gateway.audit.turned_away("10.0.0.0/24", "link-used")
    gateway.audit.turned_away("10.0\x00/24", "link-used")
    gateway.audit.turned_away("10.1.0.0/24", "link-used")
    keep, rows = gateway.audit._keep, []

    async def once(given, seen):
        rows.append(len(given))
        if len(rows) == 4:
            raise OSError
        await keep(given, seen)

    monkeypatch.setattr(gateway.audit, "_keep", once)
    kept = [("", "sign-in", network, "link-used", None, 1) for network in ("10.0.0.0/24", "10.1.0.0/24")]
    assert await traces(gateway) == kept[:1]
    assert await traces(gateway) == kept


async def test_reads_beyond_what_memory_has_room_for_are_counted_in_the_log(gateway, monkeypatch):
    monkeypatch.setattr("services.gateway.auth.audit.MOST_WAITING", 1)
    await gateway.feed(NUMELINK, a_member(record_id="M-1"), a_member(record_id="M-2", name="Another"))
    inside = await gateway.inside("staff")
    for record in ("M-1", "M-2"):
        await gateway.ask_as("GET", f"/members/{own_id(NUMELINK, record)}", **inside)

    with capture_logs() as logged:
        assert [row[2] for row in await traces(gateway)] == [f"member:{own_id(NUMELINK, 'M-1')}"]
    assert [(line["event"], line["reads"]) for line in logged] == [("audit.lost", 1)]


async def test_a_preview_shows_persons_and_leaves_a_trace(gateway):
    await gateway.feed(NUMELINK, a_member(record_id="M-1"), a_member(record_id="M-2", name="Another"))
    body = {"verdict": "same", **TWO}
    shown = await gateway.ask_as("POST", "/duplicates/decisions/preview", json=body, **await gateway.inside("staff"))

    (member,) = [each["id"] for each in shown.json()["members"]]
    assert await traces(gateway) == [("a staff", "read-persons", f"member:{member}", "read", None, 1)]


async def test_the_trace_says_what_was_looked_at_and_what_was_asked_for(gateway):
    admin = await gateway.inside("admin")
    for path in ("/billing/parked/12", "/billing/parked/13"):
        await gateway.ask_as("GET", path, **admin)
    await gateway.ask_as("POST", "/billing/runs/00000000-0000-4000-8000-000000000007/approve", json=REASON, **admin)
    person = await gateway.person("staff")
    await gateway.ask_as("POST", f"/access/people/{person}/grants", json={"role": "treasurer"}, **admin)
    (grant,) = await gateway.rows("select id from grants where role = 'treasurer'")
    await gateway.ask_as("POST", f"/access/grants/{grant['id']}/end", json={}, **admin)
    made = await gateway.ask_as("POST", "/access/keys", json={"name": "x", "grants": [{"role": "reader"}]}, **admin)

    kept = {(row[2], row[4]) for row in await traces(gateway)}
    assert kept >= {
        ("/billing/parked/12", None),
        ("/billing/parked/13", None),
        ("operation:billing:approve-run:00000000-0000-4000-8000-000000000007", "because"),
        (f"person:{person}", "treasurer"),
        (f"person:{person}", "-treasurer"),
        (f"key:{made.json()['id']}", "reader"),
    }


async def test_a_role_of_a_later_version_gives_nothing_and_keeps_nobody_out(gateway):
    await gateway.sql("alter table grants drop constraint grants_role")
    try:
        await gateway.session("staff")
        await gateway.sql("insert into grants (person_id, role, granted_by) select id, 'archivist', 'x' from people")
        await gateway.callers.refresh()
        caller = (await gateway.inside("staff"))["caller"]
        assert {grant.role for grant in caller.grants} == {Role.STAFF}
    finally:
        await gateway.sql("delete from grants")
        await gateway.sql(
            "alter table grants add constraint grants_role "
            "check (role in ('reader', 'staff', 'treasurer', 'operator', 'admin'))"
        )


async def test_whoever_is_no_administrator_can_be_shut_out_where_there_is_none(gateway):
    person = await gateway.person("staff")
    async with gateway.engine.begin() as connection:
        assert await disable_person(connection, person) == "a staff"


async def test_changes_and_refusals_leave_a_trace(gateway):
    await gateway.feed(NUMELINK, a_member(record_id="M-1"), a_member(record_id="M-2", name="Another"))
    inside, reader = await gateway.inside("staff"), await gateway.inside("reader")
    body = {"verdict": "different", **TWO, "reason": "two houses"}
    assert (await gateway.ask_as("POST", "/duplicates/decisions", json=body, **inside)).status_code == 201
    assert (await gateway.ask_as("POST", "/duplicates/decisions", json=body, **reader)).status_code == 403

    assert await traces(gateway) == [
        ("a staff", "decide-identity", "records:numelink/M-1,numelink/M-2", "done", "two houses", 1),
        ("a reader", "decide-identity", "/duplicates/decisions", "right-missing", None, 1),
    ]


async def test_a_change_that_fails_leaves_none_and_a_trace_that_cannot_be_kept_undoes_the_change(gateway):
    await gateway.feed(NUMELINK, a_member(record_id="M-1"), a_member(record_id="M-2", name="Another"))
    inside = await gateway.inside("staff")
    unknown = {"verdict": "different", "records": ["numelink/M-1", "numelink/M-9"], **REASON}
    assert (await gateway.ask_as("POST", "/duplicates/decisions", json=unknown, **inside)).status_code == 422
    assert await traces(gateway) == []

    await gateway.sql("alter table access_audit add constraint full_disk check (permission = '')")
    try:
        answer = await gateway.ask_as(
            "POST", "/duplicates/decisions", json={"verdict": "different", **TWO, **REASON}, **inside
        )
    finally:
        await gateway.sql("alter table access_audit drop constraint full_disk")
    assert answer.status_code == 500
    assert await gateway.rows("select id from decisions") == []


async def test_reads_wait_while_the_database_is_away(gateway, monkeypatch):
    await gateway.feed(NUMELINK, a_member(record_id="M-1"))
    inside = await gateway.inside("staff")
    await gateway.ask_as("GET", f"/members/{own_id(NUMELINK, 'M-1')}", **inside)
    await gateway.sql("alter table access_audit rename to access_audit_away")
    try:
        await gateway.audit.flush(keys=True)
    finally:
        await gateway.sql("alter table access_audit_away rename to access_audit")

    assert len(await traces(gateway)) == 1
    await asyncio.sleep(0)


@pytest.mark.parametrize(
    "path", ["/members/%00/timeline", "/members/" + DENSE[:1_000] + "/sources", "/records/numelink/%00"]
)
async def test_whatever_an_address_holds_keeps_no_trace_back(gateway, path):
    await gateway.feed(NUMELINK, a_member(record_id="M-1"))
    inside = await gateway.inside("staff")
    assert (await gateway.ask_as("GET", path, **inside)).status_code == 404
    await gateway.ask_as("GET", f"/members/{own_id(NUMELINK, 'M-1')}", **inside)

    about = [row[2] for row in await traces(gateway)]
    assert len(about) == 2
    assert f"member:{own_id(NUMELINK, 'M-1')}" in about


async def test_a_decision_on_records_with_long_names_leaves_its_trace(gateway):
    names = [DENSE[number : number + 190] for number in range(0, 3_800, 190)]
    for name in names:
        await gateway.feed(NUMELINK, a_member(record_id=name, name=f"Membre {names.index(name)}"))
    records = [f"numelink/{name}" for name in names]
    body = {"verdict": "different", "records": records, **REASON}

    assert (await gateway.ask("POST", "/duplicates/decisions", role="staff", json=body)).status_code == 201
    assert len(await traces(gateway)) == 1


async def test_a_session_in_use_lives_on(gateway):
    await gateway.session("staff")
    await gateway.sql("update sessions set seen_at = now() - interval '2 hours'")

    await gateway.get("/console", role="staff")
    await gateway.audit.flush(keys=False)

    (row,) = await gateway.rows("select now() - seen_at < interval '1 minute' as recent from sessions")
    assert row["recent"]


async def test_values_of_differences_are_for_whom_may_read_persons_who_leaves_a_trace(gateway, monkeypatch):
    """Another service compared them; what it answers holds what both sides have of members."""
    shown = {"id": "4f0c12ab90de", "fields": ["email"], "there": {"email": "a@b.example"}, "here": {"email": None}}
    shown["why"] = {"email": "'a@b' is no address"}
    found = []

    async def ask(*_):
        return {"differences": list(found)}

    monkeypatch.setattr("services.gateway.queries.ask", ask)
    path = f"/cutover/{NUMELINK}/billing/parity"
    people = {role: await gateway.inside(role) for role in ("staff", "operator")}

    assert (await gateway.ask_as("GET", path, **people["staff"])).json() == {"differences": []}
    assert await traces(gateway) == [], "nobody's data was there to be seen"
    found.append(shown)
    blind = (await gateway.ask_as("GET", path, **people["operator"])).json()["differences"]
    assert blind == [shown | {"there": None, "here": None, "why": None}]
    assert await traces(gateway) == []
    assert (await gateway.ask_as("GET", path, **people["staff"])).json()["differences"] == [shown]
    assert await traces(gateway) == [("a staff", "read-persons", f"parity:{NUMELINK}/billing", "read", None, 1)]
