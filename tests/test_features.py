from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import opensmile
import pytest
import scipy.signal
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from opensmile.core.lib import OpenSMILE

from emobench import features
from emobench.errors import FeatureError, SpecError
from emobench.features import FrontEnd, registry
from emobench.features.mel import mel_matrix
from emobench.runs.extraction import parse

RATE = 16_000
OWN = [name for name in features.names() if not features.get(name).folder]
HEARD = [name for name in OWN if not features.get(name).text]

# The stages of a log-mel extractor, written for this test from openSMILE's component reference.
LOGMEL_PIPELINE = r"""
[componentInstances:cComponentManager]
instance[dataMemory].type = cDataMemory
instance[extsource].type = cExternalAudioSource
instance[frame].type = cFramer
instance[emphasis].type = cVectorPreemphasis
instance[window].type = cWindower
instance[fft].type = cTransformFFT
instance[power].type = cFFTmagphase
instance[mel].type = cMelspec
instance[log].type = cVectorOperation
instance[extsink].type = cExternalSink
nThreads = 1
printLevelStats = 0

[extsource:cExternalAudioSource]
writer.dmLevel = wave
writer.levelconf.growDyn = 1
writer.levelconf.isRb = 0
sampleRate = 16000
nBits = 16
channels = 1

[frame:cFramer]
reader.dmLevel = wave
writer.dmLevel = frames
noPostEOIprocessing = 1
frameSize = 0.025
frameStep = 0.010
frameMode = fixed
frameCenterSpecial = left

[emphasis:cVectorPreemphasis]
reader.dmLevel = frames
writer.dmLevel = emphasised
k = 0.97
de = 0

[window:cWindower]
reader.dmLevel = emphasised
writer.dmLevel = windowed
winFunc = ham
gain = 1.0
offset = 0

[fft:cTransformFFT]
reader.dmLevel = windowed
writer.dmLevel = spectrum
zeroPadSymmetric = 0

[power:cFFTmagphase]
reader.dmLevel = spectrum
writer.dmLevel = magnitude
magnitude = 1
phase = 0

[mel:cMelspec]
reader.dmLevel = magnitude
writer.dmLevel = bands
nBands = \cm[bands{40}:number of bands]
usePower = 1
htkcompatible = 0
lofreq = 0
hifreq = 8000
specScale = mel

[log:cVectorOperation]
reader.dmLevel = bands
writer.dmLevel = logarithm
operation = log
logfloor = 1e-12

[extsink:cExternalSink]
reader.dmLevel = logarithm
blocksize = 1
"""


def speech(seconds: float, seed: int = 0) -> np.ndarray:
    """Return something with the spectrum, pauses and level of speech, exact in 16 bits."""
    n = round(seconds * RATE)
    rng = np.random.default_rng(seed)
    time = np.arange(n) / RATE
    pitch = 140 + 40 * np.sin(2 * np.pi * 1.3 * time)
    source = np.sin(np.cumsum(2 * np.pi * pitch / RATE)) ** 9 + 0.05 * rng.standard_normal(n)
    voiced = scipy.signal.lfilter([1], [1, -1.3, 0.8], source) * (np.sin(6 * time) > -0.5)
    samples = 0.4 * voiced / max(np.abs(voiced).max(), 1e-9) + 1e-3 * rng.standard_normal(n)
    return (np.round(samples * 32768) / 32768).astype(np.float32)


def opensmile_logmel(samples: np.ndarray, bands: int, folder: Path) -> np.ndarray:
    config = folder / "logmel.conf"
    config.write_text(LOGMEL_PIPELINE)
    pipeline, rows = OpenSMILE(), []
    pipeline.initialize(str(config), {"bands": bands}, loglevel=0)
    pipeline.external_sink_set_callback_ex("extsink", lambda data, _: rows.append(data.copy()))
    data = (samples * 32768).astype(np.int16).tobytes()
    pipeline.external_audio_source_write_data("extsource", data)
    pipeline.external_audio_source_set_eoi("extsource")
    pipeline.run()
    pipeline.free()
    return np.vstack([np.ravel(row) for row in rows])


