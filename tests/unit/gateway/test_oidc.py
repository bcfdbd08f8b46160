"""Tokens and answers of an identity provider, one wrong thing at a time."""

import base64
import hashlib
import json
import time
from urllib.parse import parse_qs, urlsplit

import pytest

from services.gateway.auth import oidc
from services.gateway.auth.oidc import Attempt, SignInError
from tests.support.oidc_provider import ISSUER, SayingProvider, elliptic, other_rsa, signed_by_public_key

ATTEMPT = Attempt(nonce="the-nonce", verifier="the-verifier-that-nobody-can-guess-000000000")
ANSWER = {"code": "a-code", "state": "a-state", "iss": ISSUER}


@pytest.fixture
def saying():
    provider = SayingProvider()
    provider.saying(ATTEMPT.nonce)
    return provider


async def refused(saying, answer=ANSWER, attempt=ATTEMPT):
    with pytest.raises(SignInError) as error:
        await saying.provider().identity(answer, attempt)
    return error.value.kind, error.value.detail


async def test_whom_a_right_token_names(saying):
    identity = await saying.provider().identity(ANSWER, ATTEMPT)

    assert (identity.issuer, identity.subject) == (ISSUER, "marie")
    assert identity.email == "marie@numelink.example"
    assert abs(identity.asked_at - time.time()) < 60
    (asked,) = saying.asked
    assert saying.credentials == ["traboule:s%2Bcr%25t"]
    assert asked["code_verifier"] == ATTEMPT.verifier
    assert asked["redirect_uri"].endswith("/console/connexion/retour")


async def test_the_browser_is_sent_with_everything_that_binds_the_attempt(saying):
    address = urlsplit(await saying.provider().address("a-state", ATTEMPT, again=True))
    asked = {name: values[0] for name, values in parse_qs(address.query).items()}

    digest = hashlib.sha256(ATTEMPT.verifier.encode()).digest()
    assert asked["code_challenge"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert asked["code_challenge_method"] == "S256"
    assert (asked["response_type"], asked["state"], asked["nonce"]) == ("code", "a-state", "the-nonce")
    assert (asked["scope"], asked["prompt"]) == ("openid email profile", "login")
    assert ATTEMPT.verifier not in address.query


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("iss", "https://idp.example/"),
        ("iss", "https://evil.example"),
        ("iss", None),
        ("aud", "another"),
        ("aud", ["another"]),
        ("aud", None),
        ("exp", -120),
        ("exp", None),
        ("iat", 600),
        ("iat", None),
        ("nonce", "another"),
        ("nonce", None),
        ("nonce", 7),
        ("sub", None),
        ("sub", ""),
        ("sub", 7),
        ("azp", "another"),
        ("auth_time", None),
        ("auth_time", -13 * 3_600),
        ("auth_time", 600),
    ],
)
async def test_one_wrong_claim_lets_nobody_in(saying, claim, value):
    # Moments are seconds from now: computed here, or each process that collects tests would name them otherwise.
    claimed = int(time.time()) + value if claim in ("exp", "iat", "auth_time") and value is not None else value
    saying.saying(ATTEMPT.nonce, **{claim: claimed})
    kind, _ = await refused(saying)
    assert kind == "token-wrong"


@pytest.mark.parametrize("asked_at", [True, "", [], {}, "now", "1"])
async def test_when_the_person_was_asked_is_a_moment_and_nothing_else(saying, asked_at):
    saying.saying(ATTEMPT.nonce, auth_time=str(int(time.time())) if asked_at == "now" else asked_at)
    assert await refused(saying) == ("token-wrong", "auth_time")


async def test_a_token_for_several_must_say_that_it_was_asked_by_us(saying):
    saying.saying(ATTEMPT.nonce, aud=["traboule", "another"])
    assert await refused(saying) == ("token-wrong", "azp")
    saying.saying(ATTEMPT.nonce, aud=["traboule", "another"], azp="traboule")
    assert (await saying.provider().identity(ANSWER, ATTEMPT)).subject == "marie"


