"""A vocabulary trimmed of unused tokens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer, processors
from tokenizers.models import BPE, Unigram

from penchant.domain.errors import ConfigError
from penchant.training.compress.vocabulary import (
    TOKENIZER,
    state_of,
    tokens_in_use,
    trim_embeddings,
    trimmed,
    write_tokenizer,
)
from penchant.training.finetuning.trainable_encoder import encode, read_encoder, transformer_of
from tests.support.tiny_encoders import KINDS, SPECIAL, write_encoder
from tests.unit.training.compress.conftest import DIGITS, LETTERS, PIECES, UNUSED

USED = ["shoes word12", "coats word7"]
WORDPIECE = [kind for kind in KINDS if kind not in ("gpt2", "llama")]
"""Kinds whose embeddings include padding, as those of decoders do not."""


def trim(model: SentenceTransformer, texts: list[str], output: Path) -> SentenceTransformer:
    """Trims an encoder as `prune` does, and reads it from the output."""
    tokenizer: Any = model.tokenizer
    state = state_of(model)
    kept = tokens_in_use(state, {n for text in texts for n in tokenizer(text)["input_ids"]})
    trim_embeddings(model, kept)
    model.save_pretrained(str(output), create_model_card=False)
    write_tokenizer(output, state, kept)
    return read_encoder(output)


@pytest.mark.parametrize("kind", KINDS)
def test_texts_of_kept_tokens_keep_their_vectors(kind: str, tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    model = read_encoder(write_encoder(tmp_path / "whole", PIECES, kind=kind))
    texts = [*USED, "SHOES word7", "zebra 9", ""]  # The last two are spelt.
    before = encode(model, texts)
    small = trim(model, USED, tmp_path / "out")
    np.testing.assert_allclose(encode(small, texts), before, atol=1e-5)


def test_all_other_tokens_are_gone_and_any_word_can_still_be_spelt(
    source: Path, tmp_path: Path
) -> None:
    model = read_encoder(source)
    small = trim(model, USED, tmp_path / "out")
    tokenizer: Any = small.tokenizer
    kept = set(tokenizer.get_vocab())
    assert kept.isdisjoint([*UNUSED, "wine", "toys", "##34"])
    assert kept >= {*SPECIAL, *LETTERS, *DIGITS, "shoes", "coats", "word", "##12", "##z"}
    words: Any = transformer_of(small).get_input_embeddings()
    assert words.weight.shape[0] == len(kept)
    assert tokenizer.tokenize("wine 34") == ["w", "##i", "##n", "##e", "3", "##4"]
    vectors = encode(small, ["wine 34", "東京 🎬", "unuseda"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


PROCESSORS = {
    "bert": processors.BertProcessing(("[SEP]", 6), ("[CLS]", 5)),
    "roberta": processors.RobertaProcessing(("[SEP]", 6), ("[CLS]", 5)),
    "template": processors.TemplateProcessing("[CLS] $A [SEP]", None, [("[CLS]", 5), ("[SEP]", 6)]),
}
PROCESSORS["list"] = processors.Sequence([PROCESSORS["template"], processors.ByteLevel()])


@pytest.mark.parametrize("name", PROCESSORS)
def test_special_tokens_behind_others_are_numbered_anew_where_a_text_gets_them(
    name: str, source: Path
) -> None:
    tokens = ["[PAD]", "old", "older", "[UNK]", "oldest", "[CLS]", "[SEP]", "shoes"]
    state = json.loads((source / TOKENIZER).read_text())
    state["model"]["vocab"] = {token: number for number, token in enumerate(tokens)}
    whole = Tokenizer.from_str(json.dumps(state))
    whole.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]"])
    whole.enable_padding(pad_id=0, pad_token="[PAD]")
    whole.post_processor = PROCESSORS[name]
    state = json.loads(whole.to_str())
    kept = tokens_in_use(state, [7])
    small = Tokenizer.from_str(json.dumps(trimmed(state, kept)))
    assert [tokens[number] for number in kept] == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "shoes"]
    assert small.get_vocab_size() == 5
    expected = whole.encode("shoes nothing")
    found = small.encode("shoes nothing")
    assert found.tokens == expected.tokens
    assert [kept[number] for number in found.ids] == expected.ids


def test_the_unknown_token_stays_even_if_no_text_has_it(source: Path) -> None:
    state = json.loads((source / TOKENIZER).read_text())
    state["added_tokens"] = []
    assert state["model"]["vocab"]["[UNK]"] in tokens_in_use(state, [40])


def test_the_given_state_is_not_changed(source: Path) -> None:
    state = state_of(read_encoder(source))
    before = json.dumps(state)
    trimmed(state, tokens_in_use(state, [2, 3, 40]))
    assert json.dumps(state) == before


@pytest.mark.parametrize("model", [BPE(), Unigram()], ids=["BPE", "Unigram"])
def test_other_kinds_of_tokenizers_are_refused(model: BPE | Unigram) -> None:
    state = json.loads(Tokenizer(model).to_str())
    with pytest.raises(ConfigError, match="expected WordPiece; keep it whole: --keep-vocabulary"):
        tokens_in_use(state, ())