@pytest.mark.parametrize("bands", [40, 240])
def test_logmel_is_that_of_opensmile(bands: int, tmp_path: Path) -> None:
    samples = speech(3.0)
    expected = opensmile_logmel(samples, bands, tmp_path)
    found = features.extract("logmel", samples, RATE, bands=bands)
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=7e-4)


def mel_loop(bands: int) -> np.ndarray:
    """Return the triangles of the specification, weight by weight."""
    top = 1127 * np.log(1 + 8000 / 700)
    matrix = np.zeros((257, bands))
    for band in range(bands):
        low, centre, high = (top * (band + i) / (bands + 1) for i in range(3))
        for k in range(1, 256):
            mel = 1127 * np.log(1 + k * 16000 / 512 / 700)
            if low < mel <= centre:
                matrix[k, band] = (mel - low) / (centre - low)
            elif centre < mel < high:
                matrix[k, band] = (high - mel) / (high - centre)
    return matrix


@pytest.mark.parametrize("bands", [26, 40, 240])
def test_mel_matrix_is_that_of_the_specification(bands: int) -> None:
    np.testing.assert_allclose(mel_matrix(bands), mel_loop(bands), atol=1e-9)


def test_mel_matrix_of_240_bands_has_22_empty_ones() -> None:
    assert (mel_matrix(240).max(axis=0) == 0).sum() == 22


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("bands", [40, 240])
def test_mel_matrix_is_that_of_tensorflow(bands: int) -> None:
    tensorflow = pytest.importorskip("tensorflow")
    expected = tensorflow.signal.linear_to_mel_weight_matrix(bands, 257, RATE, 0.0, 8000.0)
    np.testing.assert_allclose(mel_matrix(bands), expected.numpy(), atol=4e-5)


def logmel_loop(samples: np.ndarray, bands: int) -> np.ndarray:
    """Return log-mel energies frame by frame, as the specification puts it."""
    rows = []
    for start in range(0, len(samples) - 399, 160):
        frame = samples[start : start + 400].astype(float)
        emphasised = [0.03 * frame[0]]
        emphasised += [frame[j] - 0.97 * frame[j - 1] for j in range(1, 400)]
        window = [0.54 - 0.46 * np.cos(2 * np.pi * j / 399) for j in range(400)]
        spectrum = np.fft.fft(np.multiply(emphasised, window), 512)[:257]
        rows.append(np.log(np.maximum(np.abs(spectrum) ** 2 @ mel_loop(bands), 1e-12)))
    return np.array(rows)


def test_logmel_is_the_loop_of_the_specification() -> None:
    samples = speech(0.1)
    expected = logmel_loop(samples, 40)
    found = features.extract("logmel", samples, RATE)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_logmel_of_an_empty_band_is_the_floor() -> None:
    found = features.extract("logmel", speech(0.5), RATE, bands=240)
    empty = mel_loop(240).max(axis=0) == 0
    assert found[:, empty].max() == found[:, empty].min() == np.float32(np.log(1e-12))


@settings(max_examples=25, deadline=None)
@given(n=st.integers(400, 60_000))
def test_logmel_has_one_row_for_each_complete_frame(n: int) -> None:
    samples = np.random.default_rng(n).uniform(-1, 1, n).astype(np.float32)
    found = features.extract("logmel", samples, RATE)
    starts = [start for start in range(0, n, 160) if start + 400 <= n]
    assert found.shape == (len(starts), 40)
    assert np.isfinite(found).all()


def test_logmel_of_a_long_clip_does_not_depend_on_what_is_far_away() -> None:
    samples = speech(6.0)
    whole = features.extract("logmel", samples, RATE)
    part = features.extract("logmel", samples[160 * 100 : 160 * 110], RATE)
    np.testing.assert_allclose(whole[100 : 100 + len(part)], part, atol=1e-5)


