from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_sample_weight

from emobench.weights import balanced, for_fold

labels = st.lists(st.sampled_from(["anger", "fear", "neutral", "other"]), min_size=1, max_size=60)


@settings(deadline=None, max_examples=60)
@given(labels)
def test_every_class_weighs_the_same(words):
    weights, words = balanced(words), np.array(words)
    totals = [weights[words == word].sum() for word in np.unique(words)]
    np.testing.assert_allclose(totals, len(words) / len(totals))
    assert weights.mean() == pytest.approx(1.0)


@settings(deadline=None, max_examples=60)
@given(labels)
def test_weights_are_scikit_learns(words):
    np.testing.assert_allclose(balanced(words), compute_sample_weight("balanced", words))


@settings(deadline=None, max_examples=60)
@given(labels, st.data())
def test_training_weights_do_not_see_the_other_clips(words, data):
    chosen = data.draw(st.sets(st.integers(0, len(words) - 1), min_size=1))
    training = np.array(sorted(chosen))
    permuted = np.array(words, dtype=object)
    others = [position for position in range(len(words)) if position not in chosen]
    permuted[others] = "disgust"
    expected = balanced([words[position] for position in training])
    np.testing.assert_array_equal(for_fold(words, training, "training"), expected)
    np.testing.assert_array_equal(for_fold(permuted, training, "training"), expected)


def test_corpus_weights_count_every_clip():
    words = ["a", "a", "a", "b"]
    np.testing.assert_allclose(for_fold(words, np.array([0, 3]), "corpus"), [2 / 3, 2.0])
    np.testing.assert_allclose(for_fold(words, np.array([0, 3]), "training"), [1.0, 1.0])
    np.testing.assert_array_equal(for_fold(words, np.array([0, 3]), "none"), [1.0, 1.0])


def test_nothing_has_no_weights():
    assert balanced([]).shape == (0,)


def test_an_unknown_choice_is_named():
    with pytest.raises(ValueError, match="expected 'training', 'corpus' or 'none', found 'test'"):
        for_fold(["a"], np.array([0]), "test")
