"""Ids that transformers' tokenizer gives to a few thousand strings, for `tests/data/tokenizer` and for checks of another tokenizer.json.

    make_strings.py TOKENIZER-FOLDER OUT.json [N]

OUT.json is a list of {"text", "ids"}: sentences, digits, white space of every kind, Unicode at random, added tokens in the middle, long texts.
"""

import json
import os
import random
import sys

os.environ["HF_HUB_OFFLINE"] = "1"

from transformers import AutoTokenizer

from tokenizer import CORPUS

SPACES = [" ", "  ", "\n", "\t", "\r\n", "\u00a0", "\u2003", "\u3000", "\u2028", "\x0b", "\x85", "\u180e", "\u200b"]
RANGES = [(0x20, 0x7e), (0xa1, 0x24f), (0x300, 0x3ff), (0x400, 0x52f), (0x590, 0x6ff), (0x900, 0xdff), (0xe00, 0xe7f), (0x2000, 0x2bff),
          (0x3040, 0x30ff), (0x4e00, 0x9fff), (0xac00, 0xd7a3), (0xff00, 0xffef), (0x1f300, 0x1faff), (0x10000, 0x100ff), (0x1d7ce, 0x1d7ff)]
PIECES = ["It's", "we'll", "don't", "'S", "'re", "<image>", "<global-img>", "<|im_end|>", "3.14159", "101", "\u00b2\u00bd\u2167", "e\u0301", "\U0001f468\u200d\U0001f469"]


def word(rng):
    kind = rng.random()
    if kind < 0.35:
        return rng.choice(rng.choice(CORPUS).split())
    if kind < 0.5:
        return rng.choice(PIECES)
    if kind < 0.65:
        return str(rng.randrange(10 ** rng.randrange(1, 9)))
    if kind < 0.75:
        return rng.choice("!?.,;:-_/\\()[]{}\"'`~@#$%^&*+=|<>") * rng.randrange(1, 4)
    low, high = rng.choice(RANGES)
    return "".join(chr(rng.randint(low, high)) for _ in range(rng.randrange(1, 6)))


def main():
    folder, out = sys.argv[1:3]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 2000
    rng = random.Random(7)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    cases = []
    for i in range(count):
        words = rng.randrange(0, 12) if i % 50 else rng.randrange(100, 2000)
        text = "".join(word(rng) + (rng.choice(SPACES) if rng.random() < 0.8 else "") for _ in range(words))
        cases.append({"text": text, "ids": tokenizer(text)["input_ids"]})
    with open(out, "w") as file:
        json.dump(cases, file)
    print(f"{len(cases)} strings, {sum(len(c['ids']) for c in cases)} ids in {out}")


if __name__ == "__main__":
    main()
