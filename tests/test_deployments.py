"""Deployments name their flows by module, and these are flows that take the given parameters."""

from pathlib import Path

import pytest
import yaml
from prefect import Flow
from prefect.utilities.importtools import import_object

ROOT = Path(__file__).resolve().parents[1]
DEPLOYMENTS = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda deployment: deployment["name"])
def test_entrypoint_is_a_flow_named_by_module(deployment) -> None:
    assert ".py:" not in deployment["entrypoint"]
    flow = import_object(deployment["entrypoint"])
    assert isinstance(flow, Flow)
    flow.validate_parameters(deployment["parameters"])
