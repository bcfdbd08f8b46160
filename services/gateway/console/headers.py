"""What every answer of the console says to browsers, refusals and files included."""

from collections.abc import Sequence
from typing import Final

_FEATURES: Final = ("camera", "geolocation", "microphone", "payment", "usb", "display-capture")


def content_policy(form_targets: Sequence[str] = ()) -> str:
    """The Content-Security-Policy; ``form_targets`` are origins that a form may lead to besides ours."""
    forms = " ".join(("'self'", *form_targets))
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        f"connect-src 'self'; form-action {forms}; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
    )


STRICT: Final = {
    "content-security-policy": content_policy(),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": ", ".join(f"{feature}=()" for feature in _FEATURES),
    "x-robots-tag": "noindex",
    "cache-control": "private, no-store",
}
"""By name. Only what is missing is added: a file that may be cached says so itself."""

SECURE: Final = {"strict-transport-security": "max-age=31536000"}
"""Where browsers reach us by TLS."""
