"""A provider of OpenID Connect that says whatever a test wants it to say, right or wrong. No browser ever sees it."""

import hmac
import json
import time
from base64 import b64decode, urlsafe_b64encode
from typing import Any

import httpx2
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.gateway.auth.oidc import Client, Provider

ISSUER = "https://idp.example"


class SayingProvider:
    """``claims`` and ``header`` are what its next token says; ``described`` is what it says of itself."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self.keys: list[Any] = [self.key]
        self.signed_by: Any = self.key
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "one"}
        self.claims: dict[str, Any] = {}
        self.token: str | None = None
        self.token_status = 200
        self.asked: list[dict[str, str]] = []
        self.credentials: list[str] = []
        self.key_reads = 0
        self.described: dict[str, Any] = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/auth",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/keys",
            "end_session_endpoint": f"{ISSUER}/end",
            "authorization_response_iss_parameter_supported": True,
        }
        routes = [
            Route("/.well-known/openid-configuration", self._describe),
            Route("/keys", self._keys),
            Route("/token", self._token, methods=["POST"]),
        ]
        self.app = Starlette(routes=routes)

    def http(self) -> httpx2.AsyncClient:
        """How it is asked."""
        return httpx2.AsyncClient(transport=httpx2.ASGITransport(self.app), follow_redirects=False)

    def provider(self) -> Provider:
        """It, as the gateway knows it."""
        redirect = "http://localhost/console/connexion/retour"
        return Provider(Client(ISSUER, "traboule", "s+cr%t", redirect), self.http(), "the test")

    def saying(self, nonce: str, /, **claims: Any) -> None:
        """A right token, but for these claims; one that is None is left out."""
        now = int(time.time())
        right = {
            "iss": ISSUER,
            "aud": "traboule",
            "sub": "marie",
            "nonce": nonce,
            "iat": now,
            "exp": now + 300,
            "auth_time": now,
            "email": "marie@numelink.example",
            "email_verified": True,
            "name": "Marie",
        }
        self.claims = {name: value for name, value in (right | claims).items() if value is not None}

    async def _describe(self, _: Request) -> Response:
        return JSONResponse(self.described)

    async def _keys(self, _: Request) -> Response:
        self.key_reads += 1
        return JSONResponse(KeySet(self.keys).as_dict(private=False))

    async def _token(self, request: Request) -> Response:
        body = (await request.body()).decode()
        self.credentials.append(b64decode(request.headers["authorization"].removeprefix("Basic ")).decode())
        self.asked.append(dict(httpx2.QueryParams(body)))
        token = self.token or jwt.encode(self.header, self.claims, self.signed_by, algorithms=[self.header["alg"]])
        return JSONResponse({"id_token": token, "access_token": "x", "token_type": "Bearer"}, self.token_status)


def other_rsa() -> RSAKey:
    """A key that the provider does not have, under the same name."""
    return RSAKey.generate_key(2048, {"kid": "one"})


def signed_by_public_key(key: RSAKey, claims: dict[str, Any]) -> str:
    """A token whose signature takes the public key for a secret that both share: the old trick."""
    head = ".".join(_encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", "kid": "one"}, claims))
    return f"{head}.{_encoded(hmac.digest(key.as_pem(private=False), head.encode(), 'sha256'))}"


def _encoded(part: bytes) -> str:
    return urlsafe_b64encode(part).decode().rstrip("=")


def elliptic() -> ECKey:
    """A key of another kind."""
    return ECKey.generate_key("P-256", {"kid": "two", "use": "sig"})
