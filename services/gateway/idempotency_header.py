"""The header ``Idempotency-Key``: a request that is sent twice does what it says once.

Source: draft-ietf-httpapi-idempotency-key-header-07, "The Idempotency-Key HTTP Header Field".
"""

import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import Annotated

from fastapi import Header, Request
from pydantic import BaseModel

from services.gateway import idempotency
from services.gateway.auth.caller import Caller
from services.gateway.idempotency import Key, KeyReusedError
from services.gateway.problems import ProblemError
from shared.messaging.unit_of_work import UnitOfWork

IdempotencyKey = Annotated[
    str | None,
    Header(
        max_length=200,
        pattern=r"^[!-~]+$",
        description="a text of your own making, another for each request, such as a UUID: the same request "
        "sent again with the same key within 7 days is not done twice, and is answered as the first",
    ),
]


def key_of(request: Request, caller: Caller, body: BaseModel, sent: str | None) -> Key | None:
    """The key that came with a request, and what it was sent for; None if none came."""
    if sent is None:
        return None
    asked = [request.method, request.url.path, body.model_dump(mode="json")]
    # Not by orjson: a body may hold a number that has more than 64 bits.
    digest = blake2b(json.dumps(asked, sort_keys=True).encode(), digest_size=16).digest()
    # Structured fields (RFC 9651) write a text in quotation marks; many clients do not.
    return Key(caller.key_id, sent.strip('"'), digest)


async def claim(uow: UnitOfWork, key: Key | None, results: Sequence[str]) -> list[str]:
    """The ids that this request makes, or those that it made when it was sent before."""
    if key is None:
        return list(results)
    try:
        return await idempotency.claim(uow, key, results)
    except KeyReusedError:
        raise ProblemError("idempotency-key-reused") from None
