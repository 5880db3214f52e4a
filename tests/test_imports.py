"""Only import forms that a Prefect bundle follows: absolute, from the module, at the top."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# not commands: nothing of them is bundled, and what each needs is imported when it runs
PACKAGES = ("flows", "view", "tasks", "templates", "terrascope_model", "masks", "schemas")
MODULES = sorted(path for name in PACKAGES for path in (ROOT / name).rglob("*.py"))


def unbundled_imports(source: str) -> list[str]:
    """Return the first-party imports that a bundle would not follow."""
    tree = ast.parse(source)
    bad = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = ["." * node.level + (node.module or "")]
        else:
            continue
        for module in modules:
            relative = module.startswith(".")
            first_party = relative or module.split(".")[0] in PACKAGES
            followed = not relative and "." in module and node in tree.body
            if first_party and not followed:
                bad.append(f"line {node.lineno}: {module}")
    return bad


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_imports_only_what_a_bundle_follows(path: Path) -> None:
    assert unbundled_imports(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "from tasks import ask",
        "from .ask import x",
        "import tasks",
        "def f():\n    from tasks.ask import x",
    ],
)
def test_forms_that_a_bundle_loses_are_found(source: str) -> None:
    assert unbundled_imports(source) != []
