"""The model card: what is known of a model and what is not, in words for who may use it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import encoders
from ..errors import count
from ..experiments.fitted_input import FittedInput
from ..spec import BETWEEN, plain
from .contents import Contents
from .evidence import Evidence

_LIMITS = """\
- It must not decide about people: not in hiring, schooling, policing, insurance, health care or
  at borders, nor where the law forbids to infer emotions (in the European Union at work and in
  schools).
- A label says which of the trained classes a recording sounds most like. It does not say what the
  person feels, and no class stands for "none of these".
- Speech that was acted or elicited is not speech of everyday life. Other languages, microphones,
  rooms, ages and codecs than those below were not tested unless the tables say so.
- The probabilities are not calibrated: they rank classes, and do not say how often it is right."""

_OPENSMILE = (
    "openSMILE, which computes {features}, is licensed for research only; a commercial use needs a "
    "licence from audEERING."
)


def licences(corpora: Iterable[Any], inputs: Mapping[str, FittedInput]) -> tuple[str, ...]:
    """Return what must be heeded by who uses a model.

    Args:
        corpora: entries of the registry that it was trained on
        inputs: of the model
    """
    found = [
        f"{corpus.title}: {corpus.licence or 'no licence is known'}; "
        f"{'open access' if corpus.access == 'open' else 'given out under a licence agreement'}. "
        "Whether a model that was trained on it may be passed on is for its licence to say."
        for corpus in corpora
    ]
    by_smile = {
        item.spec.name for item in inputs.values() if item.front_end.requires == "opensmile"
    }
    if by_smile:
        found.append(_OPENSMILE.format(features=_listed(sorted(by_smile))))
    for item in inputs.values():
        if folder := item.front_end.folder:
            encoder = encoders.read_card(Path(dict(item.spec.params)[folder]))
            heard = _listed(encoder.training_corpora) or "corpora that are not known"
            found.append(
                f"{encoder.name}, the encoder that the model is fed from and that is not in this "
                f"folder: {encoder.licence or 'no licence is known'}; it was trained on {heard}."
            )
    return tuple(found)


def text(contents: Contents, evidence: Mapping[str, Evidence | None]) -> str:
    """Return the card of a bundle, in Markdown.

    Args:
        contents: of the bundle
        evidence: what is on file of its corpora, by name; None where there is nothing
    """
    training = contents.training
    parts = [
        f"# {contents.model}, trained on {_listed([c['title'] for c in training['corpora']])}",
        f"Labels an utterance as {_listed(contents.labels, 'or')}. {contents.spec.citation}.",
        "## What it must not be used for",
        _LIMITS,
        "## How well it does",
        *(_told(training, name, found) for name, found in evidence.items()),
        *_own_fold(training),
        "## What it was trained on",
        _trained_on(contents),
        "## Licences",
        "\n".join(f"- {licence}" for licence in contents.licences),
        "## Use",
        _use(contents),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _told(training: Mapping[str, Any], corpus: str, found: Evidence | None) -> str:
    """Return what is known of the model on a corpus, or from one corpus to another."""
    trained, between, tested = corpus.rpartition(BETWEEN)
    asked = f"{trained} --test-corpus {tested}" if between else corpus
    command = f"`emobench run --model {training['model']} --corpus {asked} "
    command += f"--protocol {training['protocol']}`"
    if found is None:
        return f"### {corpus}\n\n{_nothing_on_file(trained, tested, command)}"
    complete = found.jobs == found.wanted
    done = "" if complete else f" From {found.jobs} of {count(found.wanted, 'fold')} only."
    within = "no interval over speakers: they are too few, or folds are missing"
    if found.interval is not None:
        within = (
            f"95 % interval over {found.interval.speakers} speakers: "
            f"{_percent(found.interval.low)} to {_percent(found.interval.high)}"
        )
    how, meaning = (
        "Cross-validated",
        f"That is what models like this one reach that are trained on {corpus} alone, on clips of "
        "it that they were not trained on, split as the protocol says.",
    )
    if between:
        how, meaning = (
            f"Trained on {trained} and tested on {tested}",
            "That is what models like this one reach on another corpus, trained on the emotions "
            f"that both have: {_listed(found.labels)}.",
        )
    said = [
        f"### {corpus}",
        f"{how}, protocol `{found.protocol}`: **UAR {_percent(found.uar)} %** ({within}; chance is "
        f"{_percent(1 / len(found.labels))} %).{done} {meaning}",
        f"**Caution:** {training['caution'].rstrip('.')}." if training["caution"] else "",
        _confusion(found),
        _sexes(found),
    ]
    return "\n\n".join(part for part in said if part)


def _nothing_on_file(trained: str, tested: str, command: str) -> str:
    """Return what to say of a corpus without results, with the command that makes some."""
    if trained:
        return (
            f"No result of this model, trained on {trained} and tested on {tested}, was on file "
            f"when it was exported. {command} makes one."
        )
    return (
        f"No cross-validation of this model on {tested} was on file when it was exported: how well "
        f"it does there is not known. {command} finds out."
    )


def _confusion(found: Evidence) -> str:
    rows = [
        [label, *map(str, row), _recall(found.recall[label])]
        for label, row in zip(found.labels, found.confusion, strict=True)
    ]
    return "Clips by true class (rows) and predicted class:\n\n" + _table(
        ["", *found.labels, "recall %"], rows
    )


def _sexes(found: Evidence) -> str:
    if not found.sexes:
        return "The sex of the speakers is not known, and so not whether one is recognised worse."
    rows = [
        [
            each.sex,
            str(each.speakers),
            str(each.clips),
            _percent(each.uar),
            *(_recall(each.recall[label]) for label in found.labels),
        ]
        for each in found.sexes
    ]
    return "Recall by sex, in percent:\n\n" + _table(
        ["", "speakers", "clips", "UAR", *found.labels], rows
    )


def _own_fold(training: Mapping[str, Any]) -> list[str]:
    """Return how this very model did, where it is that of a fold."""
    if training.get("fold") is None:
        return []
    verified = training["verified"]
    agreement = (
        "No predictions of this fold were on file to compare with."
        if verified is None
        else f"Its predictions differ from those on file by {verified['largest_difference']:.1e} "
        "at most."
    )
    return [
        f"### This model\n\nIt is that of fold {training['fold']}, repetition "
        f"{training['repetition']}, trained without {_listed(training['held_out'])}: on these "
        f"{count(training['test_clips'], 'clip')} its UAR is "
        f"{_percent(training['test_uar'])} %. {agreement}"
    ]


def _trained_on(contents: Contents) -> str:
    training = contents.training
    lines = [
        f"- {corpus['title']} ({corpus['language'] or 'language unknown'}"
        f"{', synthetic voices' if corpus['synthetic'] else ''}): "
        f"{corpus['citation'] or 'no citation known'}"
        for corpus in training["corpora"]
    ]
    labels = ", ".join(f"{label} {number}" for label, number in training["labels"].items())
    sexes = ", ".join(f"{sex} {number}" for sex, number in training["sexes"].items())
    lines += [
        f"- {count(training['clips'], 'clip')} of {count(training['speakers'], 'speaker')}: "
        f"{labels}",
        f"- speakers by sex: {sexes or 'unknown'}",
        f"- protocol `{training['protocol']}`, random seed {training['seed']}, "
        f"{training['backend']} on {training['device']}, emobench {training['emobench']}",
        f"- decoded clips: digest `{training['clips_digest'][:16]}`",
    ]
    lines += [
        f"- {key.replace('_', ' ')}: {_shown(value)}" for key, value in training["facts"].items()
    ]
    return "\n".join(lines)


def _use(contents: Contents) -> str:
    lines = ["```\nemobench predict FOLDER CLIP.wav\n```"]
    if any(item.scaling == "speaker" for item in contents.inputs.values()):
        lines.append(
            "The features of its training clips were standardised speaker by speaker. It does best "
            "where it is told who speaks (`--speaker-column`, or `--speaker-from-folder`) and is "
            "given some ten clips of each."
        )
    if contents.training["batching"] == "sorted":
        lines.append(_without_neighbours(contents.training))
    if contents.spec.needs:
        lines.append("It takes text: every clip needs a transcript.")
    return "\n\n".join(lines)


def _without_neighbours(training: Mapping[str, Any]) -> str:
    """Return how a bundle is apart from its fold, whose batches let clips change each other."""
    told = (
        "Its protocol pads clips to the longest of a batch, which lets neighbours change a "
        "prediction. Here every clip is predicted by itself"
    )
    alone = training.get("alone")
    if alone is None:
        return f"{told}, so it may predict otherwise than the models that were cross-validated."
    return (
        f"{told}: on the clips of its fold, probabilities differ by "
        f"{alone['largest_difference']:.1e} at most from those of the fold, "
        f"{count(alone['other_labels'], 'clip')} of {training['test_clips']} "
        f"{'has' if alone['other_labels'] == 1 else 'have'} another label, and UAR is "
        f"{_percent(alone['uar'])} % in place of {_percent(training['test_uar'])} %."
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, [":--"] + ["--:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _listed(words: Sequence[str], joint: str = "and") -> str:
    words = list(words)
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {joint} {words[-1]}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _recall(share: float | None) -> str:
    return "–" if share is None else _percent(share)


def _shown(value: Any) -> str:
    value = plain(value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(each)}" for key, each in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)
