"""The table of rights that people read is the one that is enforced."""

import re
from pathlib import Path

from services.gateway.auth.rights import RIGHTS, ROLE_WORDS, ROLES, SCOPED, WORDS, Role

README = Path(__file__).parents[2] / "services" / "gateway" / "auth" / "README.md"


def table():
    lines = [
        "| right | " + " | ".join(f"`{role}`" for role in Role) + " | in words |",
        "|---|" + "---|" * (len(Role) + 1),
    ]
    for right in RIGHTS:
        given = " | ".join("●" if right in ROLES[role] else " " for role in Role)
        lines.append(f"| `{right}`{' (c)' if right in SCOPED else ''} | {given} | {WORDS[right][1]} |")
    return "\n".join(lines)


def test_the_readme_has_the_table_that_is_enforced():
    (written,) = re.findall(r"<!-- rights -->\n(.*?)\n<!-- /rights -->", README.read_text(), re.DOTALL)
    assert written == table()


def test_every_right_and_role_has_words_in_both_languages():
    assert set(WORDS) == set(RIGHTS)
    assert set(ROLE_WORDS) == set(ROLES) == set(Role)
    assert all(all(words) for words in (*WORDS.values(), *ROLE_WORDS.values()))


def test_every_right_is_somebodys_and_an_administrator_has_all():
    assert ROLES[Role.ADMIN] == set(RIGHTS)
    for role in Role:
        assert ROLES[role] <= ROLES[Role.ADMIN]
