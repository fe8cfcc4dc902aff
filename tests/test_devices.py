"""What networks are trained on: words, what is looked for, and what a record says of it."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys

import pytest

from emobench import environment, executors
from emobench.errors import SpecError
from emobench.executors import Card, Devices, Wanted, devices, find, parse
from emobench.runs import Observer, Selection, execute, plan
from emobench.training import devices as own

H100 = ["NVIDIA H100 80GB HBM3", 81_559]
A100 = ["NVIDIA A100-SXM4-40GB", 40_536]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("auto", Wanted("auto")),
        ("CPU", Wanted("cpu")),
        ("gpu", Wanted("gpu")),
        ("gpu:0", Wanted("gpu", (0,))),
        (" gpu:1,gpu:0 ", Wanted("gpu", (1, 0))),
    ],
)
def test_words_after_device(text, wanted):
    assert parse(text) == wanted


@pytest.mark.parametrize(
    "text", ["", "cuda", "gpu:", "gpu:-1", "gpu:0,1", "0", "gpu,gpu:1", "gpu:²"]
)
def test_other_words_are_refused(text):
    with pytest.raises(SpecError, match="--device: expected auto, cpu, gpu, or cards by number"):
        parse(text)


def test_a_card_named_twice_is_refused():
    with pytest.raises(SpecError, match="expected each card once, found 'gpu:1,gpu:01'"):
        parse("gpu:1,gpu:01")


@pytest.fixture
def machine(monkeypatch):
    """A machine with a driver; what the short process would see is set by the test."""
    asked = []

    def become(cards=(), *, seen=True, trouble="", installed=True):
        def ask(backend, variables):
            asked.append((backend, variables))
            return ({}, trouble) if trouble else ({"cards": list(cards), "seen": seen}, "")

        monkeypatch.setattr(devices, "_ask", ask)
        monkeypatch.setattr(devices, "_driver_installed", lambda: installed)
        return asked

    return become


def test_every_card_is_taken_unless_some_are_named(machine):
    machine([H100, A100])
    both = (Card(0, "0", *H100), Card(1, "1", *A100))
    assert find(parse("auto"), "jax", base={}).cards == both
    found = find(parse("gpu"), "jax", base={}, workers_per_card=2)
    assert (found.cards, found.workers_per_card) == (both, 2)
    assert found.note == (
        "networks train on gpu:0 NVIDIA H100 80GB HBM3 (81559 MiB), "
        "gpu:1 NVIDIA A100-SXM4-40GB (40536 MiB)"
    )
    assert find(parse("gpu:1"), "jax", base={}).cards == both[1:]


@pytest.mark.parametrize(
    ("visible", "addresses"),
    [
        ("2,3", ["2", "3"]),
        ("GPU-8932f937, GPU-1f", ["GPU-8932f937", "GPU-1f"]),
        ("3,0,-1,1", ["3", "0"]),
    ],
)
def test_cards_are_numbered_among_those_that_the_caller_may_see(machine, visible, addresses):
    machine([H100, A100])
    found = find(parse("gpu"), "jax", base={"CUDA_VISIBLE_DEVICES": visible})
    assert [card.address for card in found.cards] == addresses
    assert [card.number for card in found.cards] == [0, 1]


@pytest.mark.parametrize("visible", ["", " ", "-1"])
def test_hidden_cards_are_not_looked_for(machine, visible):
    asked = machine([H100])
    hidden = {"CUDA_VISIBLE_DEVICES": visible}
    assert find(parse("auto"), "jax", base=hidden) == Devices()
    with pytest.raises(SpecError, match=r"CUDA_VISIBLE_DEVICES='.*' hides every card\. Unset it"):
        find(parse("gpu"), "jax", base=hidden)
    assert asked == []


def test_without_a_driver_nothing_is_asked(machine):
    asked = machine(installed=False)
    assert find(parse("auto"), "tensorflow", base={}) == Devices()
    with pytest.raises(
        SpecError,
        match=r"card that tensorflow can use, found none: there is no NVIDIA driver \(looked for "
        r"the command nvidia-smi and for /dev/nvidiactl and /dev/dxg\)\. Install the driver, or "
        r"run on a machine with a card, or use --device cpu\.",
    ):
        find(parse("gpu"), "tensorflow", base={})
    assert asked == []


def test_the_cpu_needs_no_look(machine):
    asked = machine([H100])
    assert find(parse("cpu"), "jax", base={}) == Devices()
    assert asked == []


def test_a_backend_that_cannot_use_the_card_says_what_to_install(machine):
    machine([H100], seen=False)
    what = "offers NVIDIA H100 80GB HBM3, but tensorflow does not use it"
    found = find(parse("auto"), "tensorflow", base={})
    assert found.cards == ()
    assert "networks train on the CPU" in found.note
    assert what in found.note
    with pytest.raises(SpecError, match=rf"{what}\. Run `pip install 'emobench\[gpu\]'`"):
        find(parse("gpu:0"), "tensorflow", base={})


def test_a_driver_without_cards_is_said(machine):
    machine([])
    with pytest.raises(SpecError, match="driver shows none with CUDA_VISIBLE_DEVICES='7'"):
        find(parse("gpu"), "jax", base={"CUDA_VISIBLE_DEVICES": "7"})
    assert find(parse("auto"), "jax", base={}) == Devices()


def test_a_backend_that_breaks_is_said(machine):
    machine(trouble="ImportError: libcudnn.so.9")
    with pytest.raises(SpecError, match=r"found none: jax fails: ImportError: libcudnn\.so\.9"):
        find(parse("gpu"), "jax", base={})
    assert "libcudnn" in find(parse("auto"), "jax", base={}).note


def test_a_number_that_no_card_has_is_said(machine):
    machine([H100])
    with pytest.raises(SpecError, match=r"expected gpu:0 \(gpu:0 NVIDIA H100.*\), found gpu:3"):
        find(parse("gpu:0,gpu:3"), "jax", base={})


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_the_process_that_looks_answers(backend, monkeypatch):
    """The real one, on whatever machine this is; the parent has loaded no backend for it."""
    if backend == "jax":
        pytest.importorskip("jax")
    answer, trouble = devices._ask(backend, environment.for_looking(backend, dict(os.environ)))
    assert trouble == ""
    assert isinstance(answer["seen"], bool)
    assert all(name and memory > 0 for name, memory, _ in answer["cards"])


def test_what_cannot_be_tried_without_a_model_is_taken_to_use_every_card():
    seen = environment.for_looking("onnxruntime", dict(os.environ))
    answer, trouble = devices._ask("onnxruntime", seen)
    assert trouble == ""  # that no backend of this name can be loaded is no matter
    assert answer["seen"] == bool(answer["cards"])


def test_a_process_that_fails_to_look_is_quoted():
    broken = {**os.environ, "PYTHONPATH": "", "PYTHONHOME": "/nowhere"}
    answer, trouble = devices._ask("jax", broken)
    assert answer == {}
    assert trouble


class FakeDriver:
    """Answers as libcuda does, by the addresses that it is given."""

    def __init__(self, cards, error=0):
        self.cards, self.error = cards, error
        self.buses = ["0000:17:00.0", "0000:CA:00.0"]

    def cuInit(self, flags):
        return self.error

    def cuDeviceGetCount(self, count):
        ctypes.cast(count, ctypes.POINTER(ctypes.c_int))[0] = len(self.cards)
        return 0

    def cuDeviceGet(self, device, number):
        ctypes.cast(device, ctypes.POINTER(ctypes.c_int))[0] = number
        return 0

    def cuDeviceGetName(self, name, size, device):
        name.value = self.cards[device.value][0].encode()
        return 0

    def cuDeviceGetPCIBusId(self, bus, size, device):
        bus.value = self.buses[device.value].encode()
        return 0

    def cuDeviceTotalMem_v2(self, size, device):
        memory = self.cards[device.value][1] * 2**20
        ctypes.cast(size, ctypes.POINTER(ctypes.c_size_t))[0] = memory
        return 0


def test_the_driver_is_asked_for_names_memory_and_addresses():
    both = [(*H100, "0000:17:00.0"), (*A100, "0000:CA:00.0")]
    assert own.driver_cards(FakeDriver([H100, A100])) == both
    assert own.driver_cards(FakeDriver([H100], error=100)) == []  # CUDA_ERROR_NO_DEVICE


def test_a_record_names_the_card(monkeypatch):
    monkeypatch.setattr(own, "computes_on_card", lambda: True)
    monkeypatch.setattr(own, "driver_cards", lambda: [own.DriverCard(*H100)])
    for name, value in environment.of_worker(
        "jax", 1, seat=environment.Seat("0", 0.45), base={"XLA_FLAGS": "--xla_of_the_user=1"}
    ).items():
        monkeypatch.setenv(name, value)
    assert own.device_facts() == {
        "device": "gpu NVIDIA H100 80GB HBM3",
        "device_memory_mib": 81_559,
        "device_memory_share": 0.45,
        "xla_flags": "--xla_of_the_user=1",
    }


def test_no_look_before_a_run_of_estimators(tiny_places, machine):
    asked = machine([H100])
    selection = Selection(("svm-is09",), ("tiny",), "smoke", device="gpu")
    assert execute(plan(selection, tiny_places), tiny_places).done == 2
    assert asked == []


def test_a_card_that_is_not_there_is_said_before_anything_is_extracted(
    tiny_places, machine, monkeypatch, tmp_path
):
    machine(installed=False)
    selection = Selection(("latif2019",), ("tiny",), "smoke", device="gpu")
    told = []
    with pytest.raises(SpecError, match="there is no NVIDIA driver"):
        execute(
            plan(selection, tiny_places),
            tiny_places,
            Observer(feature_progress=lambda *facts: told.append(facts)),
        )
    assert told == []
    assert not tiny_places.results.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "tpu"}, "--device: expected auto, cpu, gpu"),
        ({"workers_per_device": 0}, "--workers-per-device: expected a number of 1 or more"),
    ],
)
def test_options_are_read_before_anything_is_done(tiny_places, options, message):
    with pytest.raises(SpecError, match=message):
        plan(Selection(("latif2019",), ("tiny",), "smoke", **options), tiny_places)


def test_a_run_divides_its_cards(tiny_places, machine, monkeypatch):
    """From the option to the worker's environment, with a worker that only looks at it."""
    machine([H100, A100])
    seen = []

    class Worker:
        def __init__(self, variables, inbox, kept_to):
            seen.append((variables["CUDA_VISIBLE_DEVICES"], variables.get("KERAS_BACKEND")))
            self.inbox = inbox

        def send(self, work):
            self.inbox.put((self, executors.Outcome({})))
            return True

        def close(self, *, at_once):
            pass

    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setattr(executors.local, "WorkerProcess", Worker)
    selection = Selection(("latif2019", "svm-is09"), ("tiny",), "smoke", device="gpu:1")
    notices = []
    summary = execute(plan(selection, tiny_places), tiny_places, Observer(notice=notices.append))
    assert summary.done == 4
    assert sorted(seen) == [("-1", None), ("1", "tensorflow")]
    assert notices == ["networks train on gpu:1 NVIDIA A100-SXM4-40GB (40536 MiB)"]


def test_nothing_that_only_unix_has_is_needed():
    """Windows has no `resource`, `fcntl` or SIGHUP; a record is made without them."""
    script = (
        "import json, signal, sys\n"
        "sys.modules.update(resource=None, fcntl=None, pwd=None)\n"
        "del signal.SIGHUP, signal.pthread_sigmask\n"
        "import emobench.runs, emobench.cli.signals as signals, emobench.training.jobs as jobs\n"
        "from emobench.training import provenance\n"
        "with signals.heeded() as seen: print(json.dumps(seen))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == []
