"""Records one expert episode of every Meta-World task with upstream's own code, for `vlabench verify-metaworld`.

    pip install metaworld                      # brings the MuJoCo that it pins; another one may be installed after it
    python3 scripts/reference/metaworld_episodes.py GOALS.json > episodes.json
    vlabench verify-metaworld episodes.json    # a build with the same MuJoCo: scripts/other_mujoco VERSION

GOALS.json: lists of random vectors by task name ("reach-v3"); each task's first is used. Tasks that it lacks are left out.
"""
import json
import sys

import mujoco
import numpy as np
from metaworld.env_dict import ALL_V3_ENVIRONMENTS
from metaworld.policies import ENV_POLICY_MAP

MOMENTS = (1, 2, 5, 10, 25, 50)


def numbers(x):
    return [float(v) for v in x]


def start(cls, rand):
    """The environment with its goal visible and its random vector frozen, after a reset."""
    env = cls()
    env._partially_observable = False
    env.__dict__.pop("sawyer_observation_space", None)  # cached with the goal hidden
    env._freeze_rand_vec = True
    env._set_task_called = True
    env._last_rand_vec = np.array(rand)
    obs, _ = env.reset()
    return env, obs


def record(name, cls, rand):
    env, obs = start(cls, rand)
    policy = ENV_POLICY_MAP[name]()
    episode = {
        "rand_vec": numbers(rand),
        "hand_init": numbers(env.hand_init_pos),
        "mocap_low": numbers(env.mocap_low),
        "reset_low": numbers(env._random_reset_space.low),
        "reset_high": numbers(env._random_reset_space.high),
        "goal_low": numbers(env.goal_space.low),
        "goal_high": numbers(env.goal_space.high),
        "obs_reset": numbers(obs),
        "qpos_reset": numbers(env.data.qpos),
        "steps": {},
        "first_success_step": None,
    }
    for step in range(1, env.max_path_length + 1):
        # a copy: two policies change what they are shown
        action = np.clip(policy.get_action(obs.copy()), -1, 1)
        obs, _, _, _, info = env.step(action)
        if step in MOMENTS:
            episode["steps"][str(step)] = {"action": numbers(action), "obs": numbers(obs)}
        if info["success"]:
            episode["first_success_step"] = step
            break
    return episode


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1]) as file:
        goals = json.load(file)
    out = {"_note": f"upstream's environments and policies on MuJoCo {mujoco.__version__}"}
    for name, cls in ALL_V3_ENVIRONMENTS.items():
        if name in goals:
            out[name] = record(name, cls, goals[name][0])
    json.dump(out, sys.stdout)


if __name__ == "__main__":
    main()
