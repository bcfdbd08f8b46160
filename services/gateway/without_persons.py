"""A member's view, for those who may read persons' data and for those who may not."""

from typing import Final

import orjson

from services.gateway.auth.caller import Caller

PERSONAL: Final = ("contact", "email", "mobile", "people", "consents", "mailings")
"""An e-mail address is mostly a person's own; a switchboard's number is not."""
_OF_SOURCE: Final = ("from", "member_id")
"""Of a source record: what its former system wrote names people, whichever field it stands in."""
_MARK: Final = "-public2"
"""Another one whenever the form changes, or who has the former is answered that it is still the same."""


def etag_for(caller: Caller, etag: str) -> str:
    """The tag of the form that a caller is shown: two forms of one view have two (RFC 9110, 8.8.3)."""
    return etag if caller.may("read-persons") else etag + _MARK


def document_for(caller: Caller, document: bytes) -> bytes:
    """The view, whole or without what is about persons."""
    if caller.may("read-persons"):
        return document
    view = orjson.loads(document)
    for name in PERSONAL:
        view.pop(name, None)
    view["sources"] = [{name: source[name] for name in _OF_SOURCE} for source in view["sources"]]
    return orjson.dumps(view)
