"""The options of a run, each written once.

The command line, the keywords of `emobench.run` and their help are all derived from the fields
below: an option is added here, and read where it is needed from the selection.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

from . import protocols
from .controls import Control
from .errors import SpecError
from .spec import Sides

Kind = Literal[
    "names",
    "numbers",
    "word",
    "count",
    "count-or-word",
    "choice",
    "switch",
    "folder",
    "file",
    "files",
]
Trainer = Literal["tensorflow", "jax"]
Where = Literal["local", "ray", "slurm"]

Default = TypeVar("Default")

_KEY = "option"


@dataclass(frozen=True)
class Option:
    """How a value is asked for.

    Attributes:
        help: what it does, for the command line and for Python alike
        kind: "names" and "numbers" are several, with commas between them on a command line; a
            "count" is 1 or more; "count-or-word" is that or one of the choices
        flag: its name on the command line, where that is not the field's
        metavar: what stands for its value in the help of the command line
        choices: what is accepted, where little is
        required: whether the command line insists on it
        environment: variable that gives its value where it is not asked for
        place: whether it tells where something lies, and so changes no result by itself
    """

    help: str
    kind: Kind
    flag: str = ""
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    required: bool = False
    environment: str | None = None
    place: bool = False


def _option(default: Default, kind: Kind, help: str, **more: Any) -> Default:
    """Return a field that can be asked for; see `Option`."""
    return field(default=default, metadata={_KEY: Option(help, kind, **more)})


@dataclass(frozen=True)
class Selection:
    """What to run, and how, as a user asks for it.

    A single name may stand for a sequence of one. The fields and their meaning are told by
    `described`.
    """

    model: Sequence[str] = _option(
        "all",
        "names",
        "Models to train and test; all means every model that applies to a corpus.",
        required=True,
        metavar="NAME[,…]|all",
    )
    corpus: Sequence[str] = _option(
        "all",
        "names",
        "Corpora to train and test on; all means every corpus that is on disk.",
        required=True,
        metavar="NAME[,…]|all",
    )
    protocol: str = _option(
        protocols.DEFAULT,
        "word",
        "How clips are split, tuned and scored; `emobench protocols` lists the protocols.",
    )
    _: KW_ONLY
    test_corpus: Sequence[str] = _option(
        (),
        "names",
        "Corpora to test on in place of --corpus, whose speakers are all trained on; each of "
        "these with each of those, over their common emotions. a+b is both together, on either "
        "side.",
        metavar="NAME[,…]|all",
    )
    data: str | Path | None = _option(
        None,
        "folder",
        "Folder that holds the corpora, each in a folder of its name.",
        environment="EMOBENCH_DATA",
        place=True,
    )
    results: str | Path = _option(
        "results", "folder", "Folder of records and predictions.", place=True
    )
    cache: str | Path | None = _option(
        None,
        "folder",
        "Folder of extracted features and compiled programs. "
        "[default: the platform's cache folder]",
        environment="EMOBENCH_CACHE",
        place=True,
    )
    datasets: Sequence[str | Path] = _option(
        (),
        "files",
        "Registry file that adds or overrides corpora; may be repeated. "
        "[default: datasets.yaml here, else the packaged one]",
        place=True,
    )
    jobs: int = _option(1, "count", "Worker processes on the CPU; changes no result.")
    threads: int = _option(
        1,
        "count",
        "Threads of a network's arithmetic; another number changes the last bits of a result.",
    )
    backend: Trainer = _option(
        "tensorflow", "choice", "What trains the networks.", choices=get_args(Trainer)
    )
    device: str = _option(
        "auto",
        "word",
        "What trains networks: cards, each with a worker of its own, or the CPU; auto takes every "
        "card that the backend can use, else the CPU.",
        metavar="auto|cpu|gpu|gpu:N[,…]",
    )
    workers_per_device: int = _option(1, "count", "Workers that divide the memory of a card.")
    together: int | Literal["auto", "off"] = _option(
        "auto",
        "count-or-word",
        "Folds and repetitions of a network that are trained at once, on JAX; auto means as many "
        "as a card's memory holds, and one by one on the CPU.",
        metavar="auto|off|N",
        choices=("auto", "off"),
    )
    executor: Where = _option(
        "local",
        "choice",
        "Where jobs run: on this machine, or on the nodes of a Ray or a Slurm cluster.",
        choices=get_args(Where),
    )
    address: str | None = _option(
        None,
        "word",
        "Ray cluster to use. [default: RAY_ADDRESS, else one is started for the run]",
        metavar="HOST:PORT|auto",
    )
    slurm: str = _option(
        "",
        "word",
        "What to ask of Slurm for each job of an array: partition, time (minutes), gpus, cpus, mem "
        "(GB), account, qos, exclude=n1,n2, …; array is how many jobs there are (16), and "
        "requeue=no leaves those that lose their node.",
        metavar="KEY=VALUE[,…]",
    )
    shard: str | None = _option(
        None,
        "word",
        "One of N shares of the work, by expected cost; give each of N machines another I.",
        metavar="I/N",
    )
    epochs: int | None = _option(
        None, "count", "Number of epochs, in place of the model's or the protocol's own."
    )
    folds: Sequence[int] = _option(
        (),
        "numbers",
        "Only these folds, counted from 0; `emobench folds` lists them.",
        metavar="0,1,…",
    )
    repetitions: int | None = _option(
        None, "count", "Only so many repetitions of the cross-validation."
    )
    skip_bad: bool = _option(
        False, "switch", "Leave out clips whose audio cannot be used, in place of stopping."
    )
    condition: Sequence[str] = _option(
        "none",
        "names",
        "What the sound goes through, each in a run of its own: mp3:64k (or 256, 192, 128, 96, "
        "24, 16, 8), mp3:all for all of them and none, or none.",
        metavar="NAME[,…]",
    )
    sides: Sides = _option(
        "test",
        "choice",
        "Which clips go through the condition.",
        flag="--condition-on",
        choices=get_args(Sides),
    )
    control: Control = _option(
        "none",
        "choice",
        "Negative control: labels permutes the labels of each speaker's clips, so that a sound "
        "experiment comes out at chance. Its results are never mixed with others.",
        choices=get_args(Control),
    )
    transcripts: str | Path | None = _option(
        None,
        "file",
        "CSV with the columns id and text, such as a recogniser's; takes the place of the "
        "corpora's own transcripts.",
        place=True,
    )
    vectors: str | Path | None = _option(
        None,
        "file",
        "Word vectors as text (word2vec or GloVe) that models of texts begin from.",
        flag="--embeddings",
        place=True,
    )
    encoder: str | Path | None = _option(
        None,
        "folder",
        "Folder of a frozen encoder, an ONNX model and its card.yaml, for the models that are fed "
        "from one.",
        metavar="FOLDER",
        place=True,
    )

    def __post_init__(self) -> None:
        """Make tuples of what is several."""
        for name, option in options(type(self)):
            value = getattr(self, name)
            if option.kind in ("names", "numbers", "files"):
                several = (value,) if isinstance(value, (str, int, Path)) else tuple(value)
                object.__setattr__(self, name, several)

    @property
    def places(self) -> dict[str, Any]:
        """What is told of where things lie, by name."""
        return {name: getattr(self, name) for name, option in options(type(self)) if option.place}

    def check(self) -> None:
        """Refuse numbers and words that no run could use.

        Raises:
            SpecError: if there is one
        """
        for name, option in options(type(self)):
            value, wanted = getattr(self, name), ""
            number = isinstance(value, int) and value >= 1
            if option.kind == "choice" and value not in option.choices:
                wanted = f"one of {', '.join(option.choices)}"
            elif option.kind == "count" and value is not None and not number:
                wanted = "a number of 1 or more"
            elif option.kind == "count-or-word" and not number and value not in option.choices:
                wanted = f"{', '.join(option.choices)} or a number of 1 or more"
            if wanted:
                found = f"'{value}'" if isinstance(value, str) else value
                raise SpecError(f"{flag(name, option)}: expected {wanted}, found {found}.")


def options(selection: type[Selection] = Selection) -> Iterator[tuple[str, Option]]:
    """Yield the name and the option of every field, in their order."""
    for item in fields(selection):
        yield item.name, item.metadata[_KEY]


def get(name: str) -> Option:
    """Return the option of a name.

    Raises:
        KeyError: if there is no such option
    """
    return dict(options())[name]


def flag(name: str, option: Option) -> str:
    """Return what an option is called on the command line.

    Examples:
        >>> flag(*next(options()))
        '--model'
    """
    return option.flag or f"--{name.replace('_', '-')}"


def described(selection: type[Selection] = Selection) -> str:
    """Return the lines that explain the options in the docstring of a function."""
    return "\n".join(f"    {name}: {option.help}" for name, option in options(selection))
