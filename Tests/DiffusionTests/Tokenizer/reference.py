"""Tokenizer folders as model repositories have them, and what transformers makes of many texts with each."""

import inspect
import json
import os
import random
import sys

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
sys.dont_write_bytecode = True

from corpus import every_scalar, long_texts, texts  # noqa: E402
from tokenizers import Tokenizer, models, pre_tokenizers, trainers  # noqa: E402
from transformers import CLIPTokenizer  # noqa: E402

START, END = "<|startoftext|>", "<|endoftext|>"


def train(merges):
    """Merges learnt from the texts themselves, so that all kinds of words merge, and a CLIP-like vocabulary."""
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    tokenizer.pre_tokenizer = CLIPTokenizer().backend_tokenizer.pre_tokenizer
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=2 * len(alphabet) + merges,
        initial_alphabet=alphabet,
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    text = [text.lower() for text in texts() for _ in range(3)]
    tokenizer.train_from_iterator(text + inspect.getsource(json.decoder).splitlines(), trainer)
    model = json.loads(tokenizer.to_str())["model"]
    pairs = [merge if isinstance(merge, list) else merge.split(" ") for merge in model["merges"]]
    # In CLIP's order, with which "!" has the number 0.
    tokens = alphabet + [token + "</w>" for token in alphabet]
    tokens += ["".join(pair) for pair in pairs] + [START, END]
    tokens = list(dict.fromkeys(tokens))
    return {token: number for number, token in enumerate(tokens)}, pairs


def write(folder, name, content):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False))


def write_vocabulary(folder, vocabulary, pairs):
    write(folder, "vocab.json", vocabulary)
    lines = ["#version: 0.2"] + [" ".join(pair) for pair in pairs]
    write(folder, "merges.txt", "\n".join(lines) + "\n")


def token(content, normalized=True, **more):
    flags = dict(lstrip=False, normalized=normalized, rstrip=False, single_word=False)
    return {"content": content, **flags, **more}


def of_type(description):
    return {"__type": "AddedToken", **description}


def original(folder, vocabulary, pairs, pad):
    """As runwayml/stable-diffusion-v1-5 and stabilityai/stable-diffusion-2 have them: no `tokenizer.json`."""
    write_vocabulary(folder, vocabulary, pairs)
    configuration = {
        "add_prefix_space": False,
        "bos_token": of_type(token(START)),
        "do_lower_case": True,
        "eos_token": of_type(token(END)),
        "errors": "replace",
        "model_max_length": 77,
        "name_or_path": "openai/clip-vit-large-patch14",
        "pad_token": END,
        "tokenizer_class": "CLIPTokenizer",
        "unk_token": of_type(token(END)),
    }
    write(folder, "tokenizer_config.json", configuration)
    special = dict(
        bos_token=token(START), eos_token=token(END), pad_token=pad, unk_token=token(END)
    )
    write(folder, "special_tokens_map.json", special)


def with_decoder(folder, vocabulary, pairs):
    """As transformers 4.34 and later save a Stable Diffusion 2: the tokens in `added_tokens_decoder`."""
    original(folder, vocabulary, pairs, "!")
    path = os.path.join(folder, "tokenizer_config.json")
    with open(path, encoding="utf-8") as file:
        configuration = json.load(file)
    numbers = [("!", False), (START, False), (END, True)]
    configuration["added_tokens_decoder"] = {
        str(vocabulary[content]): token(content, normalized, special=True)
        for content, normalized in numbers
    }
    configuration.update(bos_token=START, eos_token=END, unk_token=END, pad_token="!")
    write(folder, "tokenizer_config.json", configuration)


def with_many_tokens(folder, vocabulary, pairs):
    """Tokens of every kind, as textual inversion and a careless hand leave them; left is the side that is cut."""
    write_vocabulary(folder, vocabulary, pairs)
    listed = [
        of_type(token("<left>", False, lstrip=True)),
        of_type(token("<right>", False, rstrip=True)),
        of_type(token("lonely", True, single_word=True)),
        of_type(token("ЁЖИК", True)),
        "<plain>",
    ]
    configuration = {
        "model_max_length": 12,
        "padding_side": "left",
        "truncation_side": "left",
        "additional_special_tokens": listed,
        "mask_token": of_type(token("[mask]", False, lstrip=True, rstrip=True, single_word=True)),
        "image_token": "<image>",
    }
    write(folder, "tokenizer_config.json", configuration)
    added = {"<cat-toy>": len(vocabulary), "<Cat-Toy> big": len(vocabulary) + 1, "<plain>": 7}
    write(folder, "added_tokens.json", added)


def without_bytes(folder, vocabulary, pairs):
    """No configuration at all, and a vocabulary that lacks most bytes, as tiny models for tests have."""
    # Lines end as on Windows, and a pair is listed twice.
    kept = {
        token: number
        for token, number in vocabulary.items()
        if token in (START, END)
        or all("a" <= letter <= "r" for letter in token.replace("</w>", "a"))
    }
    merges = [pair for pair in pairs if all(part in kept for part in [*pair, "".join(pair)])]
    write(folder, "vocab.json", {token: number for number, token in enumerate(kept)})
    lines = ["#version: 0.2"] + [" ".join(pair) for pair in merges + merges[:1]]
    write(folder, "merges.txt", "\r\n".join(lines))


def split_special(folder, vocabulary, pairs):
    """Special tokens in a prompt are read as text."""
    original(folder, vocabulary, pairs, END)
    path = os.path.join(folder, "tokenizer_config.json")
    with open(path, encoding="utf-8") as file:
        configuration = json.load(file)
    write(folder, "tokenizer_config.json", {**configuration, "split_special_tokens": True})


def answer(folder, prompts):
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    length = tokenizer.model_max_length if tokenizer.model_max_length < 1e20 else None
    whole = tokenizer(prompts).input_ids
    padded = whole
    if length is not None:
        padded = tokenizer(
            prompts, padding="max_length", max_length=length, truncation=True
        ).input_ids
    lost = []
    for ids in whole:
        ids = ids[1:-1]
        room = len(ids) if length is None else length - 2
        right = tokenizer.truncation_side == "right"
        lost.append(tokenizer.decode(ids[room:] if right else ids[: max(0, len(ids) - room)]))
    # Ids as one string a text: a million numbers take JSON's reader half a minute.
    return {
        "folder": folder,
        "length": length,
        "texts": prompts,
        "whole": [" ".join(map(str, ids)) for ids in whole],
        "padded": [" ".join(map(str, ids)) for ids in padded],
        "lost": lost,
    }


def main(folder):
    random.seed(0)
    vocabulary, pairs = train(merges=2500)
    places = {}

    def make(name, builder, *more):
        places[name] = os.path.join(folder, name)
        builder(places[name], vocabulary, pairs, *more)

    make("sd1", original, END)
    make("sd2", original, "!")
    make("decoder", with_decoder)
    make("many", with_many_tokens)
    make("tiny", without_bytes)
    make("split", split_special)
    # Today's format, with tokenizer.json alone.
    for name in ["sd1", "sd2", "many"]:
        places[f"{name} saved"] = os.path.join(folder, f"{name} saved")
        CLIPTokenizer.from_pretrained(places[name]).save_pretrained(places[f"{name} saved"])
    prompts = texts()
    answers = {name: answer(place, prompts) for name, place in places.items()}
    answers["sd1, long"] = answer(places["sd1"], long_texts())
    answers["sd2, every scalar"] = answer(places["sd2"], every_scalar())
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
