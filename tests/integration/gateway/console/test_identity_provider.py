"""Signing in by an identity provider: one that says what a test wants, and a real one."""

import re
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest

from deploy.local.runs import free_ports
from services.gateway.auth import signing_in
from services.gateway.console.pages.signing_in import ATTEMPT_COOKIE
from services.gateway.console.session import COOKIE
from services.gateway.public.limits import RateLimit
from tests.integration.gateway.gateways import BROWSER, open_gateway
from tests.support.emptying import EMPTY
from tests.support.oidc_provider import ISSUER, SayingProvider
from tests.support.present import group_in
from tests.support.waiting import eventually

NODE = Path(__file__).parents[3] / "data" / "oidc-provider"
SETTINGS = {"oidc_client_id": "traboule", "oidc_client_secret": "secret", "oidc_name": "la maison"}


@pytest.fixture(autouse=True)
def no_attempts_before(monkeypatch):
    monkeypatch.setattr(signing_in, "_PER_NETWORK", RateLimit(burst=1_000, per_second=1_000))


@pytest.fixture
async def gateway(database_url):
    async with open_gateway(database_url, oidc_issuer=ISSUER, **SETTINGS) as gateway:
        await gateway.sql(EMPTY)
        yield gateway


@pytest.fixture
async def saying(gateway):
    provider = SayingProvider()
    gateway.context.provider.http = provider.http()
    return provider


def cookie_of(answer, name):
    found = re.search(rf"{name}=([\w-]+);", "; ".join(answer.headers.get_list("set-cookie")) + ";")
    return found and found[1]


async def begun(gateway, **fields):
    """What the browser holds after it was sent to the provider: the address's parameters, and a cookie."""
    sent = await gateway.client.post("/console/connexion/fournisseur", headers=BROWSER, data=fields)
    assert sent.status_code == 303, sent.text
    asked = {name: values[0] for name, values in parse_qs(urlsplit(sent.headers["location"]).query).items()}
    return asked, cookie_of(sent, ATTEMPT_COOKIE)


async def back(gateway, cookie, **answer):
    headers = {"cookie": f"{ATTEMPT_COOKIE}={cookie}", "sec-fetch-site": "cross-site", "sec-fetch-dest": "document"}
    return await gateway.client.get("/console/connexion/retour", params=answer, headers=headers)


async def invited(gateway, email="marie@numelink.example"):
    person = await gateway.person("staff", "Marie Dupuis")
    await gateway.sql("update people set email = $1 where id = $2", email, person)
    return person


async def test_whoever_was_invited_comes_in_and_returns_to_the_page_that_was_asked_for(gateway, saying):
    await invited(gateway, "Marie@Numelink.example")
    assert "la maison" in (await gateway.client.get("/console/connexion")).text
    asked, cookie = await begun(gateway, vers="/console/membres?cluster=numelink")
    saying.saying(asked["nonce"])

    entered = await back(gateway, cookie, code="c", state=asked["state"], iss=ISSUER)

    assert (entered.status_code, entered.headers["location"]) == (303, "/console/membres?cluster=numelink")
    session = {"cookie": f"{COOKIE}={cookie_of(entered, COOKIE)}"}
    assert "Marie Dupuis" in (await gateway.client.get("/console", headers=session)).text
    out = await gateway.client.post("/console/deconnexion", headers=session | BROWSER)
    assert out.headers["location"] == f"{ISSUER}/end?client_id=traboule"


async def test_an_address_lets_in_once_and_then_the_subject_counts(gateway, saying):
    person = await invited(gateway)
    for subject, email, status in (
        ("marie", "marie@numelink.example", 303),
        ("marie", "moved@elsewhere.example", 303),  # she is known by who she is
        ("mallory", "marie@numelink.example", 403),  # the address was given to somebody else since
    ):
        asked, cookie = await begun(gateway)
        saying.saying(asked["nonce"], sub=subject, email=email)
        assert (await back(gateway, cookie, code="c", state=asked["state"], iss=ISSUER)).status_code == status
    kept = await gateway.rows("select subject, person_id from identities")
    assert [(row["subject"], row["person_id"]) for row in kept] == [("marie", person)]


