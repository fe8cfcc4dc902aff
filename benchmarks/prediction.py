"""How many times faster than real time bundles label files, on two cores, and what memory it takes.

python benchmarks/prediction.py [--model NAME ...] [--files N ...] [--jobs N]

Bundles are trained on the demo corpus for an epoch. Files are copies of speech-like tones of three
seconds. Times are processor time, of this process and of those that extract: other work on the
machine does not count. Two cores have twice the time of one.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import tempfile
import time
from pathlib import Path

import on_cpu

CORES = 2
BACKEND = on_cpu.start(threads=1)

import numpy as np  # noqa: E402
import soundfile  # noqa: E402

from emobench.bundles import load_model  # noqa: E402
from emobench.bundles.wanted import Wanted  # noqa: E402
from emobench.run_options import Selection  # noqa: E402
from emobench.runs import Export, export  # noqa: E402

SECONDS, RATE = 3.0, 16_000
SPEAKERS = 50


def write_clips(folder: Path, count: int) -> list[Wanted]:
    """Write clips of several lengths and name their speakers; many are links to the same sound."""
    random = np.random.default_rng(0)
    sounds = []
    for number in range(min(count, 100)):
        time_in = np.arange(int(random.uniform(0.5, 1.5) * SECONDS * RATE)) / RATE
        tone = sum(np.sin(2 * np.pi * k * (100 + number) * time_in) / k for k in range(1, 20))
        noise = 0.01 * random.standard_normal(len(time_in))
        sounds.append(folder / f"sound{number}.wav")
        soundfile.write(sounds[-1], 0.1 * tone + noise, RATE)
    clips = []
    for number in range(count):
        link = folder / f"{number}.wav"
        link.symlink_to(sounds[number % len(sounds)])
        clips.append(Wanted(link.name, link, speaker=str(number % SPEAKERS)))
    return clips


def used() -> float:
    """Return the seconds that this process and its children that ended have computed."""
    own, others = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return sum(each.ru_utime + each.ru_stime for each in (own, others))


def measure(bundle: Path, clips: list[Wanted], jobs: int) -> tuple[float, float]:
    """Return processor seconds and those on the clock that labelling takes."""
    model = load_model(bundle)
    for _ in model.answers(clips[:64]):  # traces the network
        pass
    began, start = used(), time.perf_counter()
    answers = [answer.reason for answer in model.answers(clips, jobs=jobs)]
    if any(answers):
        raise SystemExit(f"a clip was refused: {next(filter(None, answers))}")
    return used() - began, time.perf_counter() - start


def main() -> None:
    """Print a line for each model and number of files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", nargs="*", default=["svm-is09", "aldeneh2017-logmel40"])
    parser.add_argument("--files", nargs="*", type=int, default=[1000])
    parser.add_argument("--jobs", type=int, default=CORES, help="processes that extract")
    chosen = parser.parse_args()
    print(f"{'model':24} {'files':>6} {'times real time':>16} {'on the clock':>13} {'peak MiB':>9}")
    folder = Path(tempfile.mkdtemp())
    try:
        places = {name: folder / name for name in ("cache", "data", "results")}
        for name in chosen.model:
            out = folder / name
            export(
                Selection(name, "demo", "smoke", epochs=1, backend=BACKEND, **places), Export(out)
            )
            for count in chosen.files:
                sounds = folder / f"{name}-{count}"
                sounds.mkdir()
                clips = write_clips(sounds, count)
                length = sum(soundfile.info(clip.path).duration for clip in clips)
                processor, clock = measure(out, clips, chosen.jobs)
                peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
                speed = CORES * length / processor
                print(
                    f"{name:24} {count:6} {speed:16.0f} {length / clock:13.0f} {peak:9}", flush=True
                )
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
