"""What the first bytes of a file tell, and which channel is heard; against files made here."""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emobench.audio import channels
from emobench.audio.headers import (
    check_complete,
    check_head,
    check_rate,
    check_unknown,
    open_regular,
)
from emobench.audio.refusal import refuse, refusing
from emobench.errors import AudioError

RATE = 16_000
SOUND = np.sin(np.arange(4_000) / 7.0).astype(np.float32) / 2


def encoded(form: str, subtype: str | None = None) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, SOUND, RATE, subtype, format=form)
    return stream.getvalue()


WAV, FLAC, OGG, AIFF, AU = (encoded(form) for form in ("WAV", "FLAC", "OGG", "AIFF", "AU"))
WHOLE = {"wav": WAV, "flac": FLAC, "ogg": OGG, "aiff": AIFF, "au": AU}


def is_open_ended(tmp_path: Path, content: bytes) -> bool:
    """Return what `check_complete` says of a file."""
    path = tmp_path / "sound"
    path.write_bytes(content)
    with open_regular(path) as stream:
        return check_complete(path, stream)


@pytest.mark.parametrize("name", WHOLE)
def test_whole_files_pass(tmp_path, name):
    assert is_open_ended(tmp_path, WHOLE[name]) is False


@pytest.mark.parametrize("name", ["wav", "aiff", "au"])
@pytest.mark.parametrize("lost", [1, 100, 3_000])
def test_a_file_that_lacks_its_end_is_told_how_much(tmp_path, name, lost):
    content = WHOLE[name]
    size = len(content) - lost
    message = f"is cut short: its header promises {len(content)} bytes, the file has {size}"
    with pytest.raises(AudioError, match=message):
        is_open_ended(tmp_path, content[:size])


@pytest.mark.parametrize("lost", [1, 50, 1_000])
def test_an_ogg_file_that_lacks_its_end_is_told(tmp_path, lost):
    with pytest.raises(AudioError, match=r"is cut short \(its last page is missing\)"):
        is_open_ended(tmp_path, OGG[:-lost])


def test_a_pipe_was_written_to(tmp_path):
    """Its length is 0 or as large as can be, and the samples go to the end of the file."""
    begin = WAV.index(b"data") + 4
    for length, expected in ((0, True), (0xFFFF_FFFF, False), (0x7FFF_F000, False)):
        content = WAV[:begin] + struct.pack("<I", length) + WAV[begin + 4 :]
        assert is_open_ended(tmp_path, content) is expected


@pytest.mark.parametrize("beyond", [1, 8, 512])
def test_a_tag_behind_the_samples_is_no_contradiction(tmp_path, beyond):
    assert is_open_ended(tmp_path, WAV + b"\0" * beyond) is False


def test_chunks_behind_the_samples_are_no_contradiction(tmp_path):
    chunk = b"LIST" + struct.pack("<I", 900) + b"x" * 900
    assert is_open_ended(tmp_path, WAV + chunk) is False
    with pytest.raises(AudioError, match="and nothing tells which of the two is right"):
        is_open_ended(tmp_path, WAV + b"\xff" * 900)


def test_a_header_that_promises_less_than_follows_is_not_believed(tmp_path):
    begin = WAV.index(b"data") + 4
    half = struct.unpack("<I", WAV[begin : begin + 4])[0] // 2
    content = WAV[:begin] + struct.pack("<I", half) + WAV[begin + 4 :]
    with pytest.raises(AudioError, match=f"promises {half} bytes of samples, {2 * half} follow"):
        is_open_ended(tmp_path, content)


def test_a_flac_file_that_holds_more_than_it_promises_is_not_believed(tmp_path):
    with pytest.raises(AudioError, match="its header promises 8000 bytes of samples, but"):
        is_open_ended(tmp_path, FLAC + bytes(range(1, 256)) * 100)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (b"", r"is an empty file \(0 bytes\)\. Copy the file again"),
        (b"version https://git-lfs.github.com", "is a Git LFS pointer.* `git lfs pull` there"),
        (bytes(64), "begins with nothing but zero bytes"),
    ],
)
def test_what_is_no_sound_at_all(head, message):
    with pytest.raises(AudioError, match=message):
        check_head(Path("a.wav"), head)


@pytest.mark.parametrize("content", WHOLE.values(), ids=WHOLE)
def test_sound_may_be_asked_for_further(content):
    check_head(Path("a.wav"), content[:64])
    check_unknown(Path("a.wav"), content + bytes(4_096), "no reason")  # it is long enough


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (b"#EXTM3U\nhttp://host/a.mp3\n", "is a text file that begins with '#EXTM3U'"),
        ("Grüße\n".encode(), "is a text file that begins with 'Grüße'"),
        (b"RIFF\x01\x02", r"is damaged or cut short \(bad magic\)"),
        (b"fLaC\x00", r"is damaged or cut short \(bad magic\)"),
    ],
)
def test_what_no_other_decoder_is_asked_for(head, message):
    with pytest.raises(AudioError, match=message):
        check_unknown(Path("a.wav"), head, "bad magic")


