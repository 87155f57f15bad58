"""A small byte-level BPE with the pipeline of SmolVLM2's tokenizer (digits apart, GPT-2 pattern), trained on a few sentences, saved as the
VLM's processor. Ids above the merges follow SmolVLM2 where the vocabulary is as large."""

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, SmolVLMImageProcessor, SmolVLMProcessor, SmolVLMVideoProcessor

CORPUS = [
    "pick up the black bowl between the plate and the ramekin and place it on the plate",
    "open the top drawer and put the bowl inside", "turn on the stove and put the moka pot on it",
    "push the button, close the door, and slide the window to the left.", "Grasp the red cube and place it in the bin.",
    "It's the robot's arm: don't stop, we'll see what they've done; I'm sure he'd agree.",
    "the quick brown fox jumps over the lazy dog", "sweep the puck into the goal with the hammer, then press the handle down",
] * 4


def save_processor(folder, vocab):
    """Returns the ids of the tokens that the policy's configuration needs."""
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=True)])
    tok.decoder = decoders.ByteLevel()
    small = vocab < 49280
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(vocab_size=vocab - 16 if small else 4096, special_tokens=special, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tok.train_from_iterator(CORPUS, trainer)
    added = ["<fake_token_around_image>", "<global-img>", "<image>", "<end_of_utterance>"]
    tok.add_special_tokens([AddedToken(t, special=True) for t in added])
    ids = {t: tok.token_to_id(t) for t in added}
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tok, pad_token="<|im_end|>", bos_token="<|im_start|>", eos_token="<end_of_utterance>", unk_token="<|endoftext|>",
        truncation_side="left", model_max_length=8192,
        extra_special_tokens={"fake_image_token": added[0], "global_image_token": added[1], "image_token": added[2], "end_of_utterance_token": added[3]})
    processor = SmolVLMProcessor(image_processor=SmolVLMImageProcessor(), tokenizer=fast, video_processor=SmolVLMVideoProcessor(), image_seq_len=64,
                                 chat_template="{{ messages }}")
    processor.save_pretrained(folder)
    return {"pad": tok.token_to_id("<|im_end|>"), "image": ids["<image>"], "fake": ids[added[0]], "global": ids[added[1]]}
