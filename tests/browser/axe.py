"""axe-core, as its makers published it: what it knows to be wrong with a page."""

from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.support.browser import Tab

AXE = Path(__file__).parents[1] / "data" / "axe" / "axe.min.js"
DIGEST = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
"""Of axe-core 4.14.1 (MPL-2.0)."""


def axe_source() -> str:
    """The script, unchanged."""
    source = AXE.read_bytes()
    assert sha256(source).hexdigest() == DIGEST
    return source.decode()


async def violations(tab: Tab, axe: str) -> list[tuple[str, list[str]]]:
    """What is wrong with the page that is shown, and where."""
    await tab.run(f"{axe}; null")
    result: dict[str, Any] = await tab.run("axe.run()")
    assert len(result["passes"]) > 10
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in result["violations"]]
