"""The pages of Doublons: one question after another, answered once, undone, and told where it is answered already."""

import re

from services.gateway.auth.rights import Role
from tests.integration.gateway.duplicates.decisions import FIRST, OTHER, PAPER, a_company, decide, queue
from tests.integration.gateway.gateways import CLUSTR, NUMELINK, own_id
from tests.support.present import group_in

PATH = "/console/doublons"
PART = {"hx-request": "true", "hx-request-type": "partial"}
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>\u202e'


def texts(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).replace("\u202f", " ").replace("’", "'")


def form_of(answer, at=""):
    """What a browser would send of the page's form, with nothing changed."""
    html = answer.text.partition('<form method="post" action="/console/doublons/')[2].partition("</form>")[0]
    fields = dict(re.findall(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', html))
    for name, options in re.findall(r'<select[^>]* name="([^"]+)">(.*?)</select>', html):
        fields[name] = group_in(r'value="([^"]*)" selected', options)
    return {name: value.replace("&#39;", "'").replace("&#34;", '"') for name, value in fields.items()}


async def asked(gateway):
    (case, *_) = (await queue(gateway))["items"]
    return case


async def send(gateway, path, fields, role="staff", headers=None):
    return await gateway.ask("POST", path, role=role, data=fields, headers=headers)


async def members(gateway):
    return {(await gateway.get(f"/members/{own_id(*key)}")).json()["id"] for key in ((CLUSTR, "12"), (NUMELINK, "B-1"))}


async def test_a_question_shows_both_sides_and_what_speaks_for_and_against(gateway, two):
    answer = await gateway.get(PATH, role="staff")

    assert answer.status_code == 200
    shown = texts(answer.text)
    assert "Une seule entreprise ?" in shown
    assert "question 1 sur 1" in shown
    assert "Le nom seul ne suffit pas" in shown
    for_it = texts(answer.text.partition("Parle pour")[2].partition("Parle contre")[0])
    assert "Même nom (très fort)" in for_it
    assert 'meter min="0" max="1"' in answer.text
    table = texts(answer.text.partition('class="compared"')[2].partition("</table>")[0])
    assert "= identique" in table
    assert "Téléphone 04 77 00 00 01 un seul –" in table or "Téléphone 0477000001 un seul –" in table
    assert answer.text.count(f'href="/console/membres/{own_id(CLUSTR, "12")}"') == 1
    assert form_of(answer)["reason"] == "Même code postal"


async def test_what_is_alike_and_speaks_against_does_not_read_as_if_it_spoke_for(gateway):
    await gateway.feed(CLUSTR, a_company(record_id="12", siren="732829320", email="contact@forges.example"))
    await gateway.feed(NUMELINK, a_company("Groupe Forges du Gier", record_id="B-1", email="contact@forges.example"))
    case = await asked(gateway)
    against = [item for item in case["questions"][0]["evidence"] if item["weight"] < 0 and "Même" in item["words"]]
    assert against, "there is something alike that speaks against"

    shown = texts((await gateway.get(PATH, role="staff")).text)

    told = shown.partition("Parle contre")[2].partition("Champ par champ")[0]
    for item in against:
        words = item["words"].replace("’", "'")
        assert f"{words}, ce qui arrive plus souvent entre deux entreprises" in told


async def test_a_yes_makes_one_member_and_can_be_undone(gateway, two):
    page = await gateway.get(PATH, role="staff")
    case = await asked(gateway)
    done = await send(gateway, f"{PATH}/{case['id']}", form_of(page) | {"verdict": "same"})

    assert done.status_code == 303
    assert len(await members(gateway)) == 1
    arrived = await gateway.get(done.headers["location"], role="staff")
    assert "Tranché : oui, une seule entreprise" in texts(arrived.text)
    assert "Tout est tranché." in texts(arrived.text)
    undo = arrived.text.partition('action="/console/doublons/decisions/')[2].partition("</form>")[0]
    number = undo.partition("/")[0]
    way_back = group_in(r'name="_retour" value="([^"]+)"', undo).replace("&amp;", "&")
    undone = await send(
        gateway, f"{PATH}/decisions/{number}/annuler", {"reason": "Annulée aussitôt", "_retour": way_back}
    )
    assert undone.status_code == 303
    again = await gateway.get(undone.headers["location"], role="staff")
    assert "La décision est annulée" in texts(again.text)
    assert "Une seule entreprise ?" in texts(again.text)
    assert len(await members(gateway)) == 2


async def test_a_no_brings_a_reason_of_its_own_and_stays(gateway, two):
    await gateway.feed(CLUSTR, a_company(record_id="12", version=2, naf="62.01Z"))
    await gateway.feed(NUMELINK, a_company(record_id="B-1", version=2, siren="732829320", naf="01.11Z"))
    page, case = await gateway.get(PATH, role="staff"), await asked(gateway)
    fields = form_of(page)
    assert fields["_against"] == "Activités différentes (NAF)"
    await send(gateway, f"{PATH}/{case['id']}", fields | {"verdict": "different"})
    (decision,) = (await gateway.get("/duplicates/decisions")).json()["items"]
    assert (decision["reason"], decision["author"]) == ("Activités différentes (NAF)", "a staff")
    assert decision["pairs"] == [{"records": [FIRST, OTHER], "verdict": "different"}]
    assert "Tout est tranché." in texts((await gateway.get(PATH, role="staff")).text)


async def test_a_question_that_somebody_answered_says_so_and_nothing_is_done(gateway, two):
    await gateway.feed(CLUSTR, a_company(PAPER, record_id="20"))
    await gateway.feed(NUMELINK, a_company(PAPER, record_id="21"))
    page = await gateway.get(PATH, role="staff")
    case = next(item for item in (await queue(gateway))["items"] if item["questions"][0]["records"] == [FIRST, OTHER])
    await decide(gateway, "same", reason="elles se disent une")

    late = await send(gateway, f"{PATH}/{case['id']}", form_of(page) | {"verdict": "different"})

    assert late.status_code == 409
    shown = texts(late.text)
    assert "Déjà tranché : oui, une seule entreprise. a staff, le " in shown
    assert "elles se disent une" in shown
    assert "Papeteries du Pilat" in shown, "the next question is here"
    assert len((await gateway.get("/duplicates/decisions")).json()["items"]) == 1
    assert "Déjà tranché" in texts((await gateway.get(f"{PATH}/{case['id']}", role="staff")).text)
    assert "ne se pose plus" in texts((await gateway.get(f"{PATH}/no-such-case", role="staff")).text)


async def test_later_is_remembered_by_the_address(gateway, two):
    await gateway.feed(CLUSTR, a_company(PAPER, record_id="20"))
    await gateway.feed(NUMELINK, a_company(PAPER, record_id="21"))
    first, other = [item["id"] for item in (await queue(gateway))["items"]]
    page = await gateway.get(PATH, role="staff")
    later = group_in(r'href="([^"]+)" data-key="p"', page.text)
    assert later == f"{PATH}?apres={first}"
    put_off = await gateway.get(later, role="staff")
    assert f'action="{PATH}/{other}?apres={first}"' in put_off.text
    assert "plus tard" in texts(put_off.text)
    both = await gateway.get(PATH, role="staff", apres=f"{first},{other}")
    assert f'action="{PATH}/{first}?' in both.text, "of those put off, the first comes again"


async def test_filters_and_pages_stand_in_the_address(gateway):
    for number in range(21):
        name = f"{chr(65 + number) * 4} {chr(90 - number) * 5}"
        await gateway.feed(CLUSTR, a_company(name, record_id=f"{number}"))
        await gateway.feed(NUMELINK, a_company(name, record_id=f"{number}"))
    total = (await queue(gateway))["total"]
    assert total > 20
    page = await gateway.get(PATH, role="staff", sorte="paires", cluster=NUMELINK)
    assert '<option value="paires" selected>' in page.text
    following = group_in(r'href="([^"]+)">Les suivantes', page.text).replace("&amp;", "&")
    assert "sorte=paires" in following
    rest = await gateway.get(following, role="staff")
    assert rest.text.count("data-row") == total - 20
    assert "Revenir au début de la liste" in rest.text
    nothing = await gateway.get(PATH, role="staff", sorte="groupes")
    assert "Aucune question ne répond à ces filtres." in texts(nothing.text)
    assert (await gateway.get(PATH, role="staff", cluster="nobody")).status_code == 422


async def test_a_preview_shows_what_a_yes_would_lead_to_and_does_nothing(gateway, two):
    case, page = await asked(gateway), await gateway.get(PATH, role="staff")
    fields = form_of(page) | {"reason": "typed"}
    whole = await send(gateway, f"{PATH}/{case['id']}/apercu", fields)
    assert "Il y aurait 1 membre :" in texts(whole.text)
    assert 'value="typed"' in whole.text
    part = await send(gateway, f"{PATH}/{case['id']}/apercu", fields, headers=PART)
    assert part.text.strip().startswith('<div class="note info">')
    assert (await gateway.get("/duplicates/decisions")).json()["items"] == []


async def test_a_group_is_sorted_record_by_record(gateway, two):
    await gateway.feed(NUMELINK, a_company(record_id="B-2", siren="552100554", phone="0477000001"))
    await decide(gateway, "same", FIRST, OTHER)
    await decide(gateway, "same", FIRST, f"{NUMELINK}/B-2")
    await decide(gateway, "different", OTHER, f"{NUMELINK}/B-2")
    (case,) = [item for item in (await queue(gateway))["items"] if item["kind"] == "contested"]
    page = await gateway.get(f"{PATH}/{case['id']}", role="staff")
    shown = texts(page.text)
    assert "Lesquelles sont une même entreprise ?" in shown
    assert "Une décision dit que ces deux fiches ne sont pas une même structure" in shown
    fields = form_of(page)
    records = [f"fiche_{name}" for name in (FIRST, OTHER, f"{NUMELINK}/B-2")]
    assert set(records) <= set(fields)
    chosen = dict(zip(records, ("1", "1", "2"), strict=True)) | {"reason": "le SIREN le dit"}
    tried = await send(gateway, f"{PATH}/{case['id']}/apercu", fields | chosen)
    assert "2 membres" in texts(tried.text)
    done = await send(gateway, f"{PATH}/{case['id']}", fields | chosen)
    assert done.status_code == 303, texts(done.text)
    assert len(await members(gateway)) == 1
    assert "réparties en plusieurs entreprises" in texts((await gateway.get(done.headers["location"])).text)
    left_out = dict.fromkeys(records, "")
    refused = await send(gateway, f"{PATH}/{case['id']}", fields | left_out)
    assert refused.status_code in (409, 422)


async def test_what_the_api_refuses_is_shown_with_what_was_typed(gateway, two):
    case, page = await asked(gateway), await gateway.get(PATH, role="staff")
    refused = await send(gateway, f"{PATH}/{case['id']}", form_of(page) | {"verdict": "same", "reason": "x" * 2_000})
    assert refused.status_code == 422
    assert "Ce n'est pas possible ainsi" in texts(refused.text)
    assert "x" * 2_000 in refused.text
    assert len(await members(gateway)) == 2


async def test_who_may_not_decide_reads_and_has_no_buttons(gateway, two):
    page = await gateway.get(PATH, role=Role.TREASURER)
    assert page.status_code == 200
    assert "Vous pouvez lire cette question" in texts(page.text)
    assert 'name="verdict"' not in page.text
    case = await asked(gateway)
    refused = await send(gateway, f"{PATH}/{case['id']}", {"verdict": "same", "reason": "why"}, role=Role.TREASURER)
    assert refused.status_code == 403
    assert (await gateway.get(PATH, role="staff@numelink")).text.count('name="verdict"') == 2
    assert (await gateway.get(PATH, role="reader")).status_code == 403
    assert PATH not in (await gateway.get("/console", role="reader")).text


async def test_what_waits_is_counted_beside_the_area(gateway, two):
    answer = await gateway.get("/console/membres", role="staff")
    assert "Doublons en attente : 1" in texts(answer.text)
    assert "en attente" not in texts((await gateway.get("/console/membres", role="reader")).text)


async def test_what_members_wrote_is_text(gateway):
    for cluster, record_id in ((CLUSTR, "12"), (NUMELINK, "B-1")):
        await gateway.feed(cluster, a_company(HOSTILE, record_id=record_id, city=HOSTILE, street=HOSTILE))
    for path in (PATH, f"{PATH}/evidents?certitude=0.6"):
        answer = await gateway.get(path, role="staff")
        assert "<img" not in answer.text
        assert "<script>alert" not in answer.text
        assert "&lt;img src=x" in answer.text


async def test_the_evident_ones_are_decided_at_once_and_undone_one_by_one(gateway):
    for number, name in enumerate(("Forges du Gier", PAPER, "Tissages du Rhône")):
        await gateway.feed(CLUSTR, a_company(name, record_id=f"{number}"))
        await gateway.feed(NUMELINK, a_company(name, record_id=f"{number}"))
    page = await gateway.get(f"{PATH}/evidents", role="staff", certitude="0.6")
    ticked = re.findall(r'name="(cas_[0-9a-f]+)" value="oui" checked', page.text)
    assert len(ticked) == 3, texts(page.text)
    fields = dict.fromkeys(ticked[:2], "oui") | {"reason": "au téléphone", "certitude": "0.6"}
    nothing = await send(gateway, f"{PATH}/evidents", {"reason": "au téléphone", "certitude": "0.6"})
    assert (nothing.status_code, "Rien n'est coché" in texts(nothing.text)) == (422, True)
    refused = await send(gateway, f"{PATH}/evidents", fields | {"reason": " "})
    assert "Une décision a besoin d'un motif." in texts(refused.text)
    assert "0 paire est une seule entreprise." in texts(refused.text)
    assert (await gateway.get("/duplicates/decisions")).json()["items"] == []

    done = await send(gateway, f"{PATH}/evidents", fields)

    assert "2 paires sont une seule entreprise chacune." in texts(done.text)
    assert len((await queue(gateway))["items"]) == 1
    numbers = re.findall(r'hx-post="/console/doublons/decisions/([0-9]+)/annuler"', done.text)
    assert len(numbers) == 2
    undone = await send(gateway, f"{PATH}/decisions/{numbers[0]}/annuler", {"reason": "non"}, headers=PART)
    assert "annulée" in undone.text
    assert len((await queue(gateway))["items"]) == 2
    stale = await send(gateway, f"{PATH}/evidents", dict.fromkeys(ticked[1:2], "oui") | {"reason": "x"})
    assert stale.status_code == 422


async def test_decisions_are_listed_and_taken_back_with_a_reason(gateway, two):
    await decide(gateway, "same", reason="elles se disent une")
    page = await gateway.get(f"{PATH}/decisions", role="staff")
    shown = texts(page.text)
    assert "Oui, une seule entreprise" in shown
    assert "elles se disent une" in shown
    number = group_in(r'id="d([0-9]+)"', page.text)
    long = await send(gateway, f"{PATH}/decisions/{number}/annuler", {"reason": "y" * 2_000})
    assert (long.status_code, "y" * 2_000 in long.text) == (422, True)
    done = await send(gateway, f"{PATH}/decisions/{number}/annuler", {"reason": "erreur de ma part"})
    assert done.status_code == 303
    assert "Annulée par a staff, le " in texts((await gateway.get(f"{PATH}/decisions", role="staff")).text)
    assert "erreur de ma part" in (await gateway.get(f"{PATH}/decisions", role="staff")).text
    assert "Revenir dessus" not in texts((await gateway.get(f"{PATH}/decisions", role=Role.TREASURER)).text)
    elsewhere = await send(gateway, f"{PATH}/decisions/{number}/annuler", {"reason": "x", "_retour": "//evil.example"})
    assert not elsewhere.headers.get("location", "").startswith("//")