def spectrogram_5s(samples: np.ndarray, bands: int) -> np.ndarray:
    """Return the fixed spectrogram by SciPy's short-time Fourier transform."""
    signal = np.zeros(80_000)
    signal[: min(len(samples), 80_000)] = samples[:80_000]
    emphasised = scipy.signal.lfilter([1, -0.97], [1], signal)
    window = scipy.signal.get_window("hann", 400, fftbins=True)
    transform = scipy.signal.ShortTimeFFT(window, 160, RATE, mfft=512, phase_shift=None)
    # SciPy centres a slice on its sample: the first whole frame is centred on sample 200.
    shifted = np.concatenate([np.zeros(120), emphasised])
    slices = transform.stft(shifted, p0=2, p1=500)
    power = (np.abs(slices).T @ mel_loop(bands)) ** 2
    with np.errstate(divide="ignore"):
        decibel = 10 * np.log10(power)
    decibel = np.maximum(decibel - decibel.max(), -60)
    return 2 * (decibel - decibel.min()) / (decibel.max() - decibel.min()) - 1


@pytest.mark.parametrize("bands", [40, 240])
@pytest.mark.parametrize("seconds", [1.7, 5.0, 6.3])
def test_logmel5s_is_that_of_scipy(bands: int, seconds: float) -> None:
    samples = speech(seconds)
    found = features.extract("logmel5s", samples, RATE, bands=bands)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, spectrogram_5s(samples, bands), atol=7e-5)


def test_logmel5s_drops_the_last_frame_on_request() -> None:
    # What is dropped is the quiet end, so that it does not take part in the stretching.
    samples = speech(2.0)
    found = features.extract("logmel5s", samples, RATE, drop_last_frame=True)
    whole = features.extract("logmel5s", samples, RATE)
    assert found.shape == (497, 40)
    np.testing.assert_array_equal(found, whole[:497])


def test_logmel5s_of_a_clip_that_begins_with_five_silent_seconds_is_minus_one() -> None:
    samples = np.concatenate([np.zeros(80_000, np.float32), speech(1.0)])
    assert (features.extract("logmel5s", samples, RATE) == -1).all()


def test_logmel5s_fills_up_with_the_lowest_value() -> None:
    found = features.extract("logmel5s", speech(1.0), RATE)
    assert (found[110:] == -1).all()
    assert found.max() == 1


