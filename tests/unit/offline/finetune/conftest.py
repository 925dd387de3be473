"""A tiny encoder, and a log in which what is liked together can't be told from the texts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import WordLevel
from transformers import BertConfig, BertModel

from penchant.domain.rewards import DEFAULT_SIGNALS
from penchant.domain.types import Event, Item
from penchant.offline.evaluation.reading import LeftOut, make_stream
from penchant.offline.evaluation.relevance import POSITIVE, parse_relevance
from penchant.offline.evaluation.stream import Stream

HIDDEN = 32
GROUPS = 4
ITEMS = 32
USERS = 40
LIKES = 7
"""Of each user, all in one group of items."""


def group_of(item: int) -> int:
    """What is liked together: neighbours in number have neither words nor group in common."""
    return item % GROUPS


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_encoder(tmp_path_factory.mktemp("source"))


def write_encoder(directory: Path) -> Path:
    """A plain model directory: two layers, 32 dimensions, one word a token, random weights."""
    words = [f"word{number}" for number in range(ITEMS)]
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "film", "about", *words]
    tokenizer = Tokenizer(WordLevel({t: n for n, t in enumerate(tokens)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.save(str(directory / "tokenizer.json"))
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "model_max_length": 48}
    kind = {"tokenizer_class": "PreTrainedTokenizerFast"}
    (directory / "tokenizer_config.json").write_text(json.dumps(special | kind))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokens),
        hidden_size=HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.2,
    )
    BertModel(config).save_pretrained(directory)
    return directory


@pytest.fixture(scope="session")
def stream() -> Stream:
    """Users like seven of the eight items of their group, in an order of their own."""
    return planted(USERS)


def planted(users: int, group: Callable[[int], int] = group_of, begin: int = 1) -> Stream:
    """A log of so many users; each second, from `begin` on, one of them likes an item."""
    random = np.random.default_rng(0)
    items = [Item(str(n), f"film about word{n}") for n in range(ITEMS)]
    orders = {
        user: random.permutation([n for n in range(ITEMS) if group(n) == user % GROUPS])
        for user in range(users)
    }
    turns = random.permutation(np.repeat(np.arange(users), LIKES))
    places = dict.fromkeys(range(users), 0)
    events = []
    for moment, user in enumerate(turns.tolist()):
        item = orders[user][places[user]]
        places[user] += 1
        at_us = 1_000_000 * (begin + moment)
        name = f"u{begin}-{user}"
        events.append(Event(f"{name}-{moment}", name, str(item), "like", None, at_us))
    return make_stream(items, events, DEFAULT_SIGNALS, parse_relevance(POSITIVE), LeftOut())
