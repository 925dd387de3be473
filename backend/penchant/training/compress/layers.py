"""Drops an encoder's layers one by one, each time the one whose removal costs least."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sentence_transformers import SentenceTransformer
from torch import nn

from penchant.domain.errors import ConfigError
from penchant.training.finetuning.trainable_encoder import layers_of, transformer_of
from penchant.training.virtual_tokens import PREFIX, VIRTUAL_TOKENS


def put_layers(model: SentenceTransformer, layers: list[nn.Module]) -> None:
    """Replaces an encoder's layers by these, in this order."""
    body: Any = transformer_of(model)
    old = layers_of(body)
    name = next(name for name, module in body.named_modules() if module is old)
    parent, _, leaf = name.rpartition(".")
    setattr(body.get_submodule(parent), leaf, nn.ModuleList(layers))
    body.config.num_hidden_layers = len(layers)


def drop_layers(
    model: SentenceTransformer,
    count: int,
    quality: Callable[[], float],
    on_stage: Callable[[str], None] = lambda stage: None,
) -> list[int]:
    """Drops layers, each time the one whose removal leaves the best quality.

    Args:
        model: the encoder, changed in place.
        count: number of layers to keep, 1 to all of them.
        quality: measures the encoder in its current state; higher is better.
        on_stage: called with the layers of each trial.

    Returns:
        Places of the kept layers in the original, from 0.

    Raises:
        ConfigError: the count is out of range, or each layer has its own learnt prefix.

    Cost: per dropped layer, one measurement for each layer still there.
    """
    layers = list(layers_of(model))
    needed = _needed(layers)
    fewest = max(1, len(needed))
    if not fewest <= count <= len(layers):
        raise ConfigError(f"layers: got {count}, expected {fewest} to {len(layers)}")
    virtual = getattr(transformer_of(model).config, VIRTUAL_TOKENS, None)
    if count < len(layers) and virtual and virtual["method"] == PREFIX:
        raise ConfigError(
            f"layers: got {count}, expected {len(layers)}: this encoder was fine-tuned with "
            "--method prefix, whose keys and values belong to its layers"
        )
    kept = list(range(len(layers)))
    while len(kept) > count:
        found = {}
        for place in (place for place in kept if place not in needed):
            rest = [other for other in kept if other != place]
            on_stage(f"Trying layers {', '.join(str(1 + other) for other in rest)}")
            put_layers(model, [layers[other] for other in rest])
            found[place] = quality()
        least = max(found, key=lambda place: (found[place], -place))
        kept.remove(least)
    put_layers(model, [layers[place] for place in kept])
    return kept


def _needed(layers: list[nn.Module]) -> set[int]:
    """Places of layers with weights that the others use, such as the first layer of a T5."""
    names = [{name for name, _ in layer.named_parameters()} for layer in layers]
    shared = set.intersection(*names)
    return {place for place, own in enumerate(names) if own != shared}
