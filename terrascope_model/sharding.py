"""Weights shared out over the processes that train (FSDP): each holds its part of every layer."""

import torch
from accelerate import PartialState
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from terrascope_model.model import TerraScopeModel


def share_out(model: TerraScopeModel) -> None:
    """Leave in each process its part of a model; a layer is whole only while it is computed."""
    state = PartialState()
    mesh = init_device_mesh(torch.device(state.device).type, (state.num_processes,))
    for module in list(model.modules()):
        if type(module).__name__ in TerraScopeModel._no_split_modules:
            fully_shard(module, mesh=mesh)
    fully_shard(model, mesh=mesh)
