"""Which layers an encoder can do without: dropped one by one, the least missed first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sentence_transformers import SentenceTransformer
from torch import nn

from penchant.domain.errors import ConfigError
from penchant.training.finetuning.trainable_encoder import transformer_of
from penchant.training.virtual_tokens import NAME, PREFIX


def layers_of(model: SentenceTransformer) -> nn.ModuleList:
    """The encoder's layers: the longest list of modules inside."""
    lists = [m for m in transformer_of(model).modules() if isinstance(m, nn.ModuleList)]
    if not lists:
        raise ConfigError("source: got no list of layers inside, expected one")
    return max(lists, key=len)


def put_layers(model: SentenceTransformer, layers: list[nn.Module]) -> None:
    """Leaves the encoder with these layers, in this order."""
    body: Any = transformer_of(model)
    old = layers_of(model)
    name = next(name for name, module in body.named_modules() if module is old)
    parent, _, leaf = name.rpartition(".")
    setattr(body.get_submodule(parent), leaf, nn.ModuleList(layers))
    body.config.num_hidden_layers = len(layers)


def drop_layers(
    model: SentenceTransformer,
    count: int,
    quality: Callable[[], float],
    on_step: Callable[[str], None] = lambda step: None,
) -> list[int]:
    """Drops layers until so many are left; each time the one whose loss is missed least.

    Args:
        model: changed in place.
        count: layers to keep, 1 to as many as there are.
        quality: of the model as it is, the more the better.
        on_step: told what is tried.

    Returns:
        The places of the kept layers in the original.

    Raises:
        ConfigError: the count is out of its range, or each layer has a learnt prefix of its own.

    Cost: one look at the quality for each layer that is left, for each that is dropped.
    """
    layers = list(layers_of(model))
    needed = _needed(layers)
    fewest = max(1, len(needed))
    if not fewest <= count <= len(layers):
        raise ConfigError(f"layers: got {count}, expected {fewest} to {len(layers)}")
    virtual = getattr(transformer_of(model).config, NAME, None)
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
            on_step(f"Trying layers {', '.join(str(1 + other) for other in rest)}")
            put_layers(model, [layers[other] for other in rest])
            found[place] = quality()
        least = max(found, key=lambda place: (found[place], -place))
        kept.remove(least)
    put_layers(model, [layers[place] for place in kept])
    return kept


def _needed(layers: list[nn.Module]) -> set[int]:
    """Places of layers that hold weights for the others too, as the first of a T5 does."""
    names = [{name for name, _ in layer.named_parameters()} for layer in layers]
    shared = set.intersection(*names)
    return {place for place, own in enumerate(names) if own != shared}
