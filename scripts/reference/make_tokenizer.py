"""A tokenizer of SmolVLM2's pipeline and size (48900 merges, its added tokens), trained on the Python and text files of this machine, for checks where the
real tokenizer.json cannot be had; then: make_strings.py OUT strings.json 2000.

    make_tokenizer.py OUT [FOLDER-WITH-TEXT ...]
"""

import sys
import sysconfig
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

VOCABULARY, LIMIT = 49152, 200_000_000  # bytes of text: enough for as many merges


def texts(folders):
    total = 0
    for folder in folders:
        for path in sorted(Path(folder).rglob("*")):
            if path.suffix not in (".py", ".txt", ".md", ".rst", ".json", ".html") or not path.is_file():
                continue
            text = path.read_text(errors="ignore")[:200_000]
            total += len(text)
            if total > LIMIT:
                return
            yield text


def main():
    out = Path(sys.argv[1])
    folders = sys.argv[2:] or [sysconfig.get_paths()["stdlib"], sysconfig.get_paths()["purelib"], "/usr/share/doc", "/usr/share/perl"]
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=True)])
    tok.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"], show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tok.train_from_iterator(texts(folders), trainer)
    added = ["<global-img>"] + [f"<row_{r}_col_{c}>" for r in range(1, 7) for c in range(1, 7)] + ["<fake_token_around_image>", "<image>"]
    added += [f"<|reserved_special_token_{i}|>" for i in range(88)] + ["<end_of_utterance>"]
    tok.add_special_tokens([AddedToken(t, special=True) for t in added])
    PreTrainedTokenizerFast(tokenizer_object=tok, pad_token="<|im_end|>", truncation_side="left").save_pretrained(out)
    print(f"{tok.get_vocab_size()} tokens in {out / 'tokenizer.json'}")


if __name__ == "__main__":
    main()
