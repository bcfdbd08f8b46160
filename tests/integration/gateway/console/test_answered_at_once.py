"""Two people answer one question within milliseconds: one answer counts, and the other reads it."""

import asyncio
from contextlib import asynccontextmanager

from services.membership.records.repository import LOCK
from tests.integration.gateway.console.test_duplicates import PATH, asked, form_of, send, texts
from tests.integration.gateway.duplicates.decisions import FIRST, OTHER, PAPER, a_company, post, queue
from tests.integration.gateway.gateways import CLUSTR, NUMELINK
from tests.support.waiting import eventually

DECISIONS = "/duplicates/decisions"
WAITING = """
    select count(*) as count from pg_locks where locktype = 'advisory' and not granted
    and database = (select oid from pg_database where datname = current_database())
"""


@asynccontextmanager
async def nobody_decides_yet(gateway, waiting):
    """Whoever decides waits; it goes on once so many wait."""
    async with gateway.engine.begin() as connection:
        await connection.exec_driver_sql(LOCK)
        yield

        async def all_wait():
            return (await gateway.rows(WAITING))[0]["count"] == waiting

        await eventually(all_wait)


async def taken(gateway):
    return (await gateway.get(DECISIONS)).json()["items"]


async def test_of_two_who_answer_on_pages_at_once_the_later_reads_who_was_first(gateway, two):
    page, case = await gateway.get(PATH, role="staff"), await asked(gateway)
    for role in ("staff", "admin"):
        await gateway.session(role)
    fields, address = form_of(page), f"{PATH}/{case['id']}"
    async with nobody_decides_yet(gateway, 2):
        both = [
            asyncio.create_task(send(gateway, address, fields | {"verdict": verdict, "reason": verdict}, role))
            for role, verdict in (("staff", "same"), ("admin", "different"))
        ]
    answers = await asyncio.gather(*both)

    (decision,) = await taken(gateway)
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    late = next(answer for answer in answers if answer.status_code == 409)
    said = {"a staff": "oui, une seule entreprise", "a admin": "non, des entreprises distinctes"}[decision["author"]]
    assert f"Déjà tranché : {said}. {decision['author']}, le " in texts(late.text)
    first = next(answer for answer in answers if answer.status_code == 303)
    assert f"fait={decision['decision']}" in first.headers["location"]


async def test_the_same_answer_twice_at_once_is_one_persons_too(gateway, two):
    case = await asked(gateway)
    body = {"verdict": "same", "records": [FIRST, OTHER], "reason": "r", "case": case["id"]}
    await asyncio.gather(*(gateway.key(role) for role in ("staff", "admin")))
    async with nobody_decides_yet(gateway, 2):
        both = [asyncio.create_task(post(gateway, DECISIONS, body, role)) for role in ("staff", "admin")]
    answers = {answer.status_code: answer.json() for answer in await asyncio.gather(*both)}

    assert set(answers) == {201, 409}
    assert answers[409]["type"] == "urn:traboule:problem:case-answered"
    assert len(await taken(gateway)) == 1


async def test_an_answer_that_names_an_open_question_counts_and_one_that_names_another_does_not(gateway, two):
    await gateway.feed(CLUSTR, a_company(PAPER, record_id="20"))
    await gateway.feed(NUMELINK, a_company(PAPER, record_id="21"))
    first, second = (await queue(gateway))["items"]
    said = [{"verdict": "same", "records": each["questions"][0]["records"], "reason": "r"} for each in (first, second)]
    bulk = {"decisions": [said[0] | {"case": first["id"]}, said[1] | {"case": first["id"]}]}

    done, refused = (await post(gateway, DECISIONS, bulk)).json()["results"]

    assert (done["status"], refused["status"]) == (201, 409)
    assert refused["problem"]["type"] == "urn:traboule:problem:case-answered"
    assert [item["id"] for item in (await queue(gateway))["items"]] == [second["id"]]
    assert (await post(gateway, DECISIONS, said[1] | {"case": "nul\x00"})).status_code == 422
    # A tool that names no question says what it knows, as before.
    assert (await post(gateway, DECISIONS, said[1])).status_code == 201
