"""What is asked of Slurm, as its commands and its jobs get to see it."""

from __future__ import annotations

import pickle
import platform

import pytest
from slurm_commands import works

from emobench.errors import EmobenchError, SpecError
from emobench.executors import devices
from emobench.executors import slurm as executor
from emobench.executors.slurm_options import Asked, parse
from emobench.runs import Selection, plan


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("cluster=local", Asked("local")),
        (
            "partition=gpu,time=120,gpus=1",
            Asked(
                parameters={"slurm_partition": "gpu", "timeout_min": 120, "gpus_per_node": 1},
            ),
        ),
        (
            " array=3 , cluster=local, mem=8,qos=long",
            Asked("local", 3, {"mem_gb": 8, "slurm_qos": "long"}),
        ),
        (
            "time=9,exclude=n1,n[4-6,9],partition=a, b,requeue=no",
            Asked(
                parameters={
                    "timeout_min": 9,
                    "slurm_exclude": "n1,n[4-6,9]",
                    "slurm_partition": "a,b",
                },
                requeue=False,
            ),
        ),
    ],
)
def test_what_is_asked_of_the_scheduler(text, asked):
    assert parse(text) == asked


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gpu", "--slurm: expected KEY=VALUE with commas between, found 'gpu'"),
        ("partition=", "--slurm: expected KEY=VALUE with commas between, found 'partition='"),
        ("array=none", "--slurm array: expected a number of 1 or more, found none"),
        ("partition=gpu", "--slurm: expected time=MINUTES, 3 or more, found none"),
        ("time=2", "--slurm: expected time=MINUTES, 3 or more, found 2"),
        ("time=0", "--slurm time: expected a number of 1 or more, found 0"),
        ("time=9,nodes=2", "--slurm nodes: expected 1, as each job of the array does its share on"),
        ("time=9,ntasks_per_node=4", "--slurm ntasks_per_node: expected 1"),
        ("n1,exclude=n2", "--slurm: expected KEY=VALUE with commas between, found 'n1'"),
        ("time=9,gpu", "--slurm time: expected a number of 1 or more, found 9,gpu"),
        ("time=9,requeue=maybe", "--slurm requeue: expected yes, .* or no; found 'maybe'"),
        ("time=9,srun_args=-v", "--slurm srun_args: expected an option of sbatch"),
        ("cluster=big", "--slurm cluster: expected slurm or local, found 'big'"),
    ],
)
def test_what_cannot_be_asked_is_said(text, message):
    with pytest.raises(SpecError, match=message):
        parse(text)


def test_options_of_slurm_are_for_slurm(tiny_places):
    with pytest.raises(SpecError, match="--slurm time=5: expected --executor slurm, found --exec"):
        plan(Selection("svm-is09", "demo", slurm="time=5"), tiny_places)


@pytest.mark.parametrize(
    ("text", "cards"),
    [
        ("", 0),
        ("gpus=2", 2),
        ("gpus_per_node=2", 2),
        ("gpus_per_node=h100:4", 4),
        ("gpus_per_task=1", 1),
        ("gres=gpu", 1),
        ("gres=gpu:h100", 1),
        ("gres=gpu:h100:3", 3),
        ("gres=shm:1,gpu:2,nvme:7", 2),
        ("gres=nvme:7", 0),
    ],
)
def test_cards_are_known_however_they_are_asked_for(text, cards):
    assert parse(f"cluster=local,{text}").gpus == cards


@pytest.mark.parametrize(
    ("text", "device", "cpus"),
    [
        ("time=9", "auto", 6),
        ("time=9,gpus=1", "auto", 10),
        ("time=9,gres=gpu:h100:2", "gpu", 14),
        ("time=9,gpus=1", "cpu", 6),
        ("time=9,gpus=1,cpus=3", "gpu", 3),
        ("time=9,gpus=1,cpus_per_task=3", "gpu", 3),
    ],
)
def test_cpus_of_all_workers_are_asked_for(tmp_path, commands, text, device, cpus):
    """Three workers on the CPU and two on each card, of two threads each."""
    commands.take()
    items = works(tmp_path)
    wanted = devices.parse(device)
    made = executor.Slurm(parse(text), items[0].places, 3, 2, wanted, workers_per_card=2)
    assert made._submit(items[:1], tmp_path / "cache")[0].id == "7"
    assert f"#SBATCH --cpus-per-task={cpus}" in commands.script
    (started,) = [line for line in commands.script if line.startswith("srun ")]
    assert f"--cpus-per-task={cpus}" in started.split()


@pytest.mark.parametrize(
    ("text", "said", "not_said"),
    [("time=9", "requeue", "no-requeue"), ("time=9,requeue=no", "no-requeue", "requeue")],
)
def test_what_is_queued_again_is_not_left_to_the_site(tmp_path, commands, text, said, not_said):
    commands.take()
    items = works(tmp_path)
    executor.Slurm(parse(text), items[0].places)._submit(items, tmp_path / "cache")
    assert f"#SBATCH --{said}" in commands.script
    assert f"#SBATCH --{not_said}" not in commands.script


@pytest.mark.parametrize(
    ("text", "device", "kind"),
    [
        ("time=9,gpus=1", "auto", "gpu"),
        ("time=9,gres=gpu:1", "auto", "gpu"),
        ("time=9", "auto", "auto"),
        ("time=9,gpus=1", "cpu", "cpu"),
    ],
)
def test_a_card_that_slurm_is_asked_for_is_insisted_on(tmp_path, text, device, kind):
    items = works(tmp_path)
    made = executor.Slurm(parse(text), items[0].places, wanted=devices.parse(device))
    packed = made._sealed(items, tmp_path / "refusal").packed
    assert pickle.loads(packed).wanted == devices.Wanted(kind)


def test_a_node_without_the_card_that_slurm_was_asked_for_refuses(tmp_path, monkeypatch):
    pytest.importorskip("submitit", reason="needs submitit (pip install emobench[slurm])")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    items = works(tmp_path)
    for folder in (items[0].places.results, items[0].places.cache):
        folder.mkdir()
    wanted = devices.parse("auto")
    made = executor.Slurm(parse("time=9,gpus=1"), items[0].places, wanted=wanted)
    with pytest.raises(EmobenchError, match="--device: expected a graphics card"):
        made._sealed(items, tmp_path / "refusal")()
    refusal = (tmp_path / "refusal").read_text()
    assert refusal.startswith(f"{platform.node()}: --device: expected a graphics card that tensor")


@pytest.mark.parametrize(
    ("text", "device", "is_said"),
    [
        ("cluster=local", "gpu", True),
        ("cluster=local,gpus=1", "gpu", False),
        ("cluster=local", "auto", False),
    ],
)
def test_cards_that_slurm_is_not_asked_for_are_warned_of(tmp_path, caplog, text, device, is_said):
    """It is no error: some partitions give a whole node."""
    places = works(tmp_path)[0].places
    made = executor.Slurm(parse(text), places, wanted=devices.parse(device))
    assert list(made.run([])) == []
    said = "--device asks for graphics cards, and --slurm for none: unless the partition gives them"
    assert (said in caplog.text) == is_said
