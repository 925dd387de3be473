"""A vocabulary of the tokens in use: the rest of the embeddings is never looked at.

Every single character stays, so that any word can still be spelt out. A text of kept tokens has the
vector that it had.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from torch import nn

from penchant.domain.errors import ConfigError
from penchant.training.finetuning.trainable_encoder import transformer_of

TOKENIZER, CONFIG, WORDS = "tokenizer.json", "tokenizer_config.json", "vocab.txt"


def state_of(model: SentenceTransformer) -> dict[str, Any]:
    """The state of an encoder's tokenizer, as tokenizer.json holds it."""
    tokenizer: Any = model.tokenizer
    state: dict[str, Any] = json.loads(tokenizer.backend_tokenizer.to_str())
    return state


def tokens_in_use(state: Mapping[str, Any], ids: Iterable[int]) -> list[int]:
    """Ids to keep, in order: those of texts, of special tokens, and of single characters.

    Args:
        state: of the tokenizer, as tokenizer.json holds it.
        ids: of the texts, with the special tokens that are put around each.

    Raises:
        ConfigError: the vocabulary is of a kind that can't be trimmed.
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
    """The tokenizer's state with these tokens alone, numbered anew in their order."""
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
    """What puts special tokens around a text: a template, BERT's or RoBERTa's pair, or a list."""
    for part in processor.get("processors", ()):
        _renumber(part, new)
    for special in processor.get("special_tokens", {}).values():
        special["ids"] = [new[number] for number in special["ids"]]
    for name in ("cls", "sep"):
        if name in processor:
            token, number = processor[name]
            processor[name] = [token, new[number]]


def trim_embeddings(model: SentenceTransformer, kept: list[int]) -> None:
    """Leaves the encoder's embeddings with these rows; its tokenizer must be written to match."""
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


def write_tokenizer(directory: Path, state: Mapping[str, Any], kept: list[int]) -> None:
    """Puts a trimmed tokenizer in the place of the one that was saved with the model."""
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
