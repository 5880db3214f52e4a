"""The generic top-level names must resolve to this checkout, not to a dependency."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = "commands flows view tasks templates terrascope_model masks schemas".split()


@pytest.mark.parametrize("name", PACKAGES)
def test_package_resolves_to_this_checkout(name: str) -> None:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert Path(str(spec.origin)) == ROOT / name / "__init__.py"
