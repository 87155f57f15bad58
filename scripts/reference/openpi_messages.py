"""openpi_messages.py OUT: writes messages of openpi's client with openpi's own packer (package openpi-client), for tests/data/wire.

Each NAME.msgpack has what the tests compare written out beside it in tests/experiments/wire/test_message.c.
Needs: pip install openpi-client numpy msgpack.
"""
import pathlib
import sys

import numpy as np
from openpi_client import msgpack_numpy

out = pathlib.Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
ramp = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
messages = {
    # what examples/libero/main.py of openpi sends, with small pictures
    "observation": {
        "observation/image": ramp,
        "observation/wrist_image": 255 - ramp,
        "observation/state": np.array([0.5, -1.25, 3.0, 0.0, 1e-3, -0.1, 0.04, -0.04]),
        "prompt": "pick up the black bowl",
    },
    # what serving/websocket_policy_server.py replies
    "reply": {
        "actions": np.arange(10, dtype=np.float32).reshape(5, 2) / 4,
        "server_timing": {"infer_ms": 12.5, "prev_total_ms": 20.25},
    },
    "kinds": {
        "big_endian": np.array([1.5, -2.0], dtype=">f4"),
        "flags": np.array([True, False]),
        "half_precision": np.array([1.0], dtype=np.float16),
        "scalar": np.float32(2.5),
        "whole_scalar": np.int64(-7),
        "short": np.array([-3, 300], dtype=np.int16),
        "empty": np.zeros((0, 7), dtype=np.float32),
        "numbers": [1, -200, 70000, 2.5, 2**40, None, True],
        "rows": [[1.0, 2.0], [3.0, 4.0]],
        "bytes": b"\x00\xff",
    },
}
for name, message in messages.items():
    (out / f"{name}.msgpack").write_bytes(msgpack_numpy.packb(message))
