"""The local Azure of the operations' tests, for the Key Vault."""

from tests.unit.operations.conftest import app as app
from tests.unit.operations.conftest import azure as azure
