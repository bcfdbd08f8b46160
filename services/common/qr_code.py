"""A ticket's code in a mail: its QR code as a picture, and the code in groups for people who type it."""

from io import BytesIO
from typing import Final

import segno

_VERSION: Final = 4
LONGEST: Final = 90
"""Characters of digits, capitals and ``$%*+-./:`` in version 4 at error level M (ISO/IEC 18004, table 7)."""
_GROUP: Final = 4


class QrCodeError(ValueError):
    """This text fits no QR code of this size; the message says so without it."""


def grouped(code: str) -> str:
    """The code in groups of four."""
    return " ".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))


def qr_png(text: str, scale: int = 8) -> bytes:
    """The text as a QR code in a PNG, with the border that readers need. Raises QrCodeError.

    ``scale`` is pixels of a square, 8 or more: 328 pixels a side for all tickets, whose codes have 33 squares. What a
    shorter text leaves goes into error correction. Mail programs show PNG by ``cid:`` or ``https:``, and no SVG.
    """
    try:
        code = segno.make_qr(text, error="m", version=_VERSION)
    except segno.DataOverflowError:
        raise QrCodeError(f"its QR code would be larger than version {_VERSION}: shorten the host") from None
    picture = BytesIO()
    code.save(picture, kind="png", scale=max(scale, 8), border=4)
    return picture.getvalue()
