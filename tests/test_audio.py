from __future__ import annotations

import contextlib
import os
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import scipy.signal
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from emobench import audio
from emobench.errors import AudioError

RATE = 16_000


def tone(seconds: float = 0.5, rate: int = RATE, hz: float = 440.0) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * hz * time) * np.hanning(len(time))).astype(np.float32)


def correlation(found: np.ndarray, expected: np.ndarray) -> float:
    n = min(len(found), len(expected))
    products = scipy.signal.correlate(found[:n], expected[:n])
    return float(products.max() / np.sqrt((found[:n] ** 2).sum() * (expected[:n] ** 2).sum()))


@pytest.mark.parametrize(
    ("subtype", "tolerance"),
    [
        ("PCM_U8", 2**-7),
        ("PCM_16", 2**-15),
        ("PCM_24", 2**-22),
        ("PCM_32", 1e-7),
        ("FLOAT", 0),
        ("DOUBLE", 0),
        ("ULAW", 2**-5),
    ],
)
def test_sample_formats(tmp_path: Path, subtype: str, tolerance: float) -> None:
    path = tmp_path / "clip.wav"
    soundfile.write(path, tone(), RATE, subtype=subtype)
    found = audio.read(path)
    assert found.dtype == np.float32
    assert found.ndim == 1
    np.testing.assert_allclose(found, tone(), atol=tolerance)


@pytest.mark.parametrize(
    ("kind", "subtype", "lossless"),
    [
        ("WAV", "PCM_16", True),
        ("WAVEX", "PCM_24", True),
        ("RF64", "PCM_16", True),
        ("AIFF", "PCM_16", True),
        ("FLAC", "PCM_16", True),
        ("AU", "PCM_16", True),
        ("NIST", "PCM_16", True),
        ("OGG", "VORBIS", False),
        ("OGG", "OPUS", False),
        ("MP3", "MPEG_LAYER_III", False),
    ],
)
@pytest.mark.parametrize("name", ["clip.wav", "clip.mp3", "clip.raw", "clip"])
def test_containers_under_any_name(
    tmp_path: Path, kind: str, subtype: str, lossless: bool, name: str
) -> None:
    path = tmp_path / name
    with path.open("wb") as file:
        soundfile.write(file, tone(1.0), RATE, format=kind, subtype=subtype)
    found = audio.read(path)
    facts = audio.information(path)
    assert (facts.sample_rate, facts.channels) == (RATE, 1)
    assert facts.duration == pytest.approx(1.0, abs=0.2)
    if lossless:
        np.testing.assert_allclose(found, tone(1.0), atol=2**-15)
    else:
        assert len(found) == pytest.approx(RATE, abs=2500)
        assert correlation(found, tone(1.0)) > 0.98


@pytest.mark.parametrize("channels", [2, 6])
def test_channels_are_averaged(tmp_path: Path, channels: int) -> None:
    path = tmp_path / "clip.wav"
    block = np.random.default_rng(0).uniform(-0.9, 0.9, (1000, channels)).astype(np.float32)
    soundfile.write(path, block, RATE, subtype="FLOAT")
    np.testing.assert_allclose(audio.read(path), block.mean(axis=1, dtype=float), atol=1e-6)
    assert audio.information(path).channels == channels


@settings(max_examples=25, deadline=None)
@given(
    rate=st.sampled_from([8_000, 11_025, 22_050, 24_000, 44_100, 48_000, 96_000]),
    n=st.integers(2_000, 30_000),
)
def test_other_rates_are_resampled_as_by_scipy(rate: int, n: int) -> None:
    band = scipy.signal.firwin(101, 3000, fs=rate)
    noise = np.random.default_rng(n).standard_normal(n)
    samples = (scipy.signal.lfilter(band, 1, noise) * np.hanning(n)).astype(np.float32)
    found = audio.resample(samples, rate)
    ratio = Fraction(RATE, rate)
    expected = scipy.signal.resample_poly(samples, ratio.numerator, ratio.denominator)
    assert found.dtype == np.float32
    assert len(found) == pytest.approx(n * ratio, abs=1)
    shared = min(len(found), len(expected))
    assert np.abs(found[:shared] - expected[:shared]).max() < 0.01 * np.abs(expected).max()


