"""Tiny encoders of several architectures, randomly initialised, as Hugging Face directories."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import WordPiece
from transformers import PreTrainedModel

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
MAX_TOKENS = 48


def write_encoder(
    directory: Path,
    words: Sequence[str],
    *,
    kind: str = "bert",
    hidden: int = 32,
    layers: int = 2,
    initializer_range: float = 0.2,
) -> Path:
    """A plain model directory: one word a token, two heads; `kind` is a key of KINDS."""
    tokens = [*SPECIAL, *words]
    tokenizer = Tokenizer(WordPiece({t: n for n, t in enumerate(tokens)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.save(str(directory / "tokenizer.json"))
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "mask_token": "[MASK]"}
    rest = {"model_max_length": MAX_TOKENS, "tokenizer_class": "PreTrainedTokenizerFast"}
    (directory / "tokenizer_config.json").write_text(json.dumps(special | rest))
    torch.manual_seed(0)
    model = KINDS[kind](len(tokens), hidden, layers, initializer_range)
    model.save_pretrained(directory)
    return directory


def _encoder(name: str) -> Callable[..., PreTrainedModel]:
    """Of BERT's kind; the classes are named alike."""

    def make(vocabulary: int, hidden: int, layers: int, spread: float) -> PreTrainedModel:
        config: Any = getattr(transformers, f"{name}Config")
        model: Any = getattr(transformers, f"{name}Model")
        made: PreTrainedModel = model(
            config(
                vocab_size=vocabulary,
                hidden_size=hidden,
                num_hidden_layers=layers,
                num_attention_heads=2,
                intermediate_size=2 * hidden,
                max_position_embeddings=64,
                pad_token_id=0,
                initializer_range=spread,
            )
        )
        return made

    return make


def _distilbert(vocabulary: int, hidden: int, layers: int, spread: float) -> PreTrainedModel:
    config = transformers.DistilBertConfig(
        vocab_size=vocabulary,
        dim=hidden,
        n_layers=layers,
        n_heads=2,
        hidden_dim=2 * hidden,
        max_position_embeddings=64,
        initializer_range=spread,
    )
    return transformers.DistilBertModel(config)


def _t5(vocabulary: int, hidden: int, layers: int, spread: float) -> PreTrainedModel:
    config = transformers.T5Config(
        vocab_size=vocabulary,
        d_model=hidden,
        d_kv=hidden // 2,
        d_ff=2 * hidden,
        num_layers=layers,
        num_heads=2,
        initializer_factor=5 * spread,
    )
    return transformers.T5EncoderModel(config)


def _gpt2(vocabulary: int, hidden: int, layers: int, spread: float) -> PreTrainedModel:
    config = transformers.GPT2Config(
        vocab_size=vocabulary,
        n_embd=hidden,
        n_layer=layers,
        n_head=2,
        n_positions=64,
        bos_token_id=2,
        eos_token_id=3,
        initializer_range=spread,
    )
    return transformers.GPT2LMHeadModel(config)


def _llama(vocabulary: int, hidden: int, layers: int, spread: float) -> PreTrainedModel:
    config = transformers.LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=2,
        num_key_value_heads=1,
        intermediate_size=2 * hidden,
        max_position_embeddings=64,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=3,
        initializer_range=spread,
    )
    return transformers.LlamaForCausalLM(config)


KINDS: dict[str, Callable[..., PreTrainedModel]] = {
    "bert": _encoder("Bert"),
    "roberta": _encoder("Roberta"),
    "mpnet": _encoder("MPNet"),
    "distilbert": _distilbert,
    "t5": _t5,
    "gpt2": _gpt2,
    "llama": _llama,
}
DECODERS = ("gpt2", "llama")
