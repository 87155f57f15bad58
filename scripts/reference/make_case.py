"""Builds the real LeRobot SmolVLA policy with seeded random float32 weights, saves it with LeRobot's own code, and dumps what it computes.

    make_case.py tiny OUT               200 thousand parameters, for tests
    make_case.py 0.24B|0.45B|2.25B OUT  the published shapes (1, 2 and 9 GB; the largest takes 13 GB of memory)

OUT becomes a checkpoint directory: config.json, model.safetensors, the processors, vlm/ (configuration and tokenizer of the VLM),
reference.safetensors (in.*, out.*, grad.*: `vlabench verify OUT`), and one raw observation with its actions (observation.json, *.png,
noise.safetensors, actions.json: what `vlabench infer` must reproduce). Nothing is downloaded.
"""

import argparse
import json
import os
import resource
import sys
import time as clock
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import torch
from lerobot.configs.types import FeatureType, PolicyFeature
from lerobot.policies.smolvla.configuration_smolvla import SmolVLAConfig
from lerobot.policies.smolvla.modeling_smolvla import SmolVLAPolicy
from lerobot.policies.smolvla.processor_smolvla import make_smolvla_pre_post_processors
from PIL import Image
from safetensors.torch import save_file
from transformers import SmolVLMConfig

from tokenizer import save_processor

SIZES = {  # text: hidden, mlp, layers, heads, kv heads, head size; vision: hidden, mlp, layers, heads, image, patch; scale; vocabulary
    "tiny": ((48, 128, 4, 6, 2, 8), (24, 64, 2, 3, 32, 4), 4, 512),
    "0.24B": ((576, 1536, 30, 9, 3, 64), (768, 3072, 12, 12, 512, 16), 4, 49280),
    "0.45B": ((960, 2560, 32, 15, 5, 64), (768, 3072, 12, 12, 512, 16), 4, 49280),
    "2.25B": ((2048, 8192, 24, 32, 32, 64), (1152, 4304, 27, 16, 384, 14), 3, 49280),
}
START = clock.monotonic()
TASK = "Pick up the red cube and place it in bin 42."


def say(what):
    """The largest size takes minutes: what it is doing, and how much memory it took so far."""
    gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{clock.monotonic() - START:6.0f} s  {gigabytes:5.1f} GB  {what}", file=sys.stderr, flush=True)


def vlm_config(size, ids):
    text, vision, scale, vocab = SIZES[size]
    return SmolVLMConfig(
        text_config={
            "model_type": "llama", "hidden_size": text[0], "intermediate_size": text[1], "num_hidden_layers": text[2],
            "num_attention_heads": text[3], "num_key_value_heads": text[4], "head_dim": text[5], "vocab_size": vocab,
            "rms_norm_eps": 1e-5, "max_position_embeddings": 8192, "pad_token_id": ids["pad"], "bos_token_id": 1, "eos_token_id": 2,
        },
        vision_config={
            "hidden_size": vision[0], "intermediate_size": vision[1], "num_hidden_layers": vision[2], "num_attention_heads": vision[3],
            "image_size": vision[4], "patch_size": vision[5],
        },
        scale_factor=scale, image_token_id=ids["image"], pad_token_id=ids["pad"], vocab_size=vocab, tie_word_embeddings=False,
    )


def policy_config(size):
    tiny = size == "tiny"
    image = SIZES[size][1][4] if tiny else 512
    inputs = {
        "observation.images.camera1": PolicyFeature(FeatureType.VISUAL, (3, 24, 40) if tiny else (3, 480, 640)),
        "observation.images.camera2": PolicyFeature(FeatureType.VISUAL, (3, 32, 32) if tiny else (3, 256, 256)),
        "observation.state": PolicyFeature(FeatureType.STATE, (6,)),
    }
    return SmolVLAConfig(
        vlm_model_name="vlm", load_vlm_weights=False, device="cpu", push_to_hub=False, pad_language_to="max_length",
        input_features=inputs, output_features={"action": PolicyFeature(FeatureType.ACTION, (7,))},
        resize_imgs_with_padding=(image, image), num_vlm_layers=2 if tiny else 16, chunk_size=5 if tiny else 50,
        n_action_steps=5 if tiny else 50, max_state_dim=8 if tiny else 32, max_action_dim=8 if tiny else 32,
        tokenizer_max_length=24 if tiny else 48,
    )


def randomise(policy, generator):
    """Norms and biases differ from their initial ones and zeros, so that leaving one out is seen."""
    with torch.no_grad():
        for name, p in policy.named_parameters():
            if p.ndim > 1:
                continue
            noise = torch.randn(p.shape, generator=generator)
            p.copy_(0.02 * noise if name.endswith("bias") else 1 + 0.1 * noise)


def observation(config, rng):
    raw = {}
    for key, feature in config.image_features.items():
        c, h, w = feature.shape
        # smooth enough that resizing matters and the PNG stays small
        y, x = np.mgrid[0:h, 0:w]
        waves = [127.5 + 127.5 * np.sin(rng.uniform(2, 9) * x / w + rng.uniform(2, 9) * y / h + rng.uniform(0, 6)) for _ in range(c)]
        raw[key] = np.stack(waves, -1).astype(np.uint8)
    return raw, rng.normal(0, 2, config.robot_state_feature.shape[0]).astype(np.float32)


def write_raw(out, raw, state, noise, actions):
    images = {}
    for key, pixels in raw.items():
        name = key.split(".")[-1] + ".png"
        Image.fromarray(pixels).save(out / name, optimize=True)
        images[key] = name
    save_file({"noise": noise[0].contiguous()}, out / "noise.safetensors")
    (out / "observation.json").write_text(json.dumps({"task": TASK, "state": state.tolist(), "images": images}, indent=1))
    (out / "actions.json").write_text(json.dumps(actions.tolist()))


