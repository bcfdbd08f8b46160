from tests.integration.gateway.duplicates.conftest import two

__all__ = ["two"]
