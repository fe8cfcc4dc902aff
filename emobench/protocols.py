"""The named protocols: how each is split, weighted, tuned and repeated.

A protocol is data. What a paper did that a careful experimenter would not (tuning on the
evaluation folds, class weights from test clips) is reproduced only under that paper's name, and
its `caution` is printed with its numbers.
"""

from __future__ import annotations

from .errors import SpecError, suggest
from .spec import Protocol

DEFAULT = "losgo"

_PROTOCOLS = (
    Protocol(
        name="losgo",
        title="leave one speaker out (12 speakers or fewer), 6 seeded random speaker groups, "
        "or sessions; tuning nested in the training folds",
    ),
    Protocol(
        name="keesing2020",
        paper="keesing2020",
        title="the code of Keesing, Watson and Witbrock (ALTA 2020), flaws included",
        speaker_groups="greedy",
        tuning="evaluation",
        weights="corpus",
        batching="sorted",
        statistics="running",
        repetitions=3,
        model_repetitions={"zhang2019": 1},
        epochs=50,
        caution="optimistic: the SVM is tuned on the evaluation folds, class weights count test "
        "clips, and padding to the longest of a batch lets neighbours change a network's "
        "prediction, as published",
    ),
    Protocol(
        name="wang2020",
        paper="wang2020",
        title="five folds of speakers or sessions, no class weights, the last epoch "
        "(Wang et al., ICASSP 2020, made speaker-independent: D-04)",
        split="groups",
        weights="none",
        repetitions=1,
    ),
    Protocol(
        name="wang2020-random5",
        paper="wang2020",
        title="the code of Wang et al. (ICASSP 2020): five random parts of the clips, and of each "
        "network the epoch that does best on the test clips",
        split="random",
        selection="best-test-epoch",
        statistics="running",
        weights="none",
        repetitions=1,
        headline="wa",
        caution="SPEAKER-DEPENDENT, and the test clips choose the epoch, as published: no measure "
        "of how a model does on new speakers",
    ),
    Protocol(
        name="yoon2018",
        paper="yoon2018",
        title="the code of Yoon et al. (SLT 2018): 80 % of the clips to train, 5 % to stop early, "
        "15 % to test, drawn at random; five folds, ten repetitions",
        split="random",
        development=0.25,
        weights="none",
        repetitions=10,
        headline="wap",
        caution="SPEAKER-DEPENDENT: clips are drawn whoever speaks, as published; no measure of "
        "how a model does on new speakers",
    ),
    Protocol(
        name="krishna2019",
        paper="krishna2019",
        title="Krishna and Reddy: the last of five sessions or groups of speakers is tested, once",
        split="last-group",
        weights="none",
        repetitions=1,
        caution="one split only: few speakers are tested",
    ),
    Protocol(
        name="mirsamadi2017",
        paper="mirsamadi2017",
        title="Mirsamadi, Barsoum and Zhang (ICASSP 2017): five sessions or groups of speakers, "
        "each tested once, balanced class weights",
        split="groups",
        repetitions=1,
    ),
    Protocol(
        name="smoke",
        title="the first two folds of losgo, two epochs, nothing tuned: does it run?",
        max_folds=2,
        tuning="none",
        repetitions=1,
        epochs=2,
        fixed_parameters={"C": 4.0, "gamma": 2.0**-12},
        caution="a smoke test, not a result",
    ),
)


def names() -> list[str]:
    """Return the names of all protocols, the default first."""
    return [protocol.name for protocol in _PROTOCOLS]


def get(name: str) -> Protocol:
    """Return a protocol by name.

    Raises:
        SpecError: if there is no such protocol
    """
    for protocol in _PROTOCOLS:
        if protocol.name == name.strip().lower():
            return protocol
    raise SpecError(
        f"--protocol: expected one of {', '.join(names())}, found '{name}'."
        + suggest(name, names())
    )
