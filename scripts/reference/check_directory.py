"""Loads a checkpoint directory with LeRobot's own classes and compares its actions with those of `vlabench infer`.

    check_directory.py DIR [--program build/release/vlabench] [--observations 3] [--tolerance 1e-4]

DIR is any checkpoint directory, above all one that `vlabench export` wrote. Every tensor that LeRobot's classes have must be in it (strict loading),
and both programs see the same pictures (PNG), state, instruction and noise. Prints the largest difference of the actions in normalised
units and in the robot's, and exits with 3 when the first is above the tolerance. Runs in float32.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import torch
from lerobot.policies.factory import make_pre_post_processors
from lerobot.policies.smolvla.modeling_smolvla import SmolVLAPolicy
from PIL import Image
from safetensors.torch import load_file, save_file

TASKS = ["Pick up the red cube and place it in bin 42.", "open the top drawer", "push the button, then it's done!\n"]


def observe(config, rng, folder):
    """Pictures of another size than the policy's, a state, and the command line that shows them to vlabench."""
    observation, options = {}, []
    for key in config.image_features:
        pixels = rng.integers(0, 256, (int(rng.integers(20, 200)), int(rng.integers(20, 200)), 3), dtype=np.uint8)
        name = Path(folder, key + ".png")
        Image.fromarray(pixels).save(name)
        observation[key] = torch.from_numpy(pixels).permute(2, 0, 1).float() / 255
        options += ["--image", f"{key}={name}"]
    state = rng.normal(0, 1, config.robot_state_feature.shape[0]).astype(np.float32)
    observation["observation.state"] = torch.from_numpy(state)
    return observation, options + ["--state", ",".join(f"{x:.9g}" for x in state)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dir", type=Path)
    parser.add_argument("--program", default="build/release/vlabench")
    parser.add_argument("--observations", type=int, default=3)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    args = parser.parse_args()
    program = Path(args.program).resolve()
    os.chdir(args.dir)  # vlm_model_name may be a path relative to the directory
    policy = SmolVLAPolicy.from_pretrained(".", strict=True).float()
    pre, post = make_pre_post_processors(policy.config, pretrained_path=".")
    config, rng = policy.config, np.random.default_rng(1)
    worst = {"normalised": 0.0, "in the robot's units": 0.0}
    with tempfile.TemporaryDirectory() as folder:
        for i in range(args.observations):
            task = TASKS[i % len(TASKS)]
            observation, options = observe(config, rng, folder)
            noise = torch.from_numpy(rng.normal(0, 1, (1, config.chunk_size, config.max_action_dim)).astype(np.float32))
            save_file({"noise": noise[0]}, Path(folder, "noise.safetensors"))
            theirs = policy.predict_action_chunk(pre({**observation, "task": task}), noise=noise)
            command = [program, "infer", "--checkpoint", ".", "--task", task, "--noise", Path(folder, "noise.safetensors"), "--dump",
                       Path(folder, "dump.safetensors"), *options]
            ours = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
            dims = config.action_feature.shape[0]
            normalised = load_file(Path(folder, "dump.safetensors"))["out.sample.actions_padded"][0, :, :dims]
            worst["normalised"] = max(worst["normalised"], (theirs[0] - normalised).abs().max().item())
            worst["in the robot's units"] = max(worst["in the robot's units"], (post(theirs)[0] - torch.tensor(ours)).abs().max().item())
    for what, difference in worst.items():
        print(f"largest difference of actions, {what}: {difference:.3g}")
    return 0 if worst["normalised"] <= args.tolerance else 3


if __name__ == "__main__":
    sys.exit(main())
