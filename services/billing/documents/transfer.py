"""The QR code of a SEPA transfer: a banking application that scans it fills in whom to pay, how much, and what for."""

from decimal import Decimal
from io import BytesIO

import segno.helpers


def transfer_code(name: str, iban: str, amount: Decimal, reference: str) -> str:
    """The code as SVG, with quiet zone. ``reference`` is a creditor reference. Source: EPC069-12, version 002.

    A name is cut at 70 characters, as the standard asks.
    """
    code = segno.helpers.make_epc_qr(name=name[:70], iban=iban, amount=amount, reference=reference, encoding="utf-8")
    out = BytesIO()
    code.save(out, kind="svg", xmldecl=False, border=2)
    return out.getvalue().decode()
