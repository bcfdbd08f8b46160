"""The program knows its version where it was never installed, as in the image; and is shipped under it."""

import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from deploy.local.runs import CHECKOUT
from services import VERSION

FITS = """
import sys
sys.path[:0] = sys.argv[1:3]
from importlib.metadata import PackageNotFoundError, version
from services import SERVICES
from services.cli.backup import restore
from services.cli.backup.folder import Database, Manifest
from services.cli.migrate import migrations_of
from shared.persistence.migrations import head

try:
    version("traboule")
except PackageNotFoundError:
    pass
else:
    sys.exit("it is installed here")
databases = {one: Database(f"{one}.dump", head(migrations_of(one)), 17) for one in SERVICES}
restore._fits(Manifest(1, sys.argv[3], None, "", 0, "traboule", databases, {}))
"""


def test_a_backup_that_a_checkout_made_can_be_restored_where_nothing_is_installed(tmp_path: Path) -> None:
    libraries = Path(sysconfig.get_path("purelib"))
    for entry in libraries.iterdir():
        if not re.match(r"traboule-|_editable_|__editable__|.*\.pth$", entry.name):
            (tmp_path / entry.name).symlink_to(entry)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", FITS, str(tmp_path), str(CHECKOUT), VERSION],
        check=False, capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", sorted((CHECKOUT / "deploy/kubernetes").rglob("*.yaml")), ids=lambda path: path.name)
def test_manifests_name_the_image_of_this_version(path: Path) -> None:
    text = path.read_text("utf-8")
    named = re.findall(r"image: traboule:(\S+)", text) + re.findall(r"/traboule, newTag: (\S+) }", text)
    assert set(named) <= {VERSION}
