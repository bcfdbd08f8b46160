"""What a person typed to find a member, as words to look for."""

import re

from services.membership.domain.naming import fold

_SPACED_NUMBER = re.compile(r"(?<!\d)(\d{3})[ .\u00a0\u202f]?(\d{3})[ .\u00a0\u202f]?(\d{3})(?:[ .\u00a0\u202f]?\d{5})?(?!\d)")


def search_words(typed: str) -> list[str]:
    """Words without accents and case, each once. A SIREN written with spaces is one word, a SIRET is its SIREN.

    ``"Électricité 732 829 320"`` → ``["electricite", "732829320"]``. Numbers come whole, never cut by a word's end.
    """
    return list(dict.fromkeys(fold(_SPACED_NUMBER.sub(r"\1\2\3", typed).replace("\x00", " ")).split()))
