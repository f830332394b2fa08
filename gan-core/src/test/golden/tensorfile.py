"""Writes safetensors files whose bytes depend on their content alone.

The `safetensors` package orders metadata by a randomly seeded hash, so two runs differ; committed files must not.
"""

import json
import struct
from pathlib import Path

import numpy as np
import torch

DTYPES = {"float64": "F64", "float32": "F32", "int64": "I64", "int32": "I32", "uint8": "U8"}


def write(path, tensors, metadata):
    """Writes `tensors` (name -> array or torch tensor) and `metadata` (name -> value; non-strings become JSON)."""
    header = {"__metadata__": {k: v if isinstance(v, str) else json.dumps(v) for k, v in sorted(metadata.items())}}
    data, offset = [], 0
    for name, tensor in sorted(tensors.items()):
        array = tensor.detach().contiguous().numpy() if isinstance(tensor, torch.Tensor) else np.asarray(tensor)
        raw = array.astype(array.dtype.newbyteorder("<")).tobytes()
        header[name] = {
            "dtype": DTYPES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + len(raw)],
        }
        data.append(raw)
        offset += len(raw)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data))
