from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emobench.batches import Batches
from emobench.sources import Source


def source(lengths, *, pad=1, bucket=1, columns=2):
    """Clips whose every value tells clip and row: clip i, row j holds 1000 i + j + 1."""
    lengths = np.asarray(lengths)

    def clip(position):
        rows = np.arange(lengths[position], dtype=np.float32) + 1000 * position + 1
        return np.repeat(rows[:, None], columns, axis=1)

    return Source(clip, lengths, pad, bucket)


LENGTHS = st.lists(st.integers(1, 400), min_size=1, max_size=40)


@settings(deadline=None, max_examples=50)
@given(LENGTHS, st.integers(1, 9), st.sampled_from(["padded-length", "sorted"]), st.integers(0, 3))
def test_every_clip_comes_once_an_epoch(lengths, batch_size, batching, epochs):
    batches = Batches(
        {"x": source(lengths, bucket=64)},
        np.arange(len(lengths)),
        batch_size=batch_size,
        batching=batching,
        seed=3,
    )
    for _ in range(epochs):
        batches.on_epoch_end()
    seen = []
    for index in range(len(batches)):
        (inputs,) = batches[index]
        assert len(inputs["x"]) <= batch_size
        for row in inputs["x"]:
            position = int(row[0, 0] // 1000)
            expected = np.zeros_like(row)
            for frame in range(lengths[position]):
                expected[frame] = 1000 * position + frame + 1
            np.testing.assert_array_equal(row, expected)
            seen.append(position)
    assert sorted(seen) == list(range(len(lengths)))
    np.testing.assert_array_equal(batches.order, seen)


@settings(deadline=None, max_examples=50)
@given(LENGTHS)
def test_padded_length_never_depends_on_the_neighbours(lengths):
    batches = Batches(
        {"x": source(lengths, pad=1, bucket=64)},
        np.arange(len(lengths)),
        batch_size=4,
        batching="padded-length",
        seed=0,
    )
    for index in range(len(batches)):
        (inputs,) = batches[index]
        for row in inputs["x"]:
            own = lengths[int(row[0, 0] // 1000)]
            assert inputs["x"].shape[1] == int(np.ceil(own / 64)) * 64


def test_sorted_batches_are_those_of_a_plain_loop():
    lengths = [70, 10, 300, 64, 65, 128, 1]
    batches = Batches(
        {"x": source(lengths, pad=64)}, np.arange(7), batch_size=3, batching="sorted", seed=None
    )
    padded = [-(-length // 64) * 64 for length in lengths]
    order = sorted(range(7), key=lambda clip: padded[clip])
    expected = [order[:3], order[3:6], order[6:]]
    found = [sorted(int(row[0, 0] // 1000) for row in batches[i][0]["x"]) for i in range(3)]
    assert sorted(found) == sorted(sorted(batch) for batch in expected)
    for index in range(3):
        (inputs,) = batches[index]
        members = [int(row[0, 0] // 1000) for row in inputs["x"]]
        assert inputs["x"].shape[1] == max(padded[clip] for clip in members)


def test_sorted_batches_keep_their_members_and_change_their_order():
    batches = Batches(
        {"x": source(range(1, 65))}, np.arange(64), batch_size=4, batching="sorted", seed=1
    )
    first = [tuple(batch) for batch in batches._batches]
    batches.on_epoch_end()
    second = [tuple(batch) for batch in batches._batches]
    assert set(first) == set(second)
    assert first != second


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
    for index in range(len(batches)):
        inputs, targets, sample_weights = batches[index]
        positions = [int(row[0, 0] // 1000) for row in inputs["x"]]
        np.testing.assert_array_equal(targets.argmax(axis=1), positions)
        np.testing.assert_array_equal(sample_weights, positions)


def test_two_inputs_share_a_batch_only_when_both_lengths_agree():
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
    made = [
        Batches(
            {"x": source([8] * 20 + [90] * 20, bucket=64)},
            np.arange(40),
            batch_size=8,
            batching=batching,
            seed=seed,
        ).order
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])


def test_the_first_two_batches_tell_which_axes_vary():
    lengths = [5] * 30 + [90]
    for seed in range(20):
        batches = Batches(
            {"x": source(lengths, bucket=64)},
            np.arange(31),
            batch_size=4,
            batching="padded-length",
            seed=seed,
        )
        assert batches[0][0]["x"].shape[1] != batches[1][0]["x"].shape[1]


@pytest.mark.parametrize("batching", ["padded-length", "sorted"])
@pytest.mark.parametrize(("portion", "steps"), [(1.0, 10), (0.3, 3), (0.05, 2), (0.21, 3)])
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
    for _ in range(10):  # `steps` passes through all clips
        seen += [batches.order[n : n + 4] for n in range(0, len(batches.order), 4)]
        batches.on_epoch_end()
    for start in range(0, len(seen), 10):
        assert sorted(np.concatenate(seen[start : start + 10])) == list(range(40))
    if steps > 1:
        assert not np.array_equal(seen[:10], seen[10:20])


def test_a_portion_of_few_batches_is_all_of_them():
    batches = Batches(
        {"x": source([5] * 3)}, np.arange(3), batch_size=8, batching="sorted", portion=0.1
    )
    assert (len(batches), batches.share) == (1, 1.0)
