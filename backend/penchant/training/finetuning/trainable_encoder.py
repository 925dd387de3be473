"""The encoder in training: read, extended by a projection and adapters, and merged again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from peft import LoraConfig
from peft.tuners.tuners_utils import BaseTunerLayer
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense, Normalize
from torch import nn
from transformers import PreTrainedModel

from penchant.domain.errors import ConfigError
from penchant.domain.types import Matrix
from penchant.encoder.source import check_source
from penchant.training.finetuning.finetune_settings import FinetuneSettings
from penchant.training.library_output import quiet_transformers
from penchant.training.principal_components import principal_components
from penchant.training.pytorch_encoder import default_pooling
from penchant.training.virtual_tokens import (
    PREFIX,
    VIRTUAL_METHODS,
    VIRTUAL_TOKENS,
    add_virtual_tokens,
    restore_virtual_tokens,
    virtual_token_count,
)

HEAD = "penchant_head"
"""Name of the projection among the encoder's modules."""

_BATCH_TEXTS = 64


def read_encoder(source: Path) -> SentenceTransformer:
    """Reads an encoder from a Hugging Face directory, in float32; needs no network.

    Raises:
        ConfigError: it can't be read, or has a decoder that can't be left out.
    """
    check_source(source)
    try:
        with quiet_transformers():
            model = SentenceTransformer(
                str(source), local_files_only=True, model_kwargs={"dtype": torch.float32}
            )
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise ConfigError(f"source: {source} can't be read: {error}") from error
    body = transformer_of(model)
    if body.config.is_encoder_decoder:
        raise ConfigError(
            f"source: {source}: got an encoder with a decoder ({body.config.model_type}), "
            "expected an encoder, a decoder, or a T5, of which the encoder is used"
        )
    restore_virtual_tokens(body, source)
    cap_length(model)
    tokenizer = cast(Any, model.tokenizer)
    if tokenizer.pad_token is None:  # As in many decoders; padding is masked.
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.padding_side = "right"  # As in serving.
    if not (source / "modules.json").is_file():
        _, pooling = model.children()
        cast(Any, pooling).pooling_mode = default_pooling(body.config)
    return model


def embed(model: SentenceTransformer, texts: Sequence[str]) -> Matrix:
    """The encoder's embeddings of texts, of any norm, shape (n, hidden), float32."""
    training = model.training
    found = model.encode(
        list(texts), batch_size=_BATCH_TEXTS, convert_to_numpy=True, show_progress_bar=False
    )
    model.train(training)
    return np.asarray(found, np.float32)


def encode(model: SentenceTransformer, texts: Sequence[str], width: int | None = None) -> Matrix:
    """Unit vectors of texts from the first `width` values, None: all; shape (n, width)."""
    return unit(embed(model, texts)[:, :width])


