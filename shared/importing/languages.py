"""What staff read while they import: French first, and English below."""


def in_both(french: str, english: str) -> str:
    """The same in both languages, one below the other."""
    return f"{french}\n  {english}"