@pytest.mark.parametrize(
    ("claims", "email"),
    [
        ({"email_verified": False}, None),
        ({"email_verified": "true"}, None),
        ({"email_verified": None}, None),
        ({"email": None}, None),
    ],
)
async def test_an_address_that_is_not_verified_is_none(saying, claims, email):
    saying.saying(ATTEMPT.nonce, **claims)
    assert (await saying.provider().identity(ANSWER, ATTEMPT)).email is email


def unsigned(claims, alg="none"):
    parts = [json.dumps({"alg": alg, "kid": "one"}), json.dumps(claims)]
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts) + "."


async def test_a_token_without_a_signature_is_none(saying):
    for alg in ("none", "None", "NONE", "RS256"):
        saying.token = unsigned(saying.claims, alg)
        assert await refused(saying) == ("token-wrong", "signature")


async def test_the_public_key_is_no_secret_to_sign_with(saying):
    saying.token = signed_by_public_key(saying.key, saying.claims)
    assert await refused(saying) == ("token-wrong", "signature")


async def test_another_key_of_the_same_name_opens_nothing(saying):
    saying.signed_by = other_rsa()
    assert await refused(saying) == ("token-wrong", "signature")


async def test_a_new_key_is_read_once_it_is_needed_and_not_for_each_forgery(saying, monkeypatch):
    provider = saying.provider()
    await provider.identity(ANSWER, ATTEMPT)
    new = elliptic()
    saying.keys, saying.signed_by, saying.header = [new], new, {"alg": "ES256", "kid": "two"}

    for _ in range(5):
        with pytest.raises(SignInError):
            await provider.identity(ANSWER, ATTEMPT)
    assert saying.key_reads == 1

    monkeypatch.setattr(oidc, "KEYS_AGAIN_SECONDS", 0)
    assert (await provider.identity(ANSWER, ATTEMPT)).subject == "marie"
    assert saying.key_reads == 2


async def test_a_key_that_the_provider_withdrew_is_believed_no_longer_than_an_hour(saying, monkeypatch):
    provider = saying.provider()
    await provider.identity(ANSWER, ATTEMPT)
    saying.keys = [elliptic()]
    assert (await provider.identity(ANSWER, ATTEMPT)).subject == "marie"

    monkeypatch.setattr(oidc, "METADATA_SECONDS", 0)
    with pytest.raises(SignInError) as error:
        await provider.identity(ANSWER, ATTEMPT)
    assert (error.value.kind, error.value.detail) == ("token-wrong", "signature")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"code": "a-code", "iss": "https://evil.example"}, ("answer-wrong", "iss")),
        ({"code": "a-code"}, ("answer-wrong", "iss")),
        ({"iss": ISSUER}, ("answer-wrong", "code")),
        ({"iss": ISSUER, "error": "access_denied"}, ("provider-refused", "access_denied")),
        ({"iss": ISSUER, "error": "<script>"}, ("provider-refused", "error")),
        ({"error": "access_denied"}, ("answer-wrong", "iss")),
    ],
)
async def test_an_answer_that_does_not_hold_is_refused(saying, answer, expected):
    assert await refused(saying, answer) == expected
    assert saying.asked == []


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        ({"issuer": "https://idp.example/"}, ("provider-wrong", "issuer")),
        ({"issuer": None}, ("provider-wrong", "issuer")),
        ({"token_endpoint": "http://idp.example/token"}, ("provider-wrong", "token_endpoint")),
        ({"token_endpoint": None}, ("provider-wrong", "token_endpoint")),
        ({"jwks_uri": "file:///etc/passwd"}, ("provider-wrong", "jwks_uri")),
    ],
)
async def test_a_provider_that_does_not_hold_is_not_believed(saying, described, expected):
    saying.described |= described
    assert await refused(saying) == expected


async def test_a_code_that_the_provider_does_not_take_lets_nobody_in(saying):
    saying.token_status = 400
    assert await refused(saying) == ("provider-refused", "token endpoint: 400")


async def test_a_provider_that_is_away_is_said_to_be(saying):
    provider = oidc.Provider(
        oidc.Client("http://127.0.0.1:9", "traboule", "secret", "http://localhost/x"), oidc.new_http()
    )
    with pytest.raises(SignInError) as error:
        await provider.address("a-state", ATTEMPT, again=False)
    assert error.value.kind == "provider-away"
    assert await provider.end_address() is None
    await provider.http.aclose()
