"""LeRobot on PyTorch as a peer of scripts/bench_peers: loads a checkpoint, warms up, then runs chunks as it is told.

    peer_lerobot.py DIR [--threads N] [--compile]

DIR is a checkpoint made by make_case.py. Prints {"ready": true} once, then for every line "N" on standard input runs N chunks and prints one line of JSON: seconds of
each chunk by the clock and of processor time, and of its stages where they can be told apart (not when compiled).
"""

import argparse
import json
import os
import sys
import time
from collections import defaultdict
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import torch
from lerobot.policies.factory import make_pre_post_processors
from lerobot.policies.smolvla.modeling_smolvla import SmolVLAPolicy
from PIL import Image

stages = defaultdict(float)


def timed(owner, name, stage):
    """Adds the time of owner.name to a stage; stages inside others are taken off by the caller."""
    plain = getattr(owner, name)

    def call(*args, **kwargs):
        begin = time.perf_counter()
        result = plain(*args, **kwargs)
        stages[stage(kwargs) if callable(stage) else stage] += time.perf_counter() - begin
        return result

    setattr(owner, name, call)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dir", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--compile", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    os.chdir(args.dir)  # vlm_model_name is relative to it
    policy = SmolVLAPolicy.from_pretrained(Path(".")).float().eval()
    model = policy.model
    if args.compile:
        model.sample_actions = torch.compile(model.sample_actions)
    else:
        vlm = model.vlm_with_expert.get_vlm_model()
        timed(policy, "prepare_images", "image")
        timed(vlm.vision_model, "forward", "vision")
        timed(vlm.connector, "forward", "connector")
        timed(model.vlm_with_expert, "forward", lambda kwargs: "prefill" if kwargs.get("past_key_values") is None else "expert")
        timed(model, "denoise_step", "flow step")
    pre, post = make_pre_post_processors(policy.config, pretrained_path=".")
    raw = json.loads(Path("observation.json").read_text())
    pixels = {k: np.asarray(Image.open(v)) for k, v in raw["images"].items()}

    def chunk():
        obs = {k: torch.from_numpy(v).permute(2, 0, 1).float() / 255 for k, v in pixels.items()}
        obs["observation.state"] = torch.tensor(raw["state"])
        obs["task"] = raw["task"]
        return post(policy.predict_action_chunk(pre(obs)))

    for _ in range(2):
        chunk()
    print(json.dumps({"ready": True, "torch": torch.__version__}), flush=True)
    for line in sys.stdin:
        wall, cpu, parts = [], [], []
        for _ in range(int(line)):
            stages.clear()
            begin, begin_cpu = time.perf_counter(), time.process_time()
            chunk()
            wall.append(time.perf_counter() - begin)
            cpu.append(time.process_time() - begin_cpu)
            parts.append({k: v / policy.config.num_steps if k == "flow step" else v for k, v in stages.items() if k != "expert"})
        print(json.dumps({"chunk_seconds": wall, "cpu_seconds": cpu, "stages": parts}), flush=True)


if __name__ == "__main__":
    main()
