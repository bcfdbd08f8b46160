import asyncio

import orjson
import pytest

from schemas.membership import MemberRemoved
from tests.integration.gateway.gateways import CLUSTR, NUMELINK, own_id
from tests.support.builders import a_member

SIREN = "732829320"


@pytest.fixture
async def merged(gateway):
    """One company under two clusters' ids; returns the current id and the one that was merged away."""
    await gateway.feed(NUMELINK, a_member(record_id="fr:B/104 851", name="Forges du Gier", siren=SIREN))
    await gateway.feed(CLUSTR, a_member(record_id="7", name="Forges du Gier", siren=SIREN))
    return own_id(CLUSTR, "7"), own_id(NUMELINK, "fr:B/104 851")


async def test_a_member_is_served_as_it_is_stored(gateway, merged):
    current, former = merged
    answer = await gateway.get(f"/members/{current}", role="staff")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert int(answer.headers["content-length"]) == len(answer.content)
    async with gateway.engine.connect() as connection:
        stored = (await connection.exec_driver_sql("select document from views")).scalar_one()
    assert answer.content == bytes(stored)
    assert answer.json()["former_ids"] == [former]


async def test_a_reader_is_shown_nothing_about_persons(gateway, merged):
    current, former = merged
    person = {"contact", "email", "mobile", "consents", "mailings"}
    full = await gateway.get(f"/members/{current}", role="staff")
    assert person & set(full.json()) >= {"email", "consents", "mailings"}

    for path in (f"/members/{current}", f"/members/{former}", "/members/by-source/clustr-numerique/7"):
        limited = await gateway.get(path, role="reader")
        etag = limited.headers["etag"]

        assert set(full.json()) - set(limited.json()) == person & set(full.json())
        for known, status in ((etag, 304), (full.headers["etag"], 200)):
            assert (await gateway.get(path, role="reader", headers={"if-none-match": known})).status_code == status


async def test_no_field_of_a_record_brings_a_person_to_a_reader(gateway):
    secrets = {
        "email": "jean@forges.example",
        "mobile": "06 12 34 56 78",
        "contact_first_name": "Jeanne",
        "contact_last_name": "Dupontel",
        "contact_role": "trésorière",
    }
    await gateway.feed(NUMELINK, a_member(record_id="1", name="Forges du Gier", siren=SIREN, **secrets))
    staff = {"name": "Ada Lovelace", "works_for": "1", "email": "ada@forges.example"}
    await gateway.feed(NUMELINK, a_member(record_id="2", **staff))
    path = f"/members/{own_id(NUMELINK, '1')}"
    await gateway.get(path, role="reader")
    for _ in range(2):  # the second by the short way
        whole = await gateway.get(path, role="staff")
        assert "jean@forges.example" in whole.text
        shown = (await gateway.get(path, role="reader")).text
        for secret in (*secrets.values(), *staff.values(), "612345678"):
            assert secret == "1" or secret not in shown, secret
    page = await gateway.get(f"/console/membres/{own_id(NUMELINK, '1')}", role="reader")
    assert page.status_code == 200
    for secret in (*secrets.values(), "Ada Lovelace", "ada@forges.example"):
        assert secret not in page.text