def test_a_file_of_another_rate_is_resampled(tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    soundfile.write(path, tone(0.5, 44_100), 44_100)
    found = audio.read(path)
    np.testing.assert_allclose(found, tone(0.5), atol=1e-3)
    assert len(audio.read(path, sample_rate=8_000)) == 4_000


@settings(max_examples=40, deadline=None)
@given(first=st.integers(0, 7_998), length=st.integers(1, 8_000))
def test_segments(tmp_path_factory: pytest.TempPathFactory, first: int, length: int) -> None:
    path = tmp_path_factory.getbasetemp() / "segments.flac"
    if not path.exists():
        soundfile.write(path, tone(0.5), RATE)
    stop = min(first + length, 8_000)
    found = audio.read(path, first / RATE, stop / RATE)
    whole, _ = soundfile.read(path, dtype="float32")
    np.testing.assert_array_equal(found, whole[first:stop])


def test_an_open_segment_reaches_the_end(tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    soundfile.write(path, tone(), RATE, subtype="FLOAT")
    np.testing.assert_array_equal(audio.read(path, 0.25), tone()[4000:])
    np.testing.assert_array_equal(audio.read(path, end=0.25), tone()[:4000])
    np.testing.assert_array_equal(audio.read(path, 0.25, 0.55), tone()[4000:])


@pytest.mark.parametrize(("start", "end"), [(0.6, 0.7), (0.3, 0.2), (0.2, 0.2), (-1, 0.2), (0, 2)])
def test_a_segment_outside_the_file_is_refused(tmp_path: Path, start: float, end: float) -> None:
    path = tmp_path / "clip.wav"
    soundfile.write(path, tone(), RATE)
    with pytest.raises(AudioError, match=r"clip\.wav: expected a segment within its 0\.50 s"):
        audio.read(path, start, end)


def write_video(path: Path, samples: np.ndarray, rate: int, sound: bool = True) -> None:
    with av.open(str(path), "w") as container:
        picture = container.add_stream("mpeg4", rate=25)
        picture.width = picture.height = 64
        picture.pix_fmt = "yuv420p"
        if sound:
            track = container.add_stream("pcm_s16le", rate=rate, layout="stereo")
        for _ in range(round(25 * len(samples) / rate)):
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            container.mux(picture.encode(frame))
        container.mux(picture.encode(None))
        if sound:
            both = np.repeat((samples * 32767).astype(np.int16), 2)[None]
            frame = av.AudioFrame.from_ndarray(both, format="s16", layout="stereo")
            frame.sample_rate = rate
            container.mux(track.encode(frame))
            container.mux(track.encode(None))


def test_the_audio_track_of_a_video(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    write_video(path, tone(1.0, 48_000), 48_000)
    np.testing.assert_allclose(audio.read(path), tone(1.0), atol=1e-3)
    facts = audio.information(path)
    assert (facts.sample_rate, facts.channels) == (48_000, 2)
    assert facts.duration == pytest.approx(1.0, abs=0.05)
    part = audio.read(path, 0.25, 0.5, sample_rate=48_000)
    np.testing.assert_allclose(part, tone(1.0, 48_000)[12_000:24_000], atol=1e-4)
    with pytest.raises(AudioError, match=r"expected a segment within its 1\.00 s"):
        audio.read(path, 0.5, 3.0)


def test_a_video_without_sound_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    write_video(path, tone(0.5), RATE, sound=False)
    with pytest.raises(AudioError, match="holds no audio track"):
        audio.read(path)


def test_a_video_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    write_video(path, tone(2.0), RATE)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(AudioError, match="is cut short: its header promises"):
        audio.read(path)


def sound_bytes(kind: str, tmp_path: Path) -> bytes:
    path = tmp_path / f"whole.{kind.lower()}"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.5, 0.5, RATE), RATE, format=kind)
    return path.read_bytes()


@pytest.mark.parametrize("kind", ["WAV", "AIFF", "FLAC", "OGG"])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.9, 0.999])
def test_a_file_cut_short_is_refused(tmp_path: Path, kind: str, share: float) -> None:
    data = sound_bytes(kind, tmp_path)
    path = tmp_path / "clip.wav"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(AudioError, match=r"clip\.wav: is (cut short|damaged).*Copy the file again"):
        audio.read(path)


@pytest.mark.parametrize("kind", ["WAV", "AIFF", "FLAC", "OGG", "MP3"])
@pytest.mark.parametrize("size", [1, 4, 11, 30, 43])
def test_a_file_cut_within_its_header_is_refused(tmp_path: Path, kind: str, size: int) -> None:
    path = tmp_path / "clip.wav"
    path.write_bytes(sound_bytes(kind, tmp_path)[:size])
    with pytest.raises(AudioError, match=r"clip\.wav: "):
        audio.read(path)


