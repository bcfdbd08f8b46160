"""What is given to browsers is what others published, and small."""

import gzip
import re
from hashlib import sha256

from services.gateway.console.statics import FOLDER, files

LISTED = dict(re.findall(r"^\| ([\w.-]+) \|.*`([0-9a-f]{64})` \|$", (FOLDER / "VENDORED.md").read_text(), re.MULTILINE))
OURS = {"console.css", "console.js", "mark.svg"}


def test_what_others_made_is_as_they_published_it():
    assert len(LISTED) == 3
    for name, digest in LISTED.items():
        assert sha256((FOLDER / name).read_bytes()).hexdigest() == digest, name


def test_every_file_is_ours_or_is_listed_with_its_licence():
    assert set(files()) == OURS | set(LISTED)
    for licence in re.findall(r"`([\w.-]+\.LICENSE)`", (FOLDER / "VENDORED.md").read_text()):
        assert (FOLDER / licence).stat().st_size > 500


def test_a_cold_browser_loads_little():
    packed = {name: len(file.packed or file.content) for name, file in files().items()}
    assert packed["console.css"] <= 8 * 1024
    assert (FOLDER / "console.js").stat().st_size <= 3 * 1024
    assert packed["console.js"] + packed["htmx.min.js"] <= 20 * 1024
    assert sum(packed.values()) <= 70 * 1024


def test_addresses_in_the_style_sheet_have_the_digests_of_their_files():
    style = files()["console.css"].content.decode()
    (address,) = re.findall(r'url\("([^"]+)"\)', style)
    font = files()["source-sans-3-latin-wght-normal.woff2"]
    assert address == f"../{font.digest}/{font.name}"
    assert font.packed is None, "it is packed already"


def test_what_is_packed_is_the_same():
    for file in files().values():
        assert file.packed is None or gzip.decompress(file.packed) == file.content
