from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emobench.batches import Batches
from emobench.batching import Schedule
from emobench.sources import Source
from emobench.weights import balanced


def source(lengths, *, pad=1, bucket=1, columns=2):
    """Clips whose every value tells clip and row: clip i, row j holds 1000 i + j + 1."""
    lengths = np.asarray(lengths)

    def clip(position):
        rows = np.arange(lengths[position], dtype=np.float32) + 1000 * position + 1
        return np.repeat(rows[:, None], columns, axis=1)

    return Source(clip, lengths, pad, bucket)


LENGTHS = st.lists(st.integers(1, 400), min_size=1, max_size=40)


def made(lengths, *, batching="padded-length", batch_size=4, seed=None, pad=1, bucket=64, **more):
    return Batches(
        {"x": source(lengths, pad=pad, bucket=bucket)},
        np.arange(len(lengths)),
        batch_size=batch_size,
        batching=batching,
        seed=seed,
        **more,
    )


def clips_of(inputs):
    """Return which clip each row of a batch is, after making sure that all its values are."""
    found = []
    for row in inputs["x"]:
        position = int(row[0, 0] // 1000)
        length = int((row[:, 0] > 0).sum())
        expected = np.zeros_like(row)
        expected[:length] = (1000 * position + 1 + np.arange(length))[:, None]
        np.testing.assert_array_equal(row, expected)
        found.append(position)
    return found


@settings(deadline=None, max_examples=60)
@given(
    LENGTHS,
    st.integers(1, 9),
    st.sampled_from(["padded-length", "sorted"]),
    st.sampled_from([None, 3]),
    st.integers(0, 3),
)
def test_every_clip_counts_once_an_epoch(lengths, batch_size, batching, seed, epochs):
    batches = made(lengths, batch_size=batch_size, batching=batching, seed=seed)
    batches.begin(epochs)
    seen, counted = [], []
    for index, batch in enumerate(batches.current):
        (inputs,) = batches[index]
        assert len(inputs["x"]) <= batch_size
        clips = clips_of(inputs)
        np.testing.assert_array_equal(clips, batch.members)
        seen += clips
        counted += list(np.array(clips)[batch.counted])
    assert sorted(counted) == list(range(len(lengths)))
    np.testing.assert_array_equal(batches.scatter(np.array(seen)), np.arange(len(lengths)))


@settings(deadline=None, max_examples=60)
@given(LENGTHS, st.integers(1, 12), st.integers(0, 9))
def test_training_batches_are_full_and_as_many_as_needed(lengths, batch_size, seed):
    batches = made(lengths, batch_size=batch_size, seed=seed)
    size = min(batch_size, len(lengths))
    assert len(batches) == int(np.ceil(len(lengths) / size))
    assert {len(batch.members) for batch in batches.current} == {size}
    assert sum(not batch.counted.all() for batch in batches.current) <= 1


@settings(deadline=None, max_examples=60)
@given(LENGTHS, st.integers(1, 12), st.integers(0, 9))
def test_every_clip_weighs_what_its_weight_says(lengths, batch_size, seed):
    """The gradient of an epoch's losses with respect to each clip's own loss."""
    weights = np.random.default_rng(seed).uniform(0.1, 9, len(lengths)).astype(np.float32)
    truth = np.eye(len(lengths), dtype=np.float32)
    batches = made(lengths, batch_size=batch_size, seed=seed, targets=truth, weights=weights)
    for epoch in range(3):
        batches.begin(epoch)
        share = np.zeros(len(lengths))
        for index in range(len(batches)):
            _, targets, given_weights = batches[index]
            # Keras takes the mean over the batch of weight times loss.
            share += targets.T @ given_weights / len(targets)
        np.testing.assert_allclose(share / share.sum(), weights / weights.sum(), rtol=1e-5)


def test_a_batch_of_training_holds_neighbours_and_is_padded_to_its_longest():
    lengths = np.random.default_rng(0).integers(50, 900, 480)
    batches = made(lengths, batch_size=32, seed=5)
    for batch in batches.current:
        own = lengths[batch.members]
        assert batch.rows == (int(np.ceil(own.max() / 64)) * 64,)
    padded = sum(len(batch.members) * batch.rows[0] for batch in batches.current)
    assert padded < 1.3 * lengths.sum()  # at random it would be 1.8


def test_neighbours_and_ties_are_drawn_anew_each_epoch():
    lengths = [100] * 40 + list(range(200, 240))
    batches = made(lengths, batch_size=8, seed=1)
    epochs = []
    for epoch in range(2):
        batches.begin(epoch)
        epochs.append({frozenset(map(int, batch.members)) for batch in batches.current})
    assert not epochs[0] & epochs[1]


@settings(deadline=None, max_examples=50)
@given(LENGTHS)
def test_a_prediction_is_padded_to_its_own_length(lengths):
    batches = made(lengths)
    for index in range(len(batches)):
        (inputs,) = batches[index]
        assert len(inputs["x"]) in (1, 2, 4)
        for position in clips_of(inputs):
            assert inputs["x"].shape[1] == int(np.ceil(lengths[position] / 64)) * 64


def test_sorted_batches_are_those_of_a_plain_loop():
    lengths = [70, 10, 300, 64, 65, 128, 1]
    batches = made(lengths, batching="sorted", batch_size=3, pad=64, seed=8)
    order = sorted(range(7), key=lambda clip: lengths[clip])
    expected = {frozenset(order[:3]), frozenset(order[3:6]), frozenset(order[6:])}
    assert {
        frozenset(map(int, batch.members[batch.counted])) for batch in batches.current
    } == expected
    for batch in batches.current:
        longest = max(lengths[clip] for clip in batch.members[batch.counted])
        assert batch.rows == (-(-longest // 64) * 64,)
        # Each batch's loss is the mean over its own clips, as published.
        own = batch.factors[batch.counted] / len(batch.members)
        np.testing.assert_allclose(own, 1 / batch.counted.sum())


def test_sorted_batches_keep_their_members_and_change_their_order():
    batches = made(list(range(1, 65)), batching="sorted", seed=1)
    first = [tuple(batch.members) for batch in batches.current]
    batches.begin(1)
    second = [tuple(batch.members) for batch in batches.current]
    assert set(first) == set(second)
    assert first != second


def test_sorted_batches_of_one_length_are_drawn_once_from_the_seed():
    def composed(seed):
        batches = made([498] * 64, batching="sorted", seed=seed)
        epochs = []
        for epoch in range(3):
            batches.begin(epoch)
            epochs.append({tuple(batch.members) for batch in batches.current})
        assert epochs[0] == epochs[1] == epochs[2]
        return epochs[0]

    assert composed(1) == composed(1)
    assert not composed(1) & composed(2)


def test_the_order_of_batches_by_length_is_that_of_every_seed():
    """Folds and repetitions that are trained in step see batches of like length together."""
    orders = []
    for seed, clips in ((0, 480), (1, 480), (2, 470)):
        schedule = Schedule(
            {"x": source(np.arange(clips) + 1)},
            np.arange(clips),
            batch_size=32,
            batching="padded-length",
            seed=seed,
        )
        orders.append([int(batch.members.mean()) // 32 for batch in schedule.epoch(3)])
    np.testing.assert_allclose(orders[0], orders[1], atol=1)
    np.testing.assert_allclose(orders[0], orders[2], atol=1)


@pytest.mark.parametrize("batch_size", [32, 64, 128])
def test_facts_tell_what_was_promised(batch_size):
    """EMO-DB's classes: the balance that padded lengths broke, and full batches keep."""
    counts = dict(zip("abcdefg", (127, 81, 46, 69, 71, 79, 62), strict=True))
    labels = np.repeat(list(counts), list(counts.values()))
    lengths = np.random.default_rng(2).gamma(8, 35, len(labels)).astype(int) + 100
    schedule = Schedule(
        {"x": source(lengths, bucket=64)},
        np.arange(len(labels)),
        batch_size=batch_size,
        batching="padded-length",
        seed=0,
    )
    weights = balanced(labels)
    facts = schedule.facts(weights, labels)
    assert set(facts["class_share"]) == set(counts)
    for share in facts["class_share"].values():
        assert share == pytest.approx(1 / 7, rel=0.01)
    assert facts["heaviest_clip"] == pytest.approx(max(weights) / np.median(weights), rel=1e-3)
    assert facts["steps_per_epoch"] == int(np.ceil(len(labels) / batch_size))
    assert facts["smallest_batch"] == batch_size


def test_targets_and_weights_follow_their_clips():
    truth = np.eye(5, dtype=np.float32)
    weights = np.arange(5, dtype=np.float32)
    batches = Batches(
        {"x": source([5, 4, 3, 2, 1])},
        np.arange(5),
        targets=truth,
        weights=weights,
        batch_size=2,
        batching="padded-length",
        seed=7,
    )
    for index, batch in enumerate(batches.current):
        inputs, targets, sample_weights = batches[index]
        positions = np.array(clips_of(inputs))
        np.testing.assert_array_equal(targets.argmax(axis=1), positions)
        np.testing.assert_array_equal(sample_weights, positions * batch.counted)


def test_two_inputs_are_predicted_together_only_when_both_lengths_agree():
    batches = Batches(
        {"a": source([10, 10, 10, 10]), "b": source([3, 4, 3, 4], columns=1)},
        np.arange(4),
        batch_size=4,
        batching="padded-length",
    )
    assert sorted(batches[i][0]["b"].shape for i in range(len(batches))) == [(2, 3, 1), (2, 4, 1)]
    for index in range(len(batches)):
        (inputs,) = batches[index]
        np.testing.assert_array_equal(inputs["a"][:, 0, 0], inputs["b"][:, 0, 0])


def test_several_outputs_get_the_truth_each():
    batches = Batches(
        {"x": source([2, 2])},
        np.arange(2),
        targets=np.eye(2, dtype=np.float32),
        weights=np.ones(2, np.float32),
        batch_size=2,
        batching="padded-length",
        outputs=("one", "two"),
    )
    _, targets, weights = batches[0]
    assert set(targets) == set(weights) == {"one", "two"}
    np.testing.assert_array_equal(targets["one"], targets["two"])


@pytest.mark.parametrize("batching", ["padded-length", "sorted"])
def test_the_same_seed_gives_the_same_order(batching):
    orders = [
        [list(batch.members) for batch in made([8] * 40, batching=batching, seed=seed).current]
        for seed in (1, 1, 2)
    ]
    assert orders[0] == orders[1]
    assert orders[0] != orders[2]


@pytest.mark.parametrize("batching", ["padded-length", "sorted"])
@pytest.mark.parametrize(("portion", "steps"), [(1.0, 10), (0.3, 3), (0.05, 1), (0.21, 3)])
def test_a_portion_goes_on_where_the_last_one_ended(batching, portion, steps):
    batches = Batches(
        {"x": source([8] * 20 + [90] * 20, bucket=64)},
        np.arange(40),
        batch_size=4,
        batching=batching,
        seed=4,
        portion=portion,
    )
    assert (len(batches), batches.n_batches, batches.share) == (steps, 10, steps / 10)
    seen = []
    for number in range(10):  # `steps` passes through all clips
        batches.begin(number)
        seen += [batch.members for batch in batches.current]
    for start in range(0, len(seen), 10):
        assert sorted(np.concatenate(seen[start : start + 10])) == list(range(40))
    assert not np.array_equal(seen[:10], seen[10:20])


def test_a_portion_of_few_batches_is_all_of_them():
    batches = Batches(
        {"x": source([5] * 3)}, np.arange(3), batch_size=8, batching="sorted", portion=0.1
    )
    assert (len(batches), batches.share) == (1, 1.0)
