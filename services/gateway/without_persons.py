"""A member's view for those who may not read persons' data."""

from typing import Final

import orjson

PERSONAL: Final = ("contact", "email", "mobile", "consents", "mailings")
"""An e-mail address is mostly a person's own; a switchboard's number is not."""
_MARK: Final = "-public"


def without_persons(document: bytes) -> bytes:
    """The view without what is about persons."""
    view = orjson.loads(document)
    for name in PERSONAL:
        view.pop(name, None)
    return orjson.dumps(view)


def etag_without_persons(etag: str) -> str:
    """Two forms of one view have two tags (RFC 9110, 8.8.3)."""
    return etag + _MARK