@pytest.mark.parametrize(
    ("claims", "disabled"), [({"email_verified": False}, False), ({"email": "x@y"}, False), ({}, True)]
)
async def test_whoever_was_not_invited_is_told_to_ask(gateway, saying, claims, disabled):
    await invited(gateway)
    if disabled:
        await gateway.sql("update people set disabled_at = now()")
    asked, cookie = await begun(gateway)
    saying.saying(asked["nonce"], **claims)

    answer = await back(gateway, cookie, code="c", state=asked["state"], iss=ISSUER)

    assert answer.status_code == 403
    assert "personne ne vous a invité" in answer.text
    assert cookie_of(answer, COOKIE) is None
    (trace,) = await gateway.rows("select outcome from access_audit where permission = 'sign-in'")
    assert trace["outcome"] == "not-invited"


async def test_an_attempt_counts_once_and_in_its_own_browser(gateway, saying):
    await invited(gateway)
    asked, cookie = await begun(gateway)
    other, other_cookie = await begun(gateway)
    saying.saying(asked["nonce"])
    right = {"code": "c", "state": asked["state"], "iss": ISSUER}

    for wrong_cookie, answer in (
        (other_cookie, right),
        ("", right),
        (cookie, right | {"state": other["state"]}),
        (cookie, right | {"state": ""}),
    ):
        refused = await back(gateway, wrong_cookie, **answer)
        assert refused.status_code == 403
        assert cookie_of(refused, COOKIE) is None
    assert (await back(gateway, cookie, **right)).status_code == 303
    assert (await back(gateway, cookie, **right)).status_code == 403


async def test_two_tabs_of_one_browser_do_not_break_each_other(gateway, saying):
    await invited(gateway)
    first, cookie = await begun(gateway)
    jar = {"cookie": f"{ATTEMPT_COOKIE}={cookie}"}
    sent = await gateway.client.post("/console/connexion/fournisseur", headers=BROWSER | jar)
    (second,) = parse_qs(urlsplit(sent.headers["location"]).query)["state"]
    nonces = parse_qs(urlsplit(sent.headers["location"]).query)["nonce"]
    assert cookie_of(sent, ATTEMPT_COOKIE) == cookie
    for state, nonce in ((first["state"], first["nonce"]), (second, nonces[0])):
        saying.saying(nonce)
        assert (await back(gateway, cookie, code="c", state=state, iss=ISSUER)).status_code == 303


async def test_an_old_sign_in_at_the_provider_is_none_that_is_recent_here(gateway, saying):
    await invited(gateway)
    for minutes, is_recent in ((0, True), (20, False)):
        asked, cookie = await begun(gateway)
        assert asked["max_age"] == str(12 * 3_600)
        saying.saying(asked["nonce"], auth_time=int(time.time()) - minutes * 60)
        assert (await back(gateway, cookie, code="c", state=asked["state"], iss=ISSUER)).status_code == 303
        (kept,) = await gateway.rows(
            "select signed_in_at > now() - interval '15 minutes' as recent from sessions order by number desc limit 1"
        )
        assert kept["recent"] is is_recent


async def test_two_attempts_in_two_browsers_do_not_break_each_other(gateway, saying):
    await invited(gateway)
    first, first_cookie = await begun(gateway)
    second, second_cookie = await begun(gateway)
    for asked, cookie in ((second, second_cookie), (first, first_cookie)):
        saying.saying(asked["nonce"])
        assert (await back(gateway, cookie, code="c", state=asked["state"], iss=ISSUER)).status_code == 303


async def test_an_attempt_that_is_too_old_is_over(gateway, saying):
    await invited(gateway)
    asked, cookie = await begun(gateway)
    await gateway.sql("update sign_in_attempts set expires_at = now()")
    saying.saying(asked["nonce"])

    answer = await back(gateway, cookie, code="c", state=asked["state"], iss=ISSUER)
    assert (answer.status_code, "Cet essai est fini" in answer.text) == (403, True)


async def test_what_fails_is_said_in_words_and_leaves_a_trace_without_values(gateway, saying):
    await invited(gateway)
    asked, cookie = await begun(gateway)
    saying.saying("another nonce")

    answer = await back(gateway, cookie, code="c", state=asked["state"], iss=ISSUER)

    assert "personne n’est entré" in answer.text
    (trace,) = await gateway.rows("select outcome, reason from access_audit where permission = 'sign-in'")
    assert (trace["outcome"], trace["reason"]) == ("token-wrong", "nonce")


