"""Pages as PDF by typst: a template, and data that are text and never code.

Templates set "Libertinus Serif", which typst has built in: no page depends on a machine's fonts.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import orjson
import typst

Standard = Literal["a-3b"]
"""PDF/A for keeping, which may carry attachments."""


def typeset(template: Path, data: Mapping[str, Any], standard: Standard | None = None) -> bytes:
    """The page, of a template that reads ``sys.inputs.data``. The same data are the same bytes.

    A character that the font lacks is a box; where a standard is named it raises typst.TypstError.
    """
    return typst.compile(
        template.read_bytes(),
        format="pdf",
        pdf_standards=[] if standard is None else [standard],
        sys_inputs={"data": orjson.dumps(data).decode()},
        ignore_system_fonts=True,
    )