@pytest.mark.parametrize("rate", [2_000, 8_000, 44_100.0, 400_000])
def test_rates_of_recordings(rate):
    check_rate(Path("a.wav"), rate)


@pytest.mark.parametrize(
    ("rate", "found"),
    [
        (None, "no sampling rate"),
        (0, "a sampling rate of 0 Hz"),
        (1_999, "a sampling rate of 1,999 Hz"),
        (16_000_000, "a sampling rate of 16,000,000 Hz"),
    ],
)
def test_rates_that_no_recording_has(rate, found):
    message = f"expected a sampling rate from 2,000 to 400,000 Hz, found {found} in its header"
    with pytest.raises(AudioError, match=message):
        check_rate(Path("a.wav"), rate)


def test_only_files_are_opened(tmp_path):
    with pytest.raises(AudioError, match=r"no such file\. Check the path"):
        open_regular(tmp_path / "none.wav")
    with pytest.raises(AudioError, match="expected an audio file, found a folder"):
        open_regular(tmp_path)
    with pytest.raises(AudioError, match="has a name that cannot be opened"):
        open_regular(Path("a\0.wav"))
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(AudioError, match=r"found a pipe or a device\. Remove it"):
        open_regular(tmp_path / "pipe.wav")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MemoryError(), r"needs more memory than there is\. Cut it into shorter files"),
        (ValueError("odd bits. \nmore"), r"is not audio that can be decoded \(odd bits\)"),
        (OSError(5, "Input/output error"), r"can be decoded \(Input/output error\)\. Copy it"),
        (KeyError(), r"can be decoded \(KeyError\)"),
    ],
)
def test_whatever_a_decoder_raises_is_one_sentence(error, message):
    with pytest.raises(AudioError, match=rf"^a\.wav: .*{message}"), refusing(Path("a.wav")):
        raise error


def test_a_refusal_is_not_refused_again():
    with pytest.raises(AudioError, match=r"^a\.wav: is odd\. Mend it\.$"), refusing(Path("b.wav")):
        refuse(Path("a.wav"), "is odd", "Mend it")


RANDOM = np.random.default_rng(4)
STEREO = RANDOM.standard_normal((5_000, 2))


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_channel_is_picked_as_numpy_does(count):
    block = RANDOM.standard_normal((10, count))
    assert np.array_equal(channels.pick(block, "left"), block[:, 0])
    assert np.array_equal(channels.pick(block, "right"), block[:, min(1, count - 1)])
    assert np.allclose(channels.pick(block, "mean"), np.average(block, axis=1))


@pytest.mark.parametrize("parts", [1, 7])
def test_channels_are_compared_as_numpy_does(parts):
    block = STEREO @ np.array([[1.0, 0.3], [0.0, 0.2]])
    found = channels.compare(np.array_split(block, parts))
    assert found.correlation == pytest.approx(np.corrcoef(block.T)[0, 1])
    level = 10 * np.log10(block[:, 1].var() / block[:, 0].var())
    assert found.level == pytest.approx(level)
    assert found.matters == (found.correlation < 0.5)


@pytest.mark.parametrize(
    ("second", "correlation", "level", "matters"),
    [
        (STEREO[:, 0], 1.0, 0.0, False),
        (-STEREO[:, 0], -1.0, 0.0, True),
        (STEREO[:, 0] / 10, 1.0, -20.0, False),
        (np.zeros(5_000), 0.0, -120.0, False),
        (STEREO[:, 1] / 100_000, None, None, False),  # noise of a silent channel
    ],
)
def test_what_a_second_channel_is(second, correlation, level, matters):
    found = channels.compare([np.stack([STEREO[:, 0], second], axis=1)])
    assert found.matters is matters
    if correlation is not None:
        assert found.correlation == pytest.approx(correlation)
        assert found.level == pytest.approx(level, abs=1e-6)


@pytest.mark.parametrize(
    "blocks",
    [[], [np.zeros((0, 2))], [np.zeros((9, 2))], [STEREO[:, :1]], [np.full((9, 2), np.nan)]],
    ids=["none", "empty", "silence", "mono", "NaN"],
)
def test_nothing_is_compared_where_there_is_nothing(blocks):
    assert channels.compare(blocks) is None