async def test_a_provider_that_is_away_keeps_nobody_out_who_is_in(database_url):
    async with open_gateway(database_url, oidc_issuer="http://127.0.0.1:9", **SETTINGS) as gateway:
        await gateway.sql(EMPTY)
        answer = await gateway.client.post("/console/connexion/fournisseur", headers=BROWSER)
        assert (answer.status_code, "ne répond pas" in answer.text) == (503, True)
        assert (await gateway.get("/console", role="staff")).status_code == 200


async def test_forms_may_lead_to_the_provider_and_nowhere_else(gateway):
    policy = (await gateway.client.get("/console/connexion")).headers["content-security-policy"]
    assert f"form-action 'self' {ISSUER};" in policy


# --- a real one ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real_provider(tmp_path_factory):
    """oidc-provider, certified by the OpenID Foundation, as its makers published it; its address."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed here")
    folder = tmp_path_factory.mktemp("oidc-provider")
    for name in ("package.json", "package-lock.json", "provider.mjs"):
        shutil.copy(NODE / name, folder / name)
    installed = subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, capture_output=True, timeout=100
    )
    if installed.returncode != 0:
        pytest.skip("no registry of npm packages answers here")
    port, console = free_ports(2)
    process = subprocess.Popen(
        ["node", "--no-warnings", "provider.mjs", str(port), f"http://localhost:{console}/console/connexion/retour"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    yield f"http://127.0.0.1:{port}", console
    process.send_signal(signal.SIGTERM)
    process.wait(20)


async def test_with_a_real_provider(database_url, real_provider):
    issuer, port = real_provider
    async with open_gateway(database_url, oidc_issuer=issuer, http_port=port, **SETTINGS) as gateway:
        await gateway.sql(EMPTY)
        await invited(gateway)

        async def answers():
            with suppress(httpx2.HTTPError):
                async with httpx2.AsyncClient() as client:
                    return (await client.get(f"{issuer}/.well-known/openid-configuration")).status_code == 200

        await eventually(answers, 30)
        for wrong in (None, "verifier", "twice", "nonce"):
            asked, cookie = await begun(gateway)
            if wrong == "verifier":
                await gateway.sql("update sign_in_attempts set verifier = repeat('x', 43)")
            if wrong == "nonce":
                await gateway.sql("update sign_in_attempts set nonce = 'another'")
            answer = await at_the_provider(issuer, asked)
            assert answer["iss"] == issuer
            if wrong == "twice":
                (kept,) = await gateway.rows("select verifier from sign_in_attempts")
                redirect = f"http://localhost:{port}/console/connexion/retour"
                await redeemed(issuer, answer["code"], kept["verifier"], redirect)
            entered = await back(gateway, cookie, **answer)

            assert entered.status_code == (303 if wrong is None else 403), (wrong, entered.text)
            assert (cookie_of(entered, COOKIE) is None) is (wrong is not None)
        outcomes = await gateway.rows("select outcome, reason from access_audit where outcome <> 'done' order by id")
        assert [(row["outcome"], row["reason"]) for row in outcomes] == [
            ("provider-refused", "token endpoint: 400"),
            ("provider-refused", "token endpoint: 400"),
            ("token-wrong", "nonce"),
        ]


async def at_the_provider(issuer, asked):
    """What a person does there: say who they are, and agree. Returns what the browser brings back."""
    async with httpx2.AsyncClient(follow_redirects=False) as client:
        answer = await client.get(f"{issuer}/auth?{urlencode(asked)}")
        for _ in range(10):
            location = answer.headers.get("location", "")
            if location.startswith("http://localhost"):
                return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
            if answer.status_code in (302, 303):
                answer = await client.get(location if location.startswith("http") else issuer + location)
            else:
                action = group_in(r'action="([^"]+)"', answer.text)
                prompt = group_in(r'name="prompt" value="(\w+)"', answer.text)
                form = {"prompt": prompt, "login": "marie", "password": "x"}
                answer = await client.post(action if action.startswith("http") else issuer + action, data=form)
    raise AssertionError("the provider did not send the browser back")


async def redeemed(issuer, code, verifier, redirect_uri):
    """Somebody who knows everything uses the code before us."""
    async with httpx2.AsyncClient(auth=("traboule", "secret")) as client:
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
        reply = await client.post(f"{issuer}/token", data=form | {"redirect_uri": redirect_uri})
        assert reply.status_code == 200, reply.text
