"""Virtual tokens: learnt vectors before each text, with the encoder's own weights fixed.

`prompt`: vectors before the embeddings of the tokens (Lester, Al-Rfou and Constant, "The power of
scale for parameter-efficient prompt tuning", 2021). `prefix`: keys and values before those of the
tokens, in every layer (Li and Liang, "Prefix-tuning", 2021). Tokens attend to both; pooling covers
only the real tokens. The vectors are stored among the encoder's weights and named in its
config.json.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
from peft import PrefixEncoder, PrefixTuningConfig, PromptEmbedding, PromptTuningConfig
from safetensors import safe_open
from torch import Tensor, nn
from transformers import DynamicCache, PreTrainedConfig, PreTrainedModel

from penchant.domain.errors import ConfigError

VIRTUAL_TOKENS = "penchant_virtual_tokens"
"""Name of the entry in config.json, and of the module inside the encoder."""
PROMPT, PREFIX = VIRTUAL_METHODS = ("prompt", "prefix")


def add_virtual_tokens(body: PreTrainedModel, method: str, count: int) -> None:
    """Adds untrained virtual tokens to an encoder, in front of every text from now on.

    Args:
        body: an encoder without virtual tokens, changed in place.
        method: `prompt` or `prefix`.
        count: number of virtual tokens, 1 or more; each takes one of the encoder's positions.

    Raises:
        ConfigError: this architecture does not support the method.
    """
    takes = inspect.signature(body.forward).parameters
    needed = "inputs_embeds" if method == PROMPT else "past_key_values"
    if needed not in takes:
        raise ConfigError(
            f"method: got {method}, but {type(body).__name__} takes no {needed}; "
            f"expected {'prompt, ' if method == PREFIX else ''}lora or full"
        )
    config = cast(Any, body.config)
    heads, size = _key_value_shape(config)
    shape = {
        "num_virtual_tokens": count,
        "num_layers": config.num_hidden_layers,
        "num_transformer_submodules": 1,
    }
    words: Any = body.get_input_embeddings()
    tokens: nn.Module
    if method == PROMPT:
        tokens = cast(Any, PromptEmbedding)(  # Its classes carry no types.
            PromptTuningConfig(
                token_dim=words.embedding_dim, prompt_tuning_init="SAMPLE_VOCAB", **shape
            ),
            words,
        )
    else:
        tokens = cast(Any, PrefixEncoder)(
            PrefixTuningConfig(token_dim=heads * size, num_attention_heads=heads, **shape)
        )
        nn.init.normal_(cast(nn.Embedding, tokens.embedding).weight, std=0.02)
    body.add_module(VIRTUAL_TOKENS, tokens.to(body.device))
    setattr(config, VIRTUAL_TOKENS, {"method": method, "count": count})
    _put_before(body, _with_prompt if method == PROMPT else _with_prefix)


def restore_virtual_tokens(body: PreTrainedModel, directory: Path) -> None:
    """Restores the virtual tokens of an encoder read from a directory, if it has any.

    Raises:
        ConfigError: config.json names virtual tokens that the weights lack.
    """
    found = getattr(body.config, VIRTUAL_TOKENS, None)
    if found is None:
        return
    add_virtual_tokens(body, str(found["method"]), int(found["count"]))
    weights: dict[str, Tensor] = {}
    for path in sorted(directory.glob("*.safetensors")):
        file: Any = safe_open(path, framework="pt")
        own = [name for name in file.keys() if name.startswith(f"{VIRTUAL_TOKENS}.")]  # noqa: SIM118  # A file is not iterable.
        weights |= {name.removeprefix(f"{VIRTUAL_TOKENS}."): file.get_tensor(name) for name in own}
    try:
        body.get_submodule(VIRTUAL_TOKENS).load_state_dict(weights)
    except RuntimeError as error:
        raise ConfigError(
            f"source: {directory} lacks the virtual tokens that its config.json names"
        ) from error


def virtual_token_count(config: PreTrainedConfig) -> int:
    """The number of virtual tokens of an encoder, 0 or more."""
    found = getattr(config, VIRTUAL_TOKENS, None)
    return 0 if found is None else int(found["count"])


def _key_value_shape(config: Any) -> tuple[int, int]:
    """The number of key and value heads, and the size of each."""
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return int(heads), int(size)


def _put_before(
    body: PreTrainedModel, extended: Callable[[PreTrainedModel, dict[str, Any]], dict[str, Any]]
) -> None:
    """Wraps `forward` itself, since sentence-transformers bypasses PyTorch's hooks."""
    plain = body.forward
    count = virtual_token_count(body.config)

    @functools.wraps(plain)
    def forward(**inputs: Any) -> Any:
        output = plain(**extended(body, inputs))
        if extended is _with_prompt:  # Only the states of real tokens.
            output["last_hidden_state"] = output["last_hidden_state"][:, count:]
        return output

    body.forward = forward


def _with_prompt(body: PreTrainedModel, inputs: dict[str, Any]) -> dict[str, Any]:
    known = dict(inputs)
    ids, mask = cast(Tensor, known.pop("input_ids")), cast(Tensor, known["attention_mask"])
    rows = ids.shape[0]  # Not len(), which would become a constant of the exported graph.
    prompt = _table(body)
    words = cast(Tensor, body.get_input_embeddings()(ids))
    before = prompt.to(words.dtype).unsqueeze(0).expand(rows, -1, -1)
    known["inputs_embeds"] = torch.cat([before, words], dim=1)
    known["attention_mask"] = _longer(mask, len(prompt), 1)
    if known.get("token_type_ids") is not None:
        known["token_type_ids"] = _longer(known["token_type_ids"], len(prompt), 0)
    return known


def _with_prefix(body: PreTrainedModel, inputs: dict[str, Any]) -> dict[str, Any]:
    mask = cast(Tensor, inputs["attention_mask"])
    heads, size = _key_value_shape(body.config)
    table = _table(body)
    # PEFT's layout: for each virtual token and layer, first the key, then the value.
    pairs = table.view(len(table), -1, 2, heads, size).permute(1, 2, 3, 0, 4)
    whole = pairs.unsqueeze(2).expand(-1, -1, mask.shape[0], -1, -1, -1)
    cache = DynamicCache([(layer[0], layer[1]) for layer in whole])
    longer = _longer(mask, len(table), 1)
    return {**inputs, "past_key_values": cache, "attention_mask": longer}


def _table(body: PreTrainedModel) -> Tensor:
    """The learnt values, one row per virtual token."""
    return cast(nn.Embedding, body.get_submodule(VIRTUAL_TOKENS).embedding).weight


def _longer(rows: Tensor, count: int, value: int) -> Tensor:
    return torch.cat([rows.new_full((rows.shape[0], count), value), rows], dim=1)