def statistics(config, rng):
    stats = {}
    for key, n in (("observation.state", config.robot_state_feature.shape[0]), ("action", config.action_feature.shape[0])):
        mean, std = rng.normal(0, 1, n), rng.uniform(0.5, 2, n)
        stats[key] = {"mean": mean, "std": std, "min": mean - 3 * std, "max": mean + 3 * std, "count": np.array([1000])}
    return {k: {s: torch.tensor(v, dtype=torch.float32) for s, v in d.items()} for k, d in stats.items()}


def dump(policy, batch, noise, time, selected):
    """Everything that the reference's own modules compute on the way to loss, gradients and actions."""
    out, model = {}, policy.model
    keep = {}
    hooks = [model.action_out_proj.register_forward_hook(lambda m, i, o: keep.__setitem__("v_t", o.detach().clone())),
             model.vlm_with_expert.lm_expert.norm.register_forward_hook(lambda m, i, o: keep.__setitem__("final_suffix", o.detach().clone()))]
    policy.zero_grad()
    loss, _ = policy.forward(dict(batch), noise=noise, time=time)
    loss.backward()
    out["loss"] = loss.detach().reshape(1)
    out.update(keep)
    say("loss and gradients")
    trained = {n: p.grad for n, p in policy.named_parameters() if p.grad is not None}
    out["grad_norm"] = torch.sqrt(sum((g.double() ** 2).sum() for g in trained.values())).float().reshape(1)
    grads = {n: g.clone() for n, g in trained.items() if selected(n)}
    del trained
    policy.zero_grad(set_to_none=True)  # the largest size has 2 GB of them
    for h in hooks:
        h.remove()
    with torch.no_grad():
        images, masks = policy.prepare_images(batch)
        state, actions = policy.prepare_state(batch), policy.prepare_action(batch)
        tokens, token_mask = batch["observation.language.tokens"], batch["observation.language.attention_mask"]
        for i, image in enumerate(images):
            out[f"image{i}"] = image
            out[f"image_tokens{i}"] = model.vlm_with_expert.embed_image(image)
        say("image tokens")
        embs, pad, att = model.embed_prefix(images, masks, tokens, token_mask, state=state)
        out["prefix_embs"], out["prefix_pad"], out["prefix_att"] = embs, pad.to(torch.uint8), att.to(torch.uint8)
        x_t = time[:, None, None] * noise + (1 - time[:, None, None]) * actions
        out["suffix_embs"] = model.embed_suffix(x_t, time)[0]
        out["sample.actions_padded"] = model.sample_actions(images, masks, tokens, token_mask, state, noise=noise)
    say("sampled actions")
    result = {"out." + k: v.contiguous().clone() for k, v in out.items()}
    result.update({"grad." + n: g.contiguous() for n, g in grads.items()})
    return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("size", choices=SIZES)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--images", type=int, default=1, help="0 leaves the prepared pictures and image tokens out of the dump")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    generator = torch.Generator().manual_seed(args.seed)
    out = args.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    os.chdir(out)  # vlm_model_name is a path relative to the checkpoint

    ids = save_processor(Path("vlm"), SIZES[args.size][3])
    vlm_config(args.size, ids).save_pretrained("vlm")
    config = policy_config(args.size)
    policy = SmolVLAPolicy(config).float()
    randomise(policy, generator)
    say("weights made")
    pre, post = make_smolvla_pre_post_processors(config, dataset_stats=statistics(config, rng))
    policy.save_pretrained(out)
    pre.save_pretrained(out)
    post.save_pretrained(out)
    say("saved")

    raw, state = observation(config, rng)
    obs = {k: torch.from_numpy(v).permute(2, 0, 1).float() / 255 for k, v in raw.items()}
    obs["observation.state"] = torch.from_numpy(state)
    obs["task"] = TASK
    a, t = config.action_feature.shape[0], config.chunk_size
    obs["action"] = torch.from_numpy(rng.normal(0, 1, (1, t, a)).astype(np.float32))
    batch = pre(obs)
    noise = torch.randn((1, t, config.max_action_dim), generator=generator)
    time = torch.tensor([0.37])
    is_pad = torch.zeros((1, t), dtype=torch.bool)
    is_pad[0, -2:] = True
    batch["action_is_pad"] = is_pad
    policy.eval()  # no dropout anyway
    every = args.size == "tiny"
    selected = lambda n: every or not n.startswith("model.vlm_with_expert") or ".layers.0." in n or ".layers.15." in n or n.endswith("norm.weight") and "layers" not in n
    result = dump(policy, batch, noise, time, selected)
    keys = list(config.image_features) + ["observation.state", "action", "observation.language.tokens", "observation.language.attention_mask"]
    result.update({"in." + k: batch[k].contiguous() for k in keys})
    for key in ("in.observation.language.attention_mask",):
        result[key] = result[key].to(torch.uint8)
    result.update({"in.noise": noise, "in.time": time, "in.action_is_pad": is_pad.to(torch.uint8)})
    save_file(result, out / "reference.safetensors")

    policy.reset()
    actions = policy.predict_action_chunk(pre({k: v for k, v in obs.items() if k != "action"}), noise=noise)
    write_raw(out, raw, state, noise, post(actions)[0])
    print(f"{args.size}: {sum(p.numel() for p in policy.parameters())} parameters, loss {result['out.loss'].item():.6f}, in {out}")


if __name__ == "__main__":
    main()
