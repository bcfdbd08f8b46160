"""Style, scripts, font and icons. Each has its content's digest in its address, so browsers keep it for a year."""

import gzip
import re
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.problems import ProblemError

FOLDER: Final = Path(__file__).with_name("static")
PREFIX: Final = "/console/static"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_YEAR: Final = "public, max-age=31536000, immutable"
_URL: Final = re.compile(r'url\("([\w.-]+)"\)')

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as it is answered; ``packed`` is the same with gzip, or None where that gains nothing."""

    name: str
    content: bytes
    packed: bytes | None
    media_type: str
    digest: str

    @property
    def address(self) -> str:
        """Where it is to be had."""
        return f"{PREFIX}/{self.digest}/{self.name}"


@cache
def files() -> dict[str, StaticFile]:
    """All of them by name, read once."""
    paths = [path for path in sorted(FOLDER.iterdir()) if path.suffix in _TYPES]
    plain = {path.name: _file(path.name, path.read_bytes()) for path in paths if path.suffix != ".css"}
    styles = {path.name: _file(path.name, _linked(path.read_text(), plain)) for path in paths if path.suffix == ".css"}
    return plain | styles


def address(name: str) -> str:
    """The address of a file for a page. Raises KeyError where there is none such."""
    return files()[name].address


@router.get(PREFIX + "/{digest}/{name}")
async def static_file(request: Request, digest: str, name: str) -> Response:
    """One file. Nobody needs to be signed in: it holds nothing of members."""
    file = files().get(name)
    if file is None:
        raise ProblemError("not-found")
    # A page of another version asks for another digest: it gets what there is, and keeps it for no time.
    headers = {
        "cache-control": _YEAR if digest == file.digest else "no-cache",
        "etag": f'"{file.digest}"',
        "vary": "accept-encoding",
    }
    if request.headers.get("if-none-match", "").removeprefix("W/") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    if file.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.packed, headers={**headers, "content-encoding": "gzip"}, media_type=file.media_type)
    return Response(file.content, headers=headers, media_type=file.media_type)


def _file(name: str, content: bytes) -> StaticFile:
    packed = gzip.compress(content, 9, mtime=0)
    media_type = _TYPES[Path(name).suffix]
    kept = packed if len(packed) < len(content) * 0.9 else None
    return StaticFile(name, content, kept, media_type, sha256(content).hexdigest()[:16])


def _linked(style: str, others: dict[str, StaticFile]) -> bytes:
    """A style sheet whose addresses of other files have their digests."""
    return _URL.sub(lambda match: f'url("../{others[match[1]].digest}/{match[1]}")', style).encode()
