"""OpenID Connect, the authorization code flow with PKCE: whom an identity provider says somebody is.

Sources: OpenID Connect Core 1.0 (3.1.2, 3.1.3), RFC 7636 (PKCE, S256), RFC 9207 (``iss`` in the answer), RFC 9700.
Nothing is believed that the token says of itself: algorithms, issuer and audience are ours to choose.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from time import monotonic, time
from typing import Any, Final, Literal
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx2
import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")
SCOPES: Final = "openid email profile"
LEEWAY_SECONDS: Final = 60
METADATA_SECONDS: Final = 3_600.0
LONGEST_SECONDS: Final = 12 * 3_600
"""Somebody whom the provider asked longer ago must be asked again: so long lives a session of ours."""
KEYS_AGAIN_SECONDS: Final = 60.0
"""An unknown ``kid`` makes us read the keys again, at most once in this time."""
RETURNED: Final = "/console/connexion/retour"
"""Where the provider sends the browser back."""
_TIMEOUT: Final = 8.0
_LONGEST: Final = 1_000_000

Fault = Literal["provider-away", "provider-wrong", "provider-refused", "answer-wrong", "token-wrong"]


class SignInError(Exception):
    """Nobody is signed in. ``kind`` says whose fault it is; ``detail`` names the check, and no value."""

    def __init__(self, kind: Fault, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind: Fault = kind
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Client:
    """What we are to the provider. ``issuer`` is compared letter by letter."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to sign in, kept until the provider sends the browser back."""

    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the provider means, and when it asked them last (seconds since 1970).

    ``email`` is None unless the provider has verified it.
    """

    issuer: str
    subject: str
    email: str | None
    asked_at: float


@dataclass(slots=True)
class Provider:
    """One identity provider, with what it publishes about itself."""

    client: Client
    http: httpx2.AsyncClient
    label: str = ""
    """How people call it."""
    _metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    _metadata_at: float = float("-inf")
    _keys: KeySet | None = None
    _keys_at: float = float("-inf")

    @property
    def origin(self) -> str:
        """Where its pages are."""
        parts = urlsplit(self.client.issuer)
        return f"{parts.scheme}://{parts.netloc}"

    async def address(self, state: str, attempt: Attempt, *, again: bool) -> str:
        """Where to send the browser; with ``again`` it must ask the person anew. Raises SignInError."""
        challenge = urlsafe_b64encode(sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self.client.client_id,
            "redirect_uri": self.client.redirect_uri,
            "scope": SCOPES,
            "state": state,
            "nonce": attempt.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            # Asked for, it obliges the provider to say when the person was asked last (OpenID Connect Core, 2).
            "max_age": str(LONGEST_SECONDS),
            **({"prompt": "login"} if again else {}),
        }
        endpoint = _address(await self._described(), "authorization_endpoint")
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(asked)}"

    async def identity(self, answer: Mapping[str, str], attempt: Attempt) -> Identity:
        """Whom the answer names that the browser brought back. Raises SignInError."""
        described = await self._described()
        issuer = answer.get("iss")
        if (issuer is None and described.get("authorization_response_iss_parameter_supported")) or (
            issuer is not None and issuer != self.client.issuer
        ):
            raise SignInError("answer-wrong", "iss")
        if "error" in answer:
            raise SignInError("provider-refused", answer["error"][:40] if answer["error"].isidentifier() else "error")
        if not answer.get("code"):
            raise SignInError("answer-wrong", "code")
        return await self._read(await self._token(answer["code"], attempt), attempt)

    async def end_address(self) -> str | None:
        """Where the browser may end its session with the provider too; None where there is no such place.

        Source: OpenID Connect RP-Initiated Logout 1.0.
        """
        try:
            endpoint = (await self._described()).get("end_session_endpoint")
        except SignInError:
            return None
        if not isinstance(endpoint, str) or not _is_safe(endpoint):
            return None
        return f"{endpoint}?{urlencode({'client_id': self.client.client_id})}"

    async def _token(self, code: str, attempt: Attempt) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.client.redirect_uri,
            "code_verifier": attempt.verifier,
        }
        endpoint = _address(await self._described(), "token_endpoint")
        try:
            # Both are form-encoded before they are joined (RFC 6749, 2.3.1).
            auth = (quote_plus(self.client.client_id), quote_plus(self.client.client_secret))
            reply = await self.http.post(endpoint, data=form, auth=auth)
        except httpx2.HTTPError as error:
            raise SignInError("provider-away", type(error).__name__) from None
        if reply.status_code != 200:
            raise SignInError("provider-refused", f"token endpoint: {reply.status_code}")
        token = _json(reply).get("id_token")
        if not isinstance(token, str):
            raise SignInError("token-wrong", "missing")
        return token

    async def _read(self, token: str, attempt: Attempt) -> Identity:
        claims = (await self._decoded(token)).claims
        registry = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self.client.issuer},
            aud={"essential": True, "value": self.client.client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
        )
        try:
            registry.validate(claims)
        except JoseError as error:
            raise SignInError("token-wrong", getattr(error, "claim", None) or type(error).__name__) from None
        _check_audience(claims, self.client.client_id)
        nonce = claims.get("nonce")
        if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), attempt.nonce.encode()):
            raise SignInError("token-wrong", "nonce")
        subject = claims["sub"]
        if not isinstance(subject, str) or not 1 <= len(subject) <= 255:
            raise SignInError("token-wrong", "sub")
        email = claims.get("email") if claims.get("email_verified") is True else None
        return Identity(self.client.issuer, subject, email if isinstance(email, str) else None, _asked_at(claims))

    async def _decoded(self, token: str) -> jwt.Token:
        try:
            return jwt.decode(token, await self._key_set(), algorithms=list(ALGORITHMS))
        except (JoseError, ValueError):
            if monotonic() - self._keys_at < KEYS_AGAIN_SECONDS:
                raise SignInError("token-wrong", "signature") from None
        # The provider may have changed its keys since.
        self._keys = None
        try:
            return jwt.decode(token, await self._key_set(), algorithms=list(ALGORITHMS))
        except (JoseError, ValueError):
            raise SignInError("token-wrong", "signature") from None

    async def _key_set(self) -> KeySet:
        if self._keys is None or monotonic() - self._keys_at > METADATA_SECONDS:
            keys = await self._fetched(_address(await self._described(), "jwks_uri"))
            try:
                # Keys for secrets that we share with nobody (oct) never check a signature here.
                usable = [key for key in keys["keys"] if key.get("kty") != "oct" and key.get("use", "sig") == "sig"]
                self._keys = KeySet.import_key_set({"keys": usable})
            except (JoseError, KeyError, TypeError, ValueError, AttributeError):
                raise SignInError("provider-wrong", "jwks_uri") from None
            self._keys_at = monotonic()
        return self._keys

    async def _described(self) -> Mapping[str, Any]:
        if monotonic() - self._metadata_at > METADATA_SECONDS:
            described = await self._fetched(f"{self.client.issuer.rstrip('/')}/.well-known/openid-configuration")
            if described.get("issuer") != self.client.issuer:
                raise SignInError("provider-wrong", "issuer")
            self._metadata, self._metadata_at = described, monotonic()
        return self._metadata

    async def _fetched(self, address: str) -> Mapping[str, Any]:
        if not _is_safe(address):
            raise SignInError("provider-wrong", "not https")
        try:
            reply = await self.http.get(address)
        except httpx2.HTTPError as error:
            raise SignInError("provider-away", type(error).__name__) from None
        if reply.status_code != 200:
            raise SignInError("provider-away", str(reply.status_code))
        return _json(reply)


def new_http() -> httpx2.AsyncClient:
    """How the provider is asked: it sends us nowhere else, and answers soon."""
    return httpx2.AsyncClient(timeout=_TIMEOUT, follow_redirects=False)


def _json(reply: httpx2.Response) -> Mapping[str, Any]:
    try:
        value = orjson.loads(reply.content) if len(reply.content) <= _LONGEST else None
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise SignInError("provider-wrong", "not JSON")
    return value


def _address(described: Mapping[str, Any], name: str) -> str:
    address = described.get(name)
    if not isinstance(address, str) or not _is_safe(address):
        raise SignInError("provider-wrong", name)
    return address


def _is_safe(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1"))


def _asked_at(claims: Mapping[str, Any]) -> float:
    """When the person was asked; an old sign-in there must not pass for a recent one here. Raises SignInError."""
    asked_at = claims.get("auth_time")
    if isinstance(asked_at, bool) or not isinstance(asked_at, int | float):
        raise SignInError("token-wrong", "auth_time")
    if not -LEEWAY_SECONDS <= time() - asked_at <= LONGEST_SECONDS + LEEWAY_SECONDS:
        raise SignInError("token-wrong", "auth_time")
    return asked_at


def _check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    """Raises SignInError for a token that is meant for others too, and not by us (OpenID Connect Core, 3.1.3.7)."""
    audience, party = claims["aud"], claims.get("azp")
    if isinstance(audience, list) and len(audience) > 1 and party is None:
        raise SignInError("token-wrong", "azp")
    if party is not None and party != client_id:
        raise SignInError("token-wrong", "azp")
