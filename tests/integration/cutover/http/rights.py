"""What the broker lets a former system do."""

import pytest

BRIEFLY = pytest.mark.parametrize("patient", [2.0])
"""For what asks services that do not run here."""
