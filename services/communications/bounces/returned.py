"""A mail that came back, and to which token; from a server, or from files as mailboxes keep them."""

import mailbox
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal

from schemas.objections import TOKEN_LENGTH

_OURS: Final = re.compile(rf"\b([bu])\+([a-z2-7]{{{TOKEN_LENGTH}}})@", re.IGNORECASE)
_HEADERS: Final = ("x-original-to", "delivered-to", "envelope-to", "to", "cc")
"""Where a mailbox keeps the address that a mail came to."""


@dataclass(frozen=True, slots=True)
class Returned:
    """``token`` is of the address that it came to; ``use`` is ``b`` for a return path, and ``u`` for objections."""

    token: str | None
    use: Literal["b", "u"]
    raw: bytes = field(repr=False)
    received_at: datetime

    @property
    def digest(self) -> bytes:
        """The same mail to the same token, however often it is read."""
        return sha256((self.token or "").lower().encode() + b"\n" + self.raw).digest()


class NoMailboxError(ValueError):
    """This is neither a mailbox file (mbox) nor a Maildir folder."""


def is_ours(address: str) -> bool:
    """Whether it is an address that our mails name."""
    return _OURS.search(address) is not None


def returned_to(address: str, raw: bytes, at: datetime) -> Returned | None:
    """What came to an address of ours; None for one that is not."""
    found = _OURS.search(address)
    if found is None:
        return None
    return Returned(found[2].lower(), "u" if found[1].lower() == "u" else "b", raw, at)


def from_files(path: Path) -> Iterator[Returned]:
    """Every mail of an mbox file or a Maildir folder. Raises NoMailboxError, OSError."""
    if path.is_dir() and (path / "cur").is_dir():
        box: mailbox.Mailbox[Any] = mailbox.Maildir(path, create=False)
    elif path.is_file() and path.read_bytes()[:5] == b"From ":
        box = mailbox.mbox(path, create=False)
    else:
        raise NoMailboxError(f"{path} is neither a mailbox file (mbox) nor a Maildir folder")
    now = datetime.now(UTC)
    with closing(box):
        for key in box.iterkeys():
            raw, message = box.get_bytes(key), box[key]
            addresses = " ".join(str(value) for name in _HEADERS for value in message.get_all(name, ()))
            yield returned_to(addresses, raw, now) or Returned(None, "b", raw, now)