def test_a_wav_cut_short_is_refused_by_its_header_alone(tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    path.write_bytes(sound_bytes("WAV", tmp_path)[:20_000])
    with pytest.raises(AudioError, match="promises 32044 bytes, the file has 20000"):
        audio.information(path)


@pytest.mark.parametrize("length", [0xFFFFFFFF, 0x7FFFF000])
def test_a_wav_from_a_pipe_is_read_to_its_end(tmp_path: Path, length: int) -> None:
    data = bytearray(sound_bytes("WAV", tmp_path))
    data[40:44] = struct.pack("<I", length)
    path = tmp_path / "clip.wav"
    path.write_bytes(data)
    assert len(audio.read(path)) == RATE


def test_chunks_before_and_after_the_samples_are_skipped(tmp_path: Path) -> None:
    data = sound_bytes("WAV", tmp_path)
    note = b"LIST" + struct.pack("<I", 5) + b"hello\0"
    body = data[12:36] + note + data[36:] + note
    path = tmp_path / "clip.wav"
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body)
    assert len(audio.read(path)) == RATE


def wav_header(n_bytes: int) -> bytes:
    form = struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16)
    return (
        b"RIFF" + struct.pack("<I", 36 + n_bytes) + b"WAVEfmt " + struct.pack("<I", 16) + form
    ) + (b"data" + struct.pack("<I", n_bytes))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"is an empty file \(0 bytes\)\. Copy the file again\."),
        (wav_header(0), "has a header but holds no samples"),
        (wav_header(32_000), "is cut short: its header promises 32044 bytes, the file has 44"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
            r"is a Git LFS pointer, not the audio itself\. Run `git lfs pull` there",
        ),
        (b"file,emotion\n1,anger\n" * 9, "is a text file that begins with 'file,emotion'"),
        (b"#EXTM3U\nhttp://localhost/a.wav\n", "is a text file that begins with '#EXTM3U'"),
        ("ärgerlich\n".encode() * 900, "is a text file that begins with 'ärgerlich'"),
        (bytes(5000), "begins with nothing but zero bytes"),
        (b"PK\x03\x04" + bytes(range(256)) * 40, "is not audio that can be decoded"),
        (np.random.default_rng(0).bytes(9000), "is not audio that can be decoded"),
    ],
)
def test_what_is_no_audio_is_explained(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "clip.wav"
    path.write_bytes(content)
    for function in (audio.read, audio.information):
        with pytest.raises(AudioError, match=message) as caught:
            function(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match=r"no such file\. Check the path"):
        audio.read(tmp_path / "clip.wav")
    with pytest.raises(AudioError, match="expected an audio file, found a folder"):
        audio.information(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    soundfile.write(path, tone(), RATE)
    path.chmod(0)
    with pytest.raises(AudioError, match=r"cannot be read \(Permission denied\)"):
        audio.read(path)


@pytest.mark.parametrize(
    ("broken", "message"),
    [(slice(None), "all of 8000 samples are NaN"), (slice(3, 5), "2 of 8000 samples are NaN")],
)
def test_samples_that_are_no_numbers(tmp_path: Path, broken: slice, message: str) -> None:
    path = tmp_path / "clip.wav"
    samples = tone()
    samples[broken] = np.nan
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    with pytest.raises(AudioError, match=message):
        audio.read(path)


def test_silence_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "clip.wav"
    soundfile.write(path, np.zeros(800), RATE)
    np.testing.assert_array_equal(audio.read(path), np.zeros(800))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_damage_ends_in_anything_but_an_audio_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp()
    kind = data.draw(st.sampled_from(["WAV", "FLAC", "OGG", "MP3", "AIFF"]))
    whole = folder / f"damage.{kind}"
    if not whole.exists():
        soundfile.write(whole, tone(0.2), RATE, format=kind)
    content = bytearray(whole.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = folder / "damaged.wav"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with contextlib.suppress(AudioError):
        samples = audio.read(path)
        assert (samples.ndim, samples.dtype) == (1, np.float32)
        assert np.isfinite(samples).all()
    with contextlib.suppress(AudioError):
        facts = audio.information(path)
        assert facts.duration >= 0
        assert min(facts.sample_rate, facts.channels) >= 1


@pytest.mark.corpora
def test_every_file_of_the_real_corpora_is_usable(real_data: Path) -> None:
    for corpus, files, seconds in (("emo-db", 535, 1487.09), ("ravdess", 1440, 5328.96)):
        facts = [audio.information(path) for path in (real_data / corpus).rglob("*.wav")]
        assert len(facts) == files
        assert sum(fact.duration for fact in facts) == pytest.approx(seconds, abs=0.01)
