import shutil
import subprocess
from typing import Any

import pytest
import yaml

from tests.unit.deploy.kubernetes.objects import FOLDER

OVERLAYS = ["base", "overlays/example"]
KUBECTL = shutil.which("kubectl")


@pytest.fixture(scope="module", params=OVERLAYS)
def built(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    if KUBECTL is None:
        pytest.skip("kubectl is not installed: the manifests cannot be built")
    done = subprocess.run([KUBECTL, "kustomize", str(FOLDER / request.param)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "deprecated" not in done.stderr
    return [item for item in yaml.safe_load_all(done.stdout) if item]
