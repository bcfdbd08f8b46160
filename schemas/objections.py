"""What people told the gateway by a link in a mail: kept there while other services are away."""

from hashlib import sha256
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, StringConstraints

from schemas.base import Announced, Moment

TOKEN_LENGTH: Final = 26
"""Letters of a token in the links of a mail: 130 bits in base32, in lower case."""
LinkDigest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


def link_digest(token: str) -> str:
    """What is kept of a token, and told; a mail server may have changed its case."""
    return sha256(token.lower().encode()).hexdigest()


class ObjectionReceived(Announced):
    """Somebody used the link of a mail to get no more of them, or to take that back.

    The token is not told, its digest is: nobody who reads this can use the link.
    """

    service: ClassVar[str] = "membership"
    key: ClassVar[str] = "objection-received"

    link_digest: LinkDigest = Field(description="SHA-256 of the link's token, in hexadecimal")
    act: Literal["object", "undo"] = Field(description="undo: the person took it back")
    scope: Literal["purpose", "everything"] = Field(
        default="purpose", description="everything: no bulk mail of any purpose or brand"
    )
    way: Literal["one-click", "page", "mail"] = Field(description="one-click: RFC 8058; mail: to its mailto: address")
    received_at: Moment = Field(description="When the gateway kept it")
