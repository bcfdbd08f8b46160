"""What a server's words mean for an address: pure.

A code alone is a poor witness: of public bounces with 5.x, fewer than half meant that the address does not exist. So
only an unknown user, by its enhanced code (RFC 3463) or by words, counts against an address; and not where words of
spam, policy, quota or size stand beside.
"""

import re
from typing import Final, Literal

Meaning = Literal["unknown-user", "full", "policy", "later", "other"]
"""``policy`` is our own fault: spam, blocklists, DMARC, relaying. ``later`` says nothing of the address."""

_ENHANCED: Final = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_UNKNOWN_CODES: Final = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.4.4"})
_POLICY_CODES: Final = re.compile(r"\b[45]\.7\.\d{1,3}\b")
_FULL_CODES: Final = re.compile(r"\b[45]\.2\.[23]\b|\b[45]\.3\.4\b")


def _any_of(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(words), re.IGNORECASE)


_WHO = "(user|recipient|mailbox|address|account|e-?mail|adresse|destinataire|utilisateur)"
_UNKNOWN: Final = _any_of(
    rf"unknown ({_WHO}|local part)|unknown_user|no such ({_WHO}|person)|invalid {_WHO}",
    rf"{_WHO}[^.\n]{{0,60}}(does not exist|doesn't exist|not exist|not (be )?found|unknown|invalid|not known)",
    rf"{_WHO}[^.\n]{{0,40}}\b(disabled|deactivated|closed|inactive|not active|no longer)",
    rf"{_WHO}[^.\n]{{0,40}}(inconnue?|introuvable|invalide|n'existe)",
    rf"no {_WHO} (here )?by that name|not a valid {_WHO}|bad destination mailbox|unrouteable address",
    r"doesn't have an? \S+ account|recipient (address )?rejected: user|address rejected: unknown",
    r"no longer (on|valid|in use|available)",
    r"(host|domain)( or domain)?( name)? (not found(?!, try again)|does not exist)|unknown host",
    r"not listed in|invalid final delivery userid",
)
_POLICY: Final = _any_of(
    r"\bspam|unsolicited|virus|malware|suspicious|banned|content (rejected|filter)|message (content )?rejected",
    r"\bblock(ed|list|ing)|blacklist|\brbl\b|dnsbl|spamhaus|barracuda|reputation|reverse dns|\bptr\b|ofr_?\d",
    r"\bpolicy\b|\bdmarc\b|\bdkim\b|\bspf\b|authentication|not authori[sz]ed|access denied",
    r"relay(ing)? (access )?(denied|not permitted|prohibited)|unable to relay",
    r"too many (connections|messages|recipients)|rate limit",
)
_FULL: Final = _any_of(
    r"quota|(mailbox|folder) (is )?full|bo[iî]te pleine|storage|insufficient (system )?(space|disk)",
    r"too (large|big)|size limit|exceed(s|ed)? (the )?(maximum|limit|size)",
)
_LATER: Final = _any_of(
    r"gr[ea]ylist|try (again )?later|, try again$|temporar|timed? out",
    r"will (be retried|retry|keep trying|try)|delayed|still trying|not yet been delivered",
)


def meaning_of(words: str, code: int | None = None, enhanced: str | None = None) -> Meaning:
    """What ``words``, with the reply code (RFC 5321) and the enhanced one, say about the recipient's address."""
    codes = {enhanced} if enhanced else {".".join(found) for found in _ENHANCED.findall(words)}
    # "5.7.1 … user unknown" is refused by policy in name only; "5.1.1 … blocked as spam" is so in truth.
    if _FULL.search(words) or any(_FULL_CODES.fullmatch(item) for item in codes):
        return "full"
    unknown_words = bool(_UNKNOWN.search(words))
    if _POLICY.search(words) or (any(_POLICY_CODES.fullmatch(item) for item in codes) and not unknown_words):
        return "policy"
    if (code is not None and 400 <= code < 500) or any(item.startswith("4.") for item in codes):
        return "later"
    if unknown_words or codes & _UNKNOWN_CODES:
        return "unknown-user"
    return "later" if _LATER.search(words) else "other"
