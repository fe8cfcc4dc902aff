"""The named protocols: how each is split, weighted, tuned and repeated.

A protocol is data. What a paper did that a careful experimenter would not (tuning on the
evaluation folds, class weights from test clips) is reproduced only under that paper's name, and
its `caution` is printed with its numbers.
"""

from __future__ import annotations

from dataclasses import replace

from .errors import SpecError, suggest
from .spec import Protocol

DEFAULT = "losgo"

_TEST = "the test clips have a part in what is learnt"

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
        name="quick",
        title="the first two folds of losgo, thirty epochs, nothing tuned: a first look",
        max_folds=2,
        tuning="none",
        repetitions=1,
        epochs=30,
        fixed_parameters={"C": 4.0, "gamma": 2.0**-12},
        caution="two folds only: a first look, not a result",
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

_HONEST = replace(_PROTOCOLS[0], repetitions=1, baseline=DEFAULT)

_VARIANTS = (
    replace(
        _HONEST,
        name="leaky-random-clips",
        title="losgo, but for its split: as many random parts of the clips, whoever speaks",
        practice="random clips",
        split="clips",
        caution="SPEAKER-DEPENDENT: speakers who are tested are trained on; shows what that "
        "practice adds to a result",
    ),
    replace(
        _HONEST,
        name="leaky-tuning",
        title="losgo, but for its tuning: on the folds that are reported",
        practice="tuned on test",
        tuning="evaluation",
        caution=f"OPTIMISTIC: {_TEST}, as hyper-parameters are chosen by them; shows what that "
        "practice adds to a result",
    ),
    replace(
        _HONEST,
        name="leaky-epoch",
        title="losgo, but for the epoch: of each network the one that does best on the test clips",
        practice="epoch chosen on test",
        selection="best-test-epoch",
        caution=f"OPTIMISTIC: {_TEST}, as the epoch is chosen by them; shows what that practice "
        "adds to a result",
    ),
    replace(
        _HONEST,
        name="leaky-weights",
        title="losgo, but for its class weights: from all clips",
        practice="class weights from all clips",
        weights="corpus",
        caution=f"OPTIMISTIC: {_TEST}, as class weights count them; shows what that practice adds "
        "to a result",
    ),
    replace(
        _HONEST,
        name="training-scaling",
        title="losgo, but for its standardisation: by the training clips of each fold, whatever "
        "front-ends name",
        practice="standardised by the training clips",
        normalisation="training",
    ),
    replace(
        _HONEST,
        name="leaky-scaling",
        title="losgo, but for its standardisation: once by all clips, before they are split",
        practice="standardised by all clips",
        normalisation="corpus",
        baseline="training-scaling",
        caution=f"OPTIMISTIC: {_TEST}, as inputs are standardised by them; shows what that "
        "practice adds to a result",
    ),
    replace(
        _HONEST,
        name="leaky-copies",
        title="losgo, but for duplicates: a fifth of each fold's test clips is trained on as well",
        practice="a fifth of the test clips also in training",
        copies=0.2,
        caution=f"OPTIMISTIC: {_TEST}, as copies of some are trained on; shows what duplicates on "
        "both sides add to a result",
    ),
)
"""Each differs from its baseline in one practice; `emobench leakage` tells what that is worth."""


def names() -> list[str]:
    """Return the names of all protocols, the default first, variants last."""
    return [protocol.name for protocol in (*_PROTOCOLS, *_VARIANTS)]


def variants() -> list[Protocol]:
    """Return the protocols that show what a single practice adds to a result."""
    return list(_VARIANTS)


def get(name: str) -> Protocol:
    """Return a protocol by name.

    Raises:
        SpecError: if there is no such protocol
    """
    for protocol in (*_PROTOCOLS, *_VARIANTS):
        if protocol.name == name.strip().lower():
            return protocol
    raise SpecError(
        f"--protocol: expected one of {', '.join(names())}, found '{name}'."
        + suggest(name, names())
    )
