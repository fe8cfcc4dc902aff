"""Sound that is not what it seems: headers that lie, channels that differ, files that are none."""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emobench import audio
from emobench.audio import channels
from emobench.errors import AudioError

RATE = 16_000


def noise(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, count)


def pcm(samples: np.ndarray) -> bytes:
    return (np.asarray(samples) * 32767).astype("<i2").tobytes()


def wav(
    body: bytes,
    *,
    promised: int | None = None,
    rate: int = RATE,
    tag: int = 1,
    behind: bytes = b"",
) -> bytes:
    """Return a mono 16-bit wav file whose data chunk promises what it likes."""
    length = len(body) if promised is None else promised
    form = struct.pack("<HHIIHH", tag, 1, rate, 2 * rate, 2, 16)
    head = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", length)
    size = min(len(head) + len(body) + len(behind), 0xFFFFFFFF)
    return b"RIFF" + struct.pack("<I", size) + head + body + behind


@pytest.fixture
def write(tmp_path):
    def written(content: bytes) -> Path:
        path = tmp_path / "clip.wav"
        path.write_bytes(content)
        return path

    return written


@pytest.mark.parametrize("promised", [0, 0x7FFFF000, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_length_that_a_pipe_left_open_means_the_end_of_the_file(write, promised):
    samples = noise(RATE)
    path = write(wav(pcm(samples), promised=promised))
    np.testing.assert_allclose(audio.read(path), samples, atol=2**-14)
    assert audio.information(path).duration == pytest.approx(1.0, abs=0.01)
    np.testing.assert_allclose(audio.read(path, 0.25, 0.5), samples[4000:8000], atol=2**-14)


@pytest.mark.parametrize("function", [audio.read, audio.information, audio.compare])
def test_a_length_shorter_than_what_follows_is_named(write, function):
    path = write(wav(pcm(noise(RATE)), promised=4_000))
    with pytest.raises(
        AudioError,
        match=r"promises 4000 bytes of samples, 32000 follow, .*Copy or export it again\.",
    ):
        function(path)


def flac(samples: np.ndarray, promised: int) -> bytes:
    """Return a FLAC file whose header promises some number of samples."""
    made = io.BytesIO()
    soundfile.write(made, samples, RATE, format="FLAC")
    content = bytearray(made.getvalue())
    facts = int.from_bytes(content[18:26], "big") >> 36 << 36 | promised
    content[18:26] = facts.to_bytes(8, "big")
    return bytes(content)


def au(samples: np.ndarray, promised: int) -> bytes:
    made = io.BytesIO()
    soundfile.write(made, samples, RATE, format="AU", subtype="PCM_16")
    content = bytearray(made.getvalue())
    content[8:12] = struct.pack(">I", promised)
    return bytes(content)


@pytest.mark.parametrize("content", [flac(noise(RATE), 0), au(noise(RATE), 2**32 - 1)])
def test_other_containers_may_leave_the_length_open_too(write, content):
    np.testing.assert_allclose(audio.read(write(content)), noise(RATE), atol=2**-14)
    assert audio.information(write(content)).duration == pytest.approx(1.0)


@pytest.mark.parametrize(
    "content", [flac(noise(8 * RATE), 4_000), au(noise(RATE), 4_000), au(noise(RATE), 0)]
)
def test_other_containers_that_promise_too_little(write, content):
    with pytest.raises(AudioError, match=r"promises \d+ bytes of samples, (but )?\d+ .*follow"):
        audio.read(write(content))


def test_a_long_wav_that_is_cut_short(write):
    made = io.BytesIO()
    soundfile.write(made, noise(RATE), RATE, format="RF64", subtype="PCM_16")
    assert len(audio.read(write(made.getvalue()))) == RATE
    with pytest.raises(AudioError, match="is cut short: its header promises 32104 bytes"):
        audio.read(write(made.getvalue()[:20_000]))


@pytest.mark.parametrize(
    "behind",
    [
        b"LIST" + struct.pack("<I", 4) + b"INFO",
        b"LIST" + struct.pack("<I", 4) + b"INFO" + b"id3 " + struct.pack("<I", 600) + bytes(600),
        b"LIST" + struct.pack("<I", 4) + b"INFO" + b"TAG" + bytes(125),
        b"TAG" + bytes(125),
        bytes(300),
    ],
)
def test_tags_and_padding_behind_the_samples_are_no_samples(write, behind):
    samples = noise(RATE)
    path = write(wav(pcm(samples), behind=behind))
    np.testing.assert_allclose(audio.read(path), samples, atol=2**-14)


@pytest.mark.parametrize("rate", [0, 1, 1_999, 400_001, 2**31 - 1])
def test_a_rate_that_no_recording_has_is_refused_before_anything_is_resampled(write, rate):
    path = write(wav(pcm(noise(8_000)), rate=rate))
    for function in (audio.read, audio.information):
        with pytest.raises(AudioError, match=r"clip\.wav: "):
            function(path)
    if rate:
        with pytest.raises(
            AudioError, match=rf"expected a sampling rate from 2,000 to 400,000 Hz.*{rate:,} Hz"
        ):
            audio.information(path)


@pytest.mark.parametrize("rate", [2_000, 8_000, 192_000, 400_000])
def test_unusual_rates_are_read(write, rate):
    path = write(wav(pcm(noise(rate // 4)), rate=rate))
    assert len(audio.read(path)) == RATE // 4


@pytest.mark.parametrize("tag", [0, 0x9999, 0x4242, 0xFFFF])
def test_a_format_that_nothing_decodes_is_refused_in_words(write, tag):
    path = write(wav(pcm(noise(8_000)), tag=tag))
    for function in (audio.read, audio.information, audio.compare):
        with pytest.raises(AudioError, match=r"clip\.wav: "):
            function(path)


@pytest.mark.parametrize("raised", [AttributeError("x"), RuntimeError("no memory"), MemoryError()])
def test_whatever_a_decoder_raises_is_an_audio_error(write, monkeypatch, raised):
    def fail(*args, **kwargs):
        raise raised

    monkeypatch.setattr(soundfile, "SoundFile", fail)
    with pytest.raises(AudioError, match=r"clip\.wav: (is not audio|needs more memory)"):
        audio.read(write(wav(pcm(noise(100)))))


def test_pipes_and_devices_are_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "x.wav")
    for path in (tmp_path / "x.wav", Path("/dev/zero")):
        with pytest.raises(AudioError, match="found a pipe or a device"):
            audio.information(path)


def test_a_name_that_no_system_opens(tmp_path):
    with pytest.raises(AudioError, match="has a name that cannot be opened"):
        audio.read(Path("a\0b.wav"))


def stereo(path: Path, left: np.ndarray, right: np.ndarray) -> Path:
    soundfile.write(path, np.stack([left, right], axis=1), RATE, subtype="FLOAT")
    return path


def test_one_channel_can_be_heard_alone(tmp_path):
    left, right = noise(8_000, 1), noise(8_000, 2)
    path = stereo(tmp_path / "clip.wav", left, right)
    np.testing.assert_allclose(audio.read(path, channel="left"), left, atol=1e-6)
    np.testing.assert_allclose(audio.read(path, channel="right"), right, atol=1e-6)
    np.testing.assert_allclose(audio.read(path), (left + right) / 2, atol=1e-6)


def test_a_single_channel_is_left_and_right(write):
    path = write(wav(pcm(noise(8_000))))
    for channel in audio.CHANNELS:
        np.testing.assert_array_equal(audio.read(path, channel=channel), audio.read(path))


@pytest.mark.parametrize(
    ("right", "matters"),
    [
        (lambda left: left, False),
        (lambda left: 0.5 * left, False),
        (lambda left: -0.99 * left, True),
        (lambda left: -left, True),
        (lambda left: noise(len(left), 7), True),
        (lambda left: left + 0.3 * noise(len(left), 7), False),
        (lambda left: np.zeros(len(left)), False),
    ],
)
def test_channels_are_compared_as_numpy_does(tmp_path, right, matters):
    left = noise(600_000, 3)  # more than one block
    path = stereo(tmp_path / "clip.wav", left, right(left))
    found = audio.compare(path)
    assert found.matters is matters
    if right(left).any():
        one, other = left, right(left)
        assert found.correlation == pytest.approx(np.corrcoef(one, other)[0, 1], abs=1e-6)
        quieter, louder = sorted((one.std(), other.std()))
        assert found.level == pytest.approx(20 * np.log10(quieter / louder), abs=1e-4)


def test_channels_with_signalling_nan_are_compared_without_it():
    block = np.stack([noise(800, 3), noise(800, 7)], axis=1).astype(np.float32)
    without = block.copy()
    without[5, 1] = 0
    block.view(np.uint32)[5, 1] = 0x7F800001
    assert np.isnan(block[5, 1])
    assert channels.compare([block]) == channels.compare([without])


def test_channels_of_silence_and_of_mono_do_not_differ(tmp_path, write):
    assert audio.compare(stereo(tmp_path / "a.wav", np.zeros(800), np.zeros(800))) is None
    assert audio.compare(write(wav(pcm(noise(800))))) is None