def unit(vectors: Matrix) -> Matrix:
    """Normalizes rows to norm 1; a row of zeros stays."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return cast(Matrix, vectors / np.maximum(norms, np.float32(1e-12)))


def has_head(model: SentenceTransformer) -> bool:
    """Whether the encoder has the projection of an earlier fine-tuning."""
    return HEAD in dict(model.named_children())


def head_of(model: SentenceTransformer) -> nn.Module:
    """The linear layer of the projection, from (n, hidden) to (n, width); it must exist."""
    head = model.get_submodule(HEAD)
    assert isinstance(head, Dense)
    return head.linear


def embed_before_head(model: SentenceTransformer, texts: Sequence[str]) -> Matrix:
    """The embeddings of texts in front of the projection, which must exist; shape (n, hidden)."""
    names = [name for name, _ in model.named_children()]
    modules = [model.get_submodule(name) for name in names[: names.index(HEAD)]]
    prompts: Any = model.prompts
    body = SentenceTransformer(
        modules=modules,
        device=str(model.device),
        prompts=prompts,
        default_prompt_name=model.default_prompt_name,
    )
    return embed(body, texts)


def add_head(model: SentenceTransformer, width: int, embeddings: Matrix) -> nn.Module:
    """Appends a projection to an encoder without one.

    Its initial weights are the principal components of the embeddings, largest first, so that the
    first values of a vector carry most of the variance.

    Args:
        model: the encoder, changed in place.
        width: length of the projected vectors, 1 to hidden.
        embeddings: this encoder's embeddings of the catalog, shape (n, hidden).

    Returns:
        The linear layer, from (n, hidden) to (n, width).

    Raises:
        ConfigError: the width is too large.
    """
    hidden = embeddings.shape[1]
    if width > hidden:
        raise ConfigError(f"dimensions: got {width} as the largest, expected 1 to {hidden}")
    mean, axes, _ = principal_components(embeddings)
    weight = axes[:width]
    head = Dense(
        hidden,
        width,
        activation_function=nn.Identity(),
        init_weight=torch.tensor(weight, dtype=torch.float32),
        init_bias=torch.tensor(-weight @ mean, dtype=torch.float32),
    )
    model.add_module(HEAD, head.to(model.device))
    model.add_module(f"{HEAD}_normalize", Normalize())
    return head.linear


def choose_weights(model: SentenceTransformer, settings: FinetuneSettings) -> None:
    """Makes the weights of the settings' method trainable, adding adapters where it needs them.

    Args:
        model: an encoder with its projection, changed in place.
        settings: settings of the fine-tuning.

    Raises:
        ConfigError: the encoder has fewer layers, another width or other virtual tokens.
    """
    width = model.get_embedding_dimension()
    if width != settings.width:
        raise ConfigError(
            f"dimensions: got {settings.width} as the largest, expected the {width} of the source"
        )
    torch.manual_seed(settings.seed)
    model.max_seq_length = min(settings.max_tokens, model.max_seq_length or settings.max_tokens)
    body = transformer_of(model)
    if settings.method != "full" or not settings.steps:
        body.requires_grad_(False)
    if settings.method == "lora" and settings.steps:
        model.add_adapter(
            LoraConfig(
                r=settings.lora_rank,
                lora_alpha=2 * settings.lora_rank,
                target_modules="all-linear",
                task_type="FEATURE_EXTRACTION",
            )
        )
    if settings.method in VIRTUAL_METHODS and settings.steps:
        _train_virtual_tokens(body, settings)
        cap_length(model)
    if settings.frozen_layers:
        _freeze(body, settings.frozen_layers)
    if settings.activation_checkpointing:
        body.activation_checkpointing_enable()


def cap_length(model: SentenceTransformer) -> None:
    """Shortens the limit of texts by the positions that virtual tokens take."""
    body = transformer_of(model)
    positions = getattr(body.config, "max_position_embeddings", None)
    count = virtual_token_count(body.config)
    if count and positions and model.max_seq_length:
        model.max_seq_length = min(model.max_seq_length, positions - count)


def trainable_parameters(model: nn.Module) -> tuple[int, int]:
    """The number of trainable weights, and of all weights."""
    sizes = [(weight.numel(), weight.requires_grad) for weight in model.parameters()]
    return sum(size for size, trained in sizes if trained), sum(size for size, _ in sizes)


def merge_adapters(model: SentenceTransformer) -> None:
    """Merges adapters into the weights below them, and removes them."""
    body = transformer_of(model)
    if not getattr(body, "_hf_peft_config_loaded", False):
        return
    layers = [(n, m) for n, m in body.named_modules() if isinstance(m, BaseTunerLayer)]
    for name, layer in layers:
        layer.merge()
        parent, _, leaf = name.rpartition(".")
        setattr(body.get_submodule(parent), leaf, layer.get_base_layer())
    body._hf_peft_config_loaded = False
    del body.peft_config


def transformer_of(model: SentenceTransformer) -> PreTrainedModel:
    """The Hugging Face model inside an encoder.

    Raises:
        ConfigError: there is none.
    """
    body = model.transformers_model
    if not isinstance(body, PreTrainedModel):
        raise ConfigError("source: got no Hugging Face transformer inside, expected one")
    return body


def layers_of(model: nn.Module) -> nn.ModuleList:
    """The layers of an encoder: the longest list of modules inside.

    Raises:
        ConfigError: there is none.
    """
    lists = [module for module in model.modules() if isinstance(module, nn.ModuleList)]
    if not lists:
        raise ConfigError("source: got no list of layers inside, expected one")
    return max(lists, key=len)


class TrainableEncoder:
    """A PyTorch encoder behind the interface of `penchant.encoder.base.Encoder`."""

    version = "pytorch"

    def __init__(self, model: SentenceTransformer) -> None:
        self._model = model
        self.dimensions = int(model.get_embedding_dimension() or 0)

    def encode(self, texts: Sequence[str]) -> Matrix:
        """See `Encoder.encode`."""
        return encode(self._model, texts)


def _train_virtual_tokens(body: PreTrainedModel, settings: FinetuneSettings) -> None:
    """Adds virtual tokens, or trains the existing ones."""
    method, count = settings.method, settings.virtual_tokens
    if settings.activation_checkpointing and method == PREFIX:
        raise ConfigError("activation_checkpointing: got true with prefix, expected false")
    there = getattr(body.config, VIRTUAL_TOKENS, None)
    if there is None:
        add_virtual_tokens(body, method, count)
    elif there != {"method": method, "count": count}:
        raise ConfigError(
            f"method, virtual_tokens: got {method}, {count}, expected what the source has: "
            f"{there['method']}, {there['count']}"
        )
    body.get_submodule(VIRTUAL_TOKENS).requires_grad_(True)


def _freeze(body: PreTrainedModel, count: int) -> None:
    """Excludes the embeddings and the first layers from training."""
    layers = layers_of(body)
    if count > len(layers):
        raise ConfigError(f"frozen_layers: got {count}, expected 0 to {len(layers)}")
    for part in (body.get_input_embeddings(), *layers[:count]):
        part.requires_grad_(False)
    if hasattr(body, "embeddings"):
        body.embeddings.requires_grad_(False)