async def test_an_etag_spares_what_did_not_change(gateway, merged):
    current, _ = merged
    path = f"/members/{current}"
    etag = (await gateway.get(path)).headers["etag"]

    for sent in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        answer = await gateway.get(path, headers={"if-none-match": sent})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    assert (await gateway.get(path, headers={"if-none-match": '"other"'})).status_code == 200

    await gateway.feed(
        CLUSTR, a_member(record_id="7", version=2, name="Forges du Gier", siren=SIREN, city="Rive-de-Gier")
    )
    changed = await gateway.get(path, headers={"if-none-match": etag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != etag


@pytest.mark.parametrize("spelling", [str, str.upper, lambda text: text.replace("-", ""), "{{{}}}".format])
async def test_every_id_that_the_member_ever_had_answers(gateway, merged, spelling):
    current, former = merged
    for member_id in (current, former):
        answer = await gateway.get(f"/members/{spelling(member_id)}")
        assert answer.status_code == 200
        assert answer.json()["id"] == current
        if spelling(member_id) != current:
            assert answer.headers["content-location"] == f"/members/{current}"

    etag = (await gateway.get(f"/members/{former}")).headers["etag"]
    assert (await gateway.get(f"/members/{former}", headers={"if-none-match": etag})).status_code == 304


@pytest.mark.parametrize("record", ["fr:B/104 851", "fr%3AB%2F104%20851", "fr:B%2F104%20851"])
async def test_former_systems_ids_answer(gateway, merged, record):
    answer = await gateway.get(f"/members/by-source/{NUMELINK}/{record}", role="reader")

    assert answer.status_code == 200
    assert answer.json()["id"] == merged[0]
    assert answer.headers["content-location"] == f"/members/{merged[0]}"


async def test_a_former_systems_id_that_a_record_says_to_be_answers_too(gateway):
    await gateway.feed(NUMELINK, a_member(record_id="C-1", name="Atelier Néon", same_as="member:9"))

    answer = await gateway.get(f"/members/by-source/{NUMELINK}/member:9")

    assert answer.json()["id"] == own_id(NUMELINK, "C-1")
    # Another cluster's number is another company.
    assert (await gateway.get(f"/members/by-source/{CLUSTR}/member:9")).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/members/00000000-0000-0000-0000-000000000000",
        "/members/x",
        "/members/%00",
        "/members/by-source/numelink/x",
        "/members/by-source/nobody/7",
        "/members/by-source/numelink/%00",
        "/members/00000000-0000-0000-0000-000000000000/timeline",
        "/members/x/sources",
    ],
)
async def test_who_is_not_there_is_not_found(gateway, merged, path):
    answer = await gateway.get(path)

    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:traboule:problem:member-unknown"


async def test_who_was_removed_is_gone(gateway):
    member = own_id(NUMELINK, "1")
    await gateway.feed(NUMELINK, a_member(record_id="1"))
    assert (await gateway.get(f"/members/{member}")).status_code == 200

    await gateway.feed(NUMELINK, MemberRemoved(record_id="1", version=2))

    for path in (f"/members/{member}", f"/members/by-source/{NUMELINK}/1", f"/members/{member}/timeline"):
        answer = await gateway.get(path)
        assert answer.status_code == 410
        assert answer.json()["type"] == "urn:traboule:problem:member-removed"

    await gateway.feed(NUMELINK, a_member(record_id="1", version=3))
    assert (await gateway.get(f"/members/{member}")).status_code == 200


async def test_a_member_that_lost_one_of_its_records_stays(gateway, merged):
    current, former = merged
    await gateway.feed(NUMELINK, MemberRemoved(record_id="fr:B/104 851", version=2))

    view = (await gateway.get(f"/members/{current}")).json()
    assert view["former_ids"] == [former]
    assert view["removed_sources"] == ["numelink/fr:B/104 851"]
    answer = await gateway.get(f"/members/{former}")
    assert (answer.status_code, answer.json()["id"]) == (200, current)


async def test_many_at_once_each_get_their_own(gateway):
    await gateway.feed_together(NUMELINK, [a_member(record_id=str(number)) for number in range(300)])
    ids = [own_id(NUMELINK, str(number)) for number in range(300)]
    unknown = ["00000000-0000-0000-0000-000000000000"] * 5

    answers = await asyncio.gather(*(gateway.get(f"/members/{text}") for text in [*ids, *unknown, *ids[:50]]))

    assert [orjson.loads(answer.content).get("id") for answer in answers] == [*ids, *[None] * 5, *ids[:50]]
    assert [answer.status_code for answer in answers[300:305]] == [404] * 5


async def test_sources_show_what_was_written_beside_what_was_understood(gateway):
    await gateway.feed(NUMELINK, a_member(record_id="1", siren="123", phone="04 77 12 34 56", postcode="7000"))
    path = f"/members/{own_id(NUMELINK, '1')}/sources"

    answer = await gateway.get(path, role="staff")

    (source,) = answer.json()["items"]
    assert answer.headers["content-language"] == "fr"
    assert source["written"]["phone"] == "04 77 12 34 56"
    assert source["understood"]["phone"] == "+33477123456"
    assert "search_text" not in source["understood"]
    assert (source["stage"], source["changeable"]) == ("legacy", False)
    problems = {item["code"]: item for item in source["problems"]}
    assert problems["siren-invalid"]["written"] == "123"
    assert "SIREN valable" in problems["siren-invalid"]["meaning"]
    assert "zéro" in problems["leading-zero-restored"]["meaning"]
    english = (await gateway.get(path, role="staff", headers={"accept-language": "en-GB, fr;q=0.5"})).json()
    assert (
        "leading zero"
        in {item["code"]: item for item in english["items"][0]["problems"]}["leading-zero-restored"]["meaning"]
    )