def test_raw5s_keeps_five_seconds_and_measures_the_whole_clip() -> None:
    samples = np.concatenate([speech(5.0), 0.9 * np.ones(16_000, np.float32)])
    values, moments = registry.compute(features.spec("raw5s"), samples, RATE)
    np.testing.assert_array_equal(values, samples[:80_000, None])
    assert moments.count.item() == 96_000
    assert moments.mean.item() == pytest.approx(samples.mean(dtype=float), abs=1e-9)
    assert moments.m2.item() == pytest.approx(samples.var(dtype=float) * 96_000, rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(n=st.integers(320, 100_000))
def test_frames640_are_those_of_a_loop(n: int) -> None:
    samples = np.random.default_rng(n).uniform(-1, 1, n).astype(np.float32)
    expected = np.zeros((500, 640), np.float32)
    for i in range(500):
        part = samples[:80_000][160 * i : 160 * i + 640]
        expected[i, : len(part)] = part
    np.testing.assert_array_equal(features.extract("frames640", samples, RATE), expected)


def test_frames640_reads_the_cache_of_raw5s() -> None:
    front_end = features.get("frames640")
    assert front_end.source == "raw5s"
    assert front_end.shape({}) == (500, 640)
    assert features.get("raw5s").shape({}) == (None, 1)


def test_is09_is_that_of_the_wheel(tmp_path: Path) -> None:
    smile = opensmile.Smile(opensmile.FeatureSet.IS09, opensmile.FeatureLevel.Functionals)
    assert len(smile.feature_names) == features.get("is09").shape({})[1]
    for number, seconds in enumerate([1.0, 0.05, 2.5, 0.4]):
        path = tmp_path / f"{number}.wav"
        soundfile.write(path, speech(seconds, seed=number), RATE, subtype="PCM_16")
        samples, _ = soundfile.read(path, dtype="float32")
        expected = smile.process_file(path).to_numpy()
        np.testing.assert_array_equal(features.extract("is09", samples, RATE), expected)


def test_is09_does_not_wrap_full_scale_around() -> None:
    samples = speech(1.0)
    loud = np.clip(samples * 4, -1, 1)
    assert (loud == 1).any()
    below = np.minimum(loud, 32767 / 32768).astype(np.float32)
    found = features.extract("is09", loud, RATE)
    np.testing.assert_array_equal(found, features.extract("is09", below, RATE))


def test_is09_of_one_clip_does_not_depend_on_the_clip_before() -> None:
    first, second = speech(1.5, seed=1), speech(0.6, seed=2)
    alone = features.extract("is09", second, RATE)
    features.extract("is09", first, RATE)
    np.testing.assert_array_equal(features.extract("is09", second, RATE), alone)


@pytest.mark.parametrize("name", HEARD)
def test_every_front_end_gives_the_shape_it_promises(name: str) -> None:
    front_end = features.get(name)
    for seconds in (max(0.05, front_end.minimum / RATE), 1.0, 7.0):
        values = features.extract(name, speech(seconds), RATE)
        rows, columns = front_end.shape(front_end.defaults)
        assert values.dtype == np.float32
        assert values.shape[1] == columns
        assert rows is None or values.shape[0] == rows
        assert np.isfinite(values).all()


@pytest.mark.parametrize("name", HEARD)
def test_every_front_end_takes_any_sampling_rate(name: str) -> None:
    samples = speech(1.0)
    for rate in (8_000, 22_050, 44_100):
        other = scipy.signal.resample_poly(samples, rate // 50, RATE // 50).astype(np.float32)
        values = features.extract(name, other, rate)
        assert values.shape == features.extract(name, samples, RATE).shape


@pytest.mark.parametrize("name", HEARD)
def test_every_front_end_takes_its_minimum_and_nothing_shorter(name: str) -> None:
    minimum = features.get(name).minimum
    samples = speech(1.0)
    assert len(features.extract(name, samples[:minimum], RATE))
    with pytest.raises(FeatureError, match=rf"{name}.*too short: expected at least {minimum}"):
        features.extract(name, samples[: minimum - 1], RATE)


@pytest.mark.parametrize("name", HEARD)
@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros(0, np.float32), "empty: holds no samples"),
        (np.zeros(16_000, np.float32), "silent: all 16000 samples equal 0"),
        (np.full(16_000, 0.25, np.float32), r"silent: all 16000 samples equal 0\.25"),
        (np.full(16_000, np.nan, np.float32), "16000 of 16000 samples are NaN or infinite"),
        (np.array([0.1, np.inf] * 8000, np.float32), "8000 of 16000 samples are NaN"),
        (np.ones((16_000, 2), np.float32), r"expected mono samples .* found \(16000, 2\)"),
        (np.arange(16_000, dtype=np.int16), "expected floating-point samples .* found int16"),
    ],
)
def test_every_front_end_refuses_unusable_samples(
    name: str, samples: np.ndarray, message: str
) -> None:
    with pytest.raises(FeatureError, match=message):
        features.extract(name, samples, RATE)


def test_silence_is_noticed_at_any_rate() -> None:
    with pytest.raises(FeatureError, match=r"silent: all 44100 samples equal 0\.1"):
        features.extract("logmel", np.full(44_100, 0.1, np.float32), 44_100)


def test_a_rate_that_is_none_is_refused() -> None:
    with pytest.raises(FeatureError, match="sampling rate in Hz above 0, found 0"):
        features.extract("logmel", speech(0.1), 0)


