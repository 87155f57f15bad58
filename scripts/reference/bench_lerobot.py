"""Time of a chunk of actions in LeRobot on PyTorch, to be read beside `vlabench bench infer`.

    bench_lerobot.py DIR [--threads N] [--runs N] [--compile]

DIR is a checkpoint made by make_case.py. Prints seconds by the clock and of processor time: median of the runs, one warm-up apart.
"""

import argparse
import json
import os
import statistics
import time
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import torch
from lerobot.policies.factory import make_pre_post_processors
from lerobot.policies.smolvla.modeling_smolvla import SmolVLAPolicy
from PIL import Image


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dir", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--compile", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    os.chdir(args.dir)  # vlm_model_name is relative to it
    policy = SmolVLAPolicy.from_pretrained(Path(".")).float().eval()
    if args.compile:
        policy.model.sample_actions = torch.compile(policy.model.sample_actions)
    pre, post = make_pre_post_processors(policy.config, pretrained_path=".")
    raw = json.loads(Path("observation.json").read_text())
    pixels = {k: np.asarray(Image.open(v)) for k, v in raw["images"].items()}
    wall, cpu = [], []
    for run in range(args.runs + 1):
        begin, begin_cpu = time.perf_counter(), time.process_time()
        obs = {k: torch.from_numpy(v).permute(2, 0, 1).float() / 255 for k, v in pixels.items()}
        obs["observation.state"] = torch.tensor(raw["state"])
        obs["task"] = raw["task"]
        post(policy.predict_action_chunk(pre(obs)))
        if run:
            wall.append(time.perf_counter() - begin)
            cpu.append(time.process_time() - begin_cpu)
    print(json.dumps({"torch": torch.__version__, "threads": args.threads, "compile": args.compile, "runs": args.runs,
                      "median_s": statistics.median(wall), "cpu_s": statistics.median(cpu)}))


if __name__ == "__main__":
    main()
