"""Trims a vocabulary to the tokens in use, and the embeddings with it.

Single characters stay, so that any word can still be spelt out. Texts of kept tokens keep their
vectors.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import torch
from sentence_transformers import SentenceTransformer
from torch import nn

from penchant.domain.errors import ConfigError
from penchant.training.finetuning.trainable_encoder import transformer_of

TOKENIZER, CONFIG, WORDS = "tokenizer.json", "tokenizer_config.json", "vocab.txt"


def state_of(model: SentenceTransformer) -> dict[str, Any]:
    """The state of an encoder's tokenizer, in the format of tokenizer.json."""
    tokenizer: Any = model.tokenizer
    state: dict[str, Any] = json.loads(tokenizer.backend_tokenizer.to_str())
    return state


def tokens_in_use(state: Mapping[str, Any], ids: Iterable[int]) -> list[int]:
    """The ids to keep, rising: those of texts, of special tokens, and of single characters.

    Args:
        state: state of the tokenizer; see `state_of`.
        ids: token ids of the texts, including the special tokens around each.

    Raises:
        ConfigError: a tokenizer of this kind can't be trimmed.
    """
    if state["model"]["type"] != "WordPiece":
        raise ConfigError(
            f"vocabulary: got a tokenizer of kind {state['model']['type']}, expected WordPiece; "
            "keep it whole: --keep-vocabulary"
        )
    prefix = state["model"]["continuing_subword_prefix"]
    single = {
        number
        for token, number in state["model"]["vocab"].items()
        if len(token.removeprefix(prefix)) == 1
    }
    special = {int(added["id"]) for added in state["added_tokens"]}
    special.add(state["model"]["vocab"][state["model"]["unk_token"]])
    return sorted(single | special | set(ids))


def trimmed(state: Mapping[str, Any], kept: list[int]) -> dict[str, Any]:
    """A copy of a tokenizer's state with only these tokens, renumbered in their order."""
    new = {old: number for number, old in enumerate(kept)}
    out: dict[str, Any] = json.loads(json.dumps(state))
    vocabulary = out["model"]["vocab"]
    out["model"]["vocab"] = {t: new[n] for t, n in vocabulary.items() if n in new}
    for added in out["added_tokens"]:
        added["id"] = new[added["id"]]
    _renumber(out["post_processor"] or {}, new)
    if out["padding"] is not None:
        out["padding"]["pad_id"] = new[out["padding"]["pad_id"]]
    return out


def _renumber(processor: dict[str, Any], new: Mapping[int, int]) -> None:
    """Renumbers the post-processor: a template, BERT's or RoBERTa's pair, or a list of these."""
    for part in processor.get("processors", ()):
        _renumber(part, new)
    for special in processor.get("special_tokens", {}).values():
        special["ids"] = [new[number] for number in special["ids"]]
    for name in ("cls", "sep"):
        if name in processor:
            token, number = processor[name]
            processor[name] = [token, new[number]]


def trim_embeddings(model: SentenceTransformer, kept: list[int]) -> None:
    """Reduces an encoder's embeddings to these rows; `write_tokenizer` must follow."""
    body: Any = transformer_of(model)
    old = body.get_input_embeddings()
    padding = body.config.pad_token_id
    places = {number: place for place, number in enumerate(kept)}
    rows = old.weight.detach()[torch.tensor(kept)]
    body.set_input_embeddings(
        nn.Embedding(len(kept), rows.shape[1], padding_idx=places.get(padding), _weight=rows)
    )
    body.config.vocab_size = len(kept)
    for name in ("pad_token_id", "bos_token_id", "eos_token_id"):
        number = getattr(body.config, name, None)
        if number is not None:
            setattr(body.config, name, places.get(number))


def save_with_tokens(model: SentenceTransformer, directory: Path, texts: Iterable[str]) -> int:
    """Saves an encoder with its vocabulary trimmed to texts and to its own prompts.

    Args:
        model: the encoder; its embeddings are trimmed in place.
        directory: directory to write.
        texts: texts to keep the tokens of.

    Returns:
        Number of tokens kept.

    Raises:
        ConfigError: a tokenizer of this kind can't be trimmed.
    """
    tokenizer, state = cast(Any, model.tokenizer), state_of(model)
    known = [*texts, *model.prompts.values()]
    ids = {number for text in known for number in tokenizer(text)["input_ids"]}
    kept = tokens_in_use(state, ids)
    trim_embeddings(model, kept)
    model.save_pretrained(str(directory), create_model_card=False)
    write_tokenizer(directory, state, kept)
    return len(kept)


def write_tokenizer(directory: Path, state: Mapping[str, Any], kept: list[int]) -> None:
    """Replaces the tokenizer saved with a model by its trimmed copy."""
    changed = trimmed(state, kept)
    (directory / TOKENIZER).write_text(json.dumps(changed, ensure_ascii=False), encoding="utf-8")
    words = sorted(changed["model"]["vocab"].items(), key=lambda pair: pair[1])
    if (directory / WORDS).is_file():
        text = "".join(f"{token}\n" for token, _ in words)
        (directory / WORDS).write_text(text, encoding="utf-8")
    config = json.loads((directory / CONFIG).read_text(encoding="utf-8"))
    if "added_tokens_decoder" in config:
        new = {str(old): str(number) for number, old in enumerate(kept)}
        decoder = config["added_tokens_decoder"]
        config["added_tokens_decoder"] = {new[n]: token for n, token in decoder.items()}
        (directory / CONFIG).write_text(json.dumps(config, indent=2), encoding="utf-8")