def test_a_front_end_does_not_change_the_samples() -> None:
    samples = speech(1.0)
    before = samples.copy()
    for name in HEARD:
        features.extract(name, samples, RATE)
    np.testing.assert_array_equal(samples, before)


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("logmle", {}, r"found 'logmle'. Did you mean 'logmel'"),
        ("logmel", {"band": 40}, r"found 'band'. Did you mean 'bands'"),
        ("logmel", {"bands": "40"}, r"expected bands as a whole number from 1 to 512, found '40'"),
        ("logmel", {"bands": True}, "expected bands as a whole number"),
        ("logmel", {"bands": 0}, "from 1 to 512, found 0"),
        ("raw5s", {"bands": 40}, r"one of its parameters \(none\), found 'bands'"),
    ],
)
def test_a_wrong_spec_is_explained(name: str, params: dict, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        features.spec(name, **params)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("logmel:bands=240", "logmel(bands=240)"),
        ("logmel5s:drop_last_frame=False", "logmel5s(bands=40, drop_last_frame=False)"),
        ("logmel5s:drop_last_frame=true,bands=20", "logmel5s(bands=20, drop_last_frame=True)"),
    ],
)
def test_a_front_end_of_the_command_line_has_the_values_that_are_written(text, expected):
    assert str(parse(text)) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("logmel:bands=x", r"expected bands as a whole number from 1 to 512, found 'x'"),
        ("logmel5s:drop_last_frame=no", "expected drop_last_frame as true or false, found 'no'"),
        ("logmel:bands", "expected parameter=value after the colon, found 'bands'"),
        ("logmel:band=4", "found 'band'. Did you mean 'bands'"),
    ],
)
def test_a_wrong_front_end_of_the_command_line_is_explained(text, message):
    with pytest.raises(SpecError, match=message):
        parse(text)


def test_a_spec_is_complete_and_sorted() -> None:
    spec = features.spec("logmel5s", bands=240)
    assert spec.params == (("bands", 240), ("drop_last_frame", False))
    assert features.spec("LOGMEL") == features.spec("logmel", bands=40)


def test_listing_loads_no_extractor() -> None:
    code = (
        "import sys; from emobench import features; features.names(); features.spec('is09');"
        "features.get('logmel'); features.missing_package('is09');"
        "heavy = {'opensmile', 'librosa', 'keras', 'tensorflow', 'sklearn', 'scipy', 'av'};"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    root = Path(features.__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert features.missing_package("is09") == "opensmile"
    assert features.missing_package("logmel") is None
    with pytest.raises(FeatureError, match=r"the package opensmile.*pip install opensmile"):
        features.extract("is09", speech(1.0), RATE)


@pytest.mark.parametrize(("gaps", "broken"), [(True, [0]), (True, [0, 1]), (False, [0])])
def test_values_that_are_no_numbers(
    monkeypatch: pytest.MonkeyPatch, gaps: bool, broken: list[int]
) -> None:
    def pair(samples: np.ndarray) -> np.ndarray:
        values = np.ones((1, 2), np.float32)
        values[:, broken] = np.nan
        return values

    front_end = FrontEnd("pair", "for this test", pair, lambda params: (1, 2), gaps=gaps)
    monkeypatch.setitem(registry._FRONT_ENDS, "pair", front_end)
    if gaps and len(broken) == 1:
        values, moments = registry.compute(features.spec("pair"), speech(0.1), RATE)
        np.testing.assert_array_equal(values, [[np.nan, 1]])
        np.testing.assert_array_equal(moments.count, [[0, 1]])
    else:
        with pytest.raises(FeatureError, match="gives values that are NaN"):
            features.extract("pair", speech(0.1), RATE)


@pytest.mark.slow
def test_opensmile_works_beside_tensorflow():
    """TensorFlow loaded first used to corrupt openSMILE's memory and end the process."""
    code = (
        "import sys\n"
        "if 'first' in sys.argv: import keras; keras.ops.zeros(1)\n"
        "import numpy, emobench\n"
        "noise = numpy.random.default_rng(0).uniform(-0.1, 0.1, 16_000).astype('float32')\n"
        "for _ in range(3): values = emobench.extract('is09', noise, 16_000)\n"
        "print(values.tobytes().hex())"
    )
    alone, beside = (
        subprocess.run(
            [sys.executable, "-c", code, *more], capture_output=True, text=True, check=True
        ).stdout
        for more in ((), ("first",))
    )
    assert alone == beside
