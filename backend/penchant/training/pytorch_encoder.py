"""The encoder in PyTorch, read from a Hugging Face directory; for export, not for serving.

Nothing that serves imports this file: a server has neither PyTorch nor Transformers.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from tokenizers import Tokenizer, normalizers
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForTextEncoding,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers.models.auto.modeling_auto import MODEL_FOR_TEXT_ENCODING_MAPPING_NAMES

from penchant.domain.errors import ConfigError
from penchant.domain.types import Matrix
from penchant.encoder.bundle import EncoderSettings
from penchant.encoder.source import check_source
from penchant.encoder.tokens import TextTokenizer
from penchant.training.lora_adapter import base_of, has_adapter, merge_adapter, without_adapter
from penchant.training.principal_components import principal_components
from penchant.training.sentence_modules import Dense, SentenceModules, read_modules, read_prompt
from penchant.training.virtual_tokens import restore_virtual_tokens, virtual_token_count


class SentenceEncoder(nn.Module):
    """Token ids to unit vectors: encoder, pooling, the source's head, projection, truncation."""

    def __init__(
        self,
        body: nn.Module,
        pooling: str,
        head: nn.Sequential,
        dimensions: int,
        unpooled: int = 0,
    ) -> None:
        """Puts the parts together; the first `unpooled` tokens, a prompt, are not pooled."""
        super().__init__()
        self.body = body
        self.pooling = pooling
        self.unpooled = unpooled
        self.head = head
        self.projection: nn.Module = nn.Identity()
        self.dimensions = dimensions

    def fit_projection(self, tokenizer: TextTokenizer, texts: Sequence[str], power: float) -> float:
        """Sets the projection to the principal components of texts' embeddings.

        Args:
            tokenizer: the encoder's tokenizer.
            texts: n texts, more than d.
            power: each component is divided by its variance to this power, 0 to 0.5.

        Returns:
            Share of the variance that the components keep, 0 to 1.

        Raises:
            ConfigError: the embeddings do not span d dimensions.
        """
        embeddings = embed(self, tokenizer, texts)
        mean, axes, variances = principal_components(embeddings)
        kept = variances[: self.dimensions]
        if len(embeddings) <= self.dimensions or kept[-1] <= 1e-9 * variances[0]:
            raise ConfigError(
                f"projection_texts: {len(embeddings)} texts do not span {self.dimensions} "
                "dimensions; give more that differ, or fewer dimensions"
            )
        weight = axes[: self.dimensions] * kept[:, None] ** -power
        linear = nn.Linear(embeddings.shape[1], self.dimensions)
        linear.load_state_dict(
            {"weight": torch.from_numpy(weight), "bias": torch.from_numpy(-weight @ mean)}
        )
        self.projection = linear
        return float(kept.sum() / variances.sum())

    def pooled(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """The source's own embeddings, shape (batch, hidden).

        Args:
            input_ids: token ids, int64, shape (batch, tokens).
            attention_mask: 1 for a token, 0 for padding, int64, shape (batch, tokens).
        """
        states: Tensor = self.body(
            input_ids=input_ids, attention_mask=attention_mask
        ).last_hidden_state
        pooled = attention_mask
        if self.unpooled:
            places = torch.arange(states.shape[1], device=states.device)
            behind = attention_mask * (places >= self.unpooled)
            some = behind.sum(dim=1, keepdim=True) > 0  # An empty text has its prompt alone.
            pooled = torch.where(some, behind, attention_mask)
        mask = pooled.unsqueeze(-1).to(states.dtype)
        if self.pooling == "cls":
            first = (pooled.cumsum(dim=1) * pooled == 1).unsqueeze(-1)
            vectors = (states * first).sum(dim=1) if self.unpooled else states[:, 0]
        elif self.pooling == "lasttoken":
            last = pooled.cumsum(dim=1) == pooled.sum(dim=1, keepdim=True)
            vectors = (states * mask * last.unsqueeze(-1)).sum(dim=1)
        elif self.pooling == "max":
            vectors = (states * mask + (mask - 1) * 1e9).amax(dim=1)
        elif self.pooling == "weightedmean":
            rising = torch.arange(1, states.shape[1] + 1, device=states.device)
            weight = mask * rising.to(states.dtype).unsqueeze(-1)
            vectors = (states * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1e-9)
        else:
            count = mask.sum(dim=1).clamp(min=1e-9)
            below = count.sqrt() if self.pooling == "mean_sqrt_len_tokens" else count
            vectors = (states * mask).sum(dim=1) / below
        return cast(Tensor, self.head(vectors))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Unit vectors, shape (batch, d); for the arguments see `pooled`."""
        vectors: Tensor = self.projection(self.pooled(input_ids, attention_mask))
        return nn.functional.normalize(vectors[:, : self.dimensions], dim=-1)


def read_source(
    source: Path, dimensions: int, projection: str, max_tokens: int
) -> tuple[SentenceEncoder, TextTokenizer, EncoderSettings]:
    """Reads an encoder from a Hugging Face directory; needs no network.

    Args:
        source: directory in the layout of sentence-transformers, or of a plain model, or of a LoRA
            adapter of either; an adapter without a tokenizer or layout uses its base's.
        dimensions: length d of the vectors, 1 to the source's own.
        projection: truncate or pca, as recorded in the settings; see `fit_projection` for pca.
        max_tokens: token limit of a text, 3 to the model's own; the directory's counts if lower.

    Returns:
        The model in float32, in inference mode; its tokenizer; its settings.

    Raises:
        ConfigError: an argument is out of range, or the source can't be read or exported.
    """
    base = base_of(source)
    check_source(base)
    layout = source if (source / "modules.json").is_file() else base
    modules = read_modules(layout)
    try:
        own = any((source / name).is_file() for name in ("tokenizer_config.json", "tokenizer.json"))
        tokenizer = AutoTokenizer.from_pretrained(source if own else base, local_files_only=True)
        body = read_body(source)
        backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    except (OSError, ValueError, KeyError, AttributeError, ImportError) as error:
        raise ConfigError(f"source: {source} can't be read: {error}") from error
    modules = modules or SentenceModules(
        default_pooling(body.config), nn.Sequential(), True, None, False
    )
    pooling, head, prompt = modules.pooling, modules.head, read_prompt(layout)
    width = next(
        (m.linear.out_features for m in reversed(head) if isinstance(m, Dense)),
        int(body.config.hidden_size),
    )
    if not 1 <= dimensions <= width:
        raise ConfigError(f"dimensions: got {dimensions}, expected 1 to the source's {width}")
    limit = _token_limit(body, int(tokenizer.model_max_length))
    if not 3 <= max_tokens <= limit:
        raise ConfigError(f"max_tokens: got {max_tokens}, expected 3 to the source's {limit}")
    max_tokens = min(max_tokens, modules.max_tokens or max_tokens)
    if modules.lower_case:
        _lower_case(backend)
    unpooled = 0 if modules.pools_prompt else _prompt_tokens(tokenizer, prompt)
    if unpooled + 2 > max_tokens:
        raise ConfigError(
            f"max_tokens: got {max_tokens}, expected more than the {unpooled} tokens of the prompt"
        )
    settings = EncoderSettings(
        dimensions=dimensions,
        max_tokens=max_tokens,
        pad_id=int(tokenizer.pad_token_id or 0),
        prefix=prompt,
        pooling=pooling,
        projection=projection,
        source="/".join(source.resolve().parts[-2:]),
    )
    return (
        SentenceEncoder(body, pooling, head, dimensions, unpooled).eval(),
        TextTokenizer(backend, settings),
        settings,
    )


def _prompt_tokens(tokenizer: Any, prompt: str) -> int:
    """Counts the tokens of a prompt as sentence-transformers does, the last special one apart."""
    if not prompt:
        return 0
    ids = tokenizer(prompt)["input_ids"]
    return len(ids) - (ids[-1] in tokenizer.all_special_ids)


def _lower_case(tokenizer: Tokenizer) -> None:
    own = tokenizer.normalizer
    lower = normalizers.Lowercase()
    tokenizer.normalizer = normalizers.Sequence([lower, own] if own else [lower])


def read_body(source: Path) -> PreTrainedModel:
    """Reads the Hugging Face model of a directory, in float32 and inference mode.

    A LoRA adapter is merged into its base; virtual tokens are restored.

    Raises:
        ConfigError: the model has a decoder that can't be left out, or an adapter whose base is
            missing or does not fit.
        OSError, ValueError: it can't be read.
    """
    with without_adapter(base_of(source)) as base:
        body = _read_whole(base)
        restore_virtual_tokens(body, base)
    if has_adapter(source):
        body = merge_adapter(body, source)
    cast(Any, body).eval()
    return body


def _read_whole(source: Path) -> PreTrainedModel:
    config = AutoConfig.from_pretrained(source, local_files_only=True)
    name = MODEL_FOR_TEXT_ENCODING_MAPPING_NAMES.get(config.model_type, "")
    alone = name.endswith("EncoderModel")  # T5, for example.
    if config.is_encoder_decoder and not alone:
        raise ConfigError(
            f"source: {source}: got an encoder with a decoder ({config.model_type}), expected an "
            "encoder, a decoder, or a T5, of which the encoder is used"
        )
    auto: Any = AutoModelForTextEncoding if alone else AutoModel
    body: PreTrainedModel = auto.from_pretrained(
        source, local_files_only=True, dtype=torch.float32, attn_implementation="eager"
    )
    return body


def default_pooling(config: PreTrainedConfig) -> str:
    """Pooling of a plain model: mean, or for a decoder its last token, which alone sees all."""
    name = (getattr(config, "architectures", None) or [""])[0]
    causal = name.endswith(("ForCausalLM", "LMHeadModel")) and getattr(config, "is_causal", True)
    return "lasttoken" if causal else "mean"


def _token_limit(body: PreTrainedModel, tokenizer_limit: int) -> int:
    positions = getattr(body.config, "max_position_embeddings", None) or tokenizer_limit
    padding = getattr(getattr(body, "embeddings", None), "padding_idx", None)
    if padding is not None:  # RoBERTa and its kin count positions from after the padding's.
        positions -= padding + 1
    return int(min(positions - virtual_token_count(body.config), tokenizer_limit))


def embed(model: SentenceEncoder, texts: TextTokenizer, strings: Sequence[str]) -> Matrix:
    """The source's own embeddings in the order of the texts, shape (n, hidden), float32.

    Raises:
        ConfigError: there are no texts.
    """
    rows: list[int] = []
    parts: list[Matrix] = []
    for batch in texts.batches(strings):
        ids, mask = torch.from_numpy(batch.input_ids), torch.from_numpy(batch.attention_mask)
        with torch.inference_mode():
            parts.append(model.pooled(ids, mask).numpy())
        rows += batch.rows
    if not parts:
        raise ConfigError("projection_texts: got none")
    return np.concatenate(parts)[np.argsort(rows)]
