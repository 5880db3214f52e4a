"""A YAML file of settings, read as keys and values."""

from pathlib import Path
from typing import Any

import yaml

from tasks.errors import ConfigError


def read_yaml(file: Path | None) -> dict[str, Any]:
    """Return the keys and values of a YAML file, none of no file; ConfigError if it has others."""
    if file is None:
        return {}
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"cannot read the configuration {file}: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"{file} must hold keys and values, but holds {type(values).__name__}")
    return values
