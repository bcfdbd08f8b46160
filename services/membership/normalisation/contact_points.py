"""E-mail addresses, phone numbers and websites.

Most of what is written has one of a few shapes, which are read without the libraries; a test holds the shortcuts to
the libraries' answers, and everything else goes to them. Both take long to load, and so are loaded when asked.
"""

import re
from functools import cache

_SPLIT = re.compile(r"[;,\s/|]+")
_EMAIL = re.compile(
    r"([A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*)@((?:[a-z0-9](?:[a-z0-9]|-(?!-))*(?<!-)\.)+[a-z]{2,24})", re.ASCII
)
_RESERVED = (".arpa", ".invalid", ".local", ".localhost", ".onion", ".test")
_PHONE_NOISE = str.maketrans("", "", " .-/()\u00a0\u202f")
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]", re.ASCII)


def read_email(written: str) -> tuple[str | None, bool]:
    """The first valid address, in lower case, and whether there were several values.

    No look-up in the DNS. Lower case throughout: no provider tells ``A.Dupont@`` from ``a.dupont@``, and renewals
    that arrive in other letters must meet their member.
    """
    text = written.strip()
    address = _one_email(text)
    if address is not None:
        return address, False
    parts = [part for part in _SPLIT.split(text) if "@" in part]
    if len(parts) > 1:
        return next((result for part in parts if (result := _one_email(part))), None), True
    return None, False


def _one_email(text: str) -> str | None:
    lowered = text.lower()
    match = _EMAIL.fullmatch(lowered) if len(text) <= 60 else None
    if match and not lowered.endswith(_RESERVED):
        return lowered
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(text, check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        return None


def read_phone(written: str, region: str) -> str | None:
    """The number in E.164 (``+33441305307``) if it exists in numbering plans, read as dialled in ``region`` (ISO)."""
    compact = written.translate(_PHONE_NOISE)
    if region == "FR":
        national = _french_national(compact)
        if national is not None:
            return "+33" + national if _french_plan().fullmatch(national) else _by_library(written, region)
    return _by_library(written, region)


def _french_national(compact: str) -> str | None:
    """The nine digits after 0, +33 or 0033; None for any other shape."""
    if not compact.isascii():
        return None
    if len(compact) == 10 and compact[0] == "0":
        national = compact[1:]
    elif len(compact) == 12 and compact.startswith("+33"):
        national = compact[3:]
    elif len(compact) == 13 and compact.startswith("0033"):
        national = compact[4:]
    else:
        return None
    return national if national.isdigit() and national[0] != "0" else None


@cache
def _french_plan() -> re.Pattern[str]:
    """All numbers that the library's own data holds to exist in France."""
    import phonenumbers

    metadata = phonenumbers.PhoneMetadata.metadata_for_region("FR")
    assert metadata is not None
    kinds = (metadata.fixed_line, metadata.mobile, metadata.toll_free, metadata.premium_rate, metadata.shared_cost)
    kinds += (metadata.personal_number, metadata.voip, metadata.pager, metadata.uan, metadata.voicemail)
    patterns = [kind.national_number_pattern for kind in kinds if kind and kind.national_number_pattern]
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


def _by_library(written: str, region: str) -> str | None:
    import phonenumbers

    try:
        number = phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def read_website(written: str) -> str | None:
    """The host of a web address, in lower case and without ``www.``: ``https://www.Foo.fr/accueil`` → ``foo.fr``."""
    text = _SCHEME.sub("", written.strip(), count=1)
    host = re.split(r"[/?#:]", text, maxsplit=1)[0].strip().lower().removesuffix(".").removeprefix("www.")
    if not host.isascii():
        try:
            host = host.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    return host if _HOST.fullmatch(host) else None


def dialled(number: str) -> str:
    """A number as it is dialled in France, without a plus sign; what is no number stays as it is.

    ``"+33477000000"`` → ``"04 77 00 00 00"``, ``"+4930123456"`` → ``"00 49 30 123456"``
    """
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    if parsed.country_code == phonenumbers.country_code_for_region("FR"):
        return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL).replace("+", "00 ", 1)
