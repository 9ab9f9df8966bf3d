"""Hardware of tests: devices that this machine may not have, and as much memory as a test wants."""

import torch

from model.checkpoints.placement import Hardware


def some_hardware(dtype: torch.dtype = torch.float32, **free: int) -> Hardware:
    """These devices, `cpu` or `cuda_0`, with so many bytes free on each."""
    devices = {torch.device(name.replace("_", ":")): room for name, room in free.items()}
    return Hardware(free=devices, dtypes=dict.fromkeys(devices, dtype))
