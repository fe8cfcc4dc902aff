"""Proposed entries for corpora as people have them: speakers told by two parts, bare numbers,
codes that a text explains, and names of corpora that no test elsewhere follows."""

from __future__ import annotations

import pytest
import trees
import yaml
from naming import WORDS, Grammar, alternatives, check, grid, is_right, plant

from emobench.corpora.proposal import propose

SHORT = ("ang", "hap", "sad")
NAMES = ("anna", "ben", "cleo")


def turns(form: str, sessions=(1, 2, 3), dialogues=(1, 2), roles="AB", words=SHORT) -> Grammar:
    """Return names of turns in dialogues; who speaks is told by session and role."""
    truth = {
        form.format(s=s, d=d, r=r, t=t, l=word): f"{s}{r}"
        for s in sessions
        for d in dialogues
        for r in roles
        for t in (1, 2)
        for word in words
    }
    return Grammar(truth, ready=False)


TOGETHER = {
    "session and role": turns("Ses{s:02}_dialog{d:02}_{r}_{t:03}_{l}.wav"),
    "session and sex": turns("s{s:02}_d{d:02}_{r}_{l}_{t}.wav", roles="FM"),
    "dialogue and sex": turns("dia{s:02}_{r}_{l}_{t:03}.wav", range(5), (1,), "FM"),
    "role before the dialogue": turns("{r}_dlg{s}_{l}_{t}.wav", range(1, 6), (1,)),
    "a folder and a role": turns("Session{s}/dialog{d}_{r}_{l}_{t}.wav", roles="FM"),
    "emotion folders": turns("{l}/scene{s}_{r}_{t}.wav", range(1, 6), (1,), words=WORDS),
    "folders that begin anew": turns("conv{s}/speaker{r}/{l}_{t}.wav", words=WORDS, dialogues=(1,)),
    "two words for roles": turns("call{s}_{r}_{l}_{t}.wav", range(5), (1,), ("agent", "caller")),
    "the sex of the session's actor and of the speaker": turns(
        "Ses{s:02}{d}_impro{t:02}_{r}000_{l}.wav", dialogues="FM", roles="FM"
    ),
    "letters of roles": turns("session{s}/d{d}_{r}_{l}_{t}.wav", roles="LR"),
    "roles at the end": turns("Ses{s}_dialog{d}_{l}_{t}_{r}.wav", roles=("female", "male")),
    "roles that stick to a dialogue": turns("S{s}D{d}{r}_{l}_{t}.wav"),
    "numbers of couples": turns("{s:02}_{r}_{l}_{t:03}.wav", range(1, 9), (1,), "FM"),
}


def test_session_dialogue_and_role_may_tell_the_speaker_together(tmp_path):
    grammar = turns("Ses{s}_dialog{d}_{r}_{l}_{t}.wav", roles="FM")
    truth = {path: path.partition("_" + path.split("_")[3])[0] for path in grammar.truth}
    proposal = check(tmp_path / "corpus", Grammar(truth, ready=False))
    assert f"({len(set(truth.values()))} values: " in proposal.text.replace("\n#  ", "")


@pytest.mark.parametrize("name", TOGETHER)
def test_speakers_whom_two_parts_tell_are_offered(tmp_path, name):
    proposal = check(tmp_path / "corpus", TOGETHER[name])
    speakers = len(set(TOGETHER[name].truth.values()))
    assert f"({speakers} values: " in " ".join(proposal.text.replace("#", "").split())


@pytest.mark.parametrize(
    ("form", "people"), [("dia{s:02}_{r}_{l}_{t:03}.wav", "AB"), ("dia{s}_{r}_{l}_{t}.wav", NAMES)]
)
def test_who_talks_in_every_dialogue_may_be_one_person(tmp_path, form, people):
    grammar = turns(form, roles=people, dialogues=(1,))
    truth = {path: who[1:] for path, who in grammar.truth.items()}
    folder = plant(tmp_path / "corpus", Grammar(truth))
    proposal = propose(folder)
    assert any(is_right(folder, text, truth) for text in (proposal.text, *alternatives(proposal)))
    assert proposal.ready is (people == NAMES)


@pytest.mark.parametrize(
    "form",
    [
        "spk{who}_sess{part}_{label}_{number}.wav",
        "take{number}_anna{who}_{label}_{part}.wav",
        "part{part}/s{who}{who}_{label}_{number}.wav",
    ],
)
def test_nothing_is_joined_where_one_part_tells_the_speaker(tmp_path, form):
    truth = grid(form, range(1, 5), part=(1, 2))
    proposal = propose(plant(tmp_path / "corpus", Grammar(truth)))
    assert proposal.ready is ("part{part}/" not in form), proposal.text
    assert is_right(tmp_path / "corpus", proposal.text, truth)


NUMBERED = {
    "s{who}_{label}_{number}.wav": False,
    "S{who}/S{who}_{label}_{number}.wav": True,
    "{who}/{label}{number}.wav": True,
    "p{who}t{number}{label}.wav": True,
    "u{who}/{number}{label}.wav": True,
    "{who}-{label}-{number}.wav": False,
    "{number}-{label}-{who}.wav": False,
    "{who}{label}{number}.wav": False,
    "{label}_{who}_{number}.wav": False,
    "{label}/{who}_{number}.wav": False,
    "{label} ({number}).{who}.wav": False,
    "s{who}_t{number}_{label}.wav": False,
}


@pytest.mark.parametrize("form", NUMBERED)
@pytest.mark.parametrize("people", [range(1, 13), (1, 2, 10), (8, 9, 10, 11)])
def test_numbers_of_differing_width(tmp_path, form, people):
    grammar = Grammar(grid(form, people, SHORT, range(1, 12)), ready=NUMBERED[form])
    proposal = plant(tmp_path / "corpus", grammar) and propose(tmp_path / "corpus")
    offered = [proposal.text] if proposal.ready else [proposal.text, *alternatives(proposal)]
    assert any(is_right(tmp_path / "corpus", text, grammar.truth) for text in offered)
    assert proposal.ready or not grammar.ready, proposal.text


LEGENDS = {
    "equals": "1 = anger\n2 = joy\n3 = sadness\n",
    "colons": "1: anger\n2: joy\n3: sadness\n",
    "a table of Markdown": "| Code | Emotion |\n|---|---|\n| 1 | anger |\n| 2 | joy |\n"
    "| 3 | sadness |",
    "the code last": "| Emotion | Code |\n|---|---|\n| anger | 1 |\n| joy | 2 |\n| sadness | 3 |\n",
    "brackets": "Labels are 01 (anger), 02 (joy) and 03 (sadness).\n",
    "codes in brackets": "Emotions: anger (1), joy (2), sadness (3)\n",
    "a list": "1. anger\n2. joy\n3. sadness\n",
    "marks": "- **1**: anger\n- **2**: joy\n- `3` – sadness\n",
    "JSON": '{"0": "calm", "1": "anger", "2": "joy", "3": "sadness"}',
    "HTML": "<tr><td>1</td><td>anger</td></tr>\n<tr><td>2</td><td>joy</td></tr>"
    "\n<tr><td>3</td><td>sadness</td></tr>",
    "columns of text": "0 neutral\n1 anger\n2 joy\n3 sadness\n",
    "abbreviations between": "1\tang\tanger\n2\tjoy\tjoy\n3\tsad\tsadness\n",
    "another list behind": "1 = anger, 2 = joy, 3 = sadness\nIntensity: 1 = normal, 2 = very\n",
}
MEANT = {"1": "anger", "2": "happiness", "3": "sadness"}
ROWS = [(f"{n:03}", f"P{n % 4}", "123"[n // 4 % 3]) for n in range(48)]
LISTED = {f"wavs/{stem}.wav": who for stem, who, _ in ROWS}
TABLE = "file,speaker,emotion\n" + "".join(f"{s}.wav,{who},{code}\n" for s, who, code in ROWS)


def meant(text: str) -> dict[str, str]:
    """Return the canonical emotions by code that an entry has."""
    entry = yaml.safe_load(text)["corpus"]
    return {code: said.rpartition(" ")[2] for code, said in entry.get("emotions", {}).items()}


@pytest.mark.parametrize("name", LEGENDS)
def test_a_text_explains_the_numbers_of_a_table(tmp_path, name):
    grammar = Grammar(LISTED, {"labels.csv": TABLE, "README.md": LEGENDS[name]})
    proposal = check(tmp_path / "corpus", grammar)
    assert meant(proposal.text) == MEANT
    assert "the codes are explained by README.md" in proposal.text


@pytest.mark.parametrize("name", LEGENDS)
def test_a_text_explains_the_numbers_of_names(tmp_path, name):
    truth = grid("{who}_{label}_{number}.wav", NAMES, "123", (4, 5, 6))
    proposal = check(tmp_path / "corpus", Grammar(truth, {"README.md": LEGENDS[name]}))
    assert meant(proposal.text) == MEANT


@pytest.mark.parametrize(
    "legend",
    [
        "1 = weak\n2 = strong\n3 = none\n",  # of something else
        "1 = anger\n",  # of one code
        "1 = anger, 2 = joy, 3 = sadness\n1 = fear, 2 = anger, 3 = joy\n",  # in two ways
        "1,anger\n2,joy\n3,anger\n",  # of recordings
        "We hired 3 angry men and 2 sad women for 1 day.\n",
        "",
    ],
)
def test_what_explains_no_codes_leaves_numbers_to_the_user(tmp_path, legend):
    grammar = Grammar(LISTED, {"labels.csv": TABLE, "README.txt": legend})
    proposal = propose(plant(tmp_path / "corpus", grammar))
    assert not proposal.ready
    assert "say what 3 labels of 48 clips mean" in proposal.verdict
    assert meant(proposal.text) == {}


def test_a_code_that_a_text_leaves_out_is_left_to_the_user(tmp_path):
    table = TABLE.replace("P0,1", "P0,4")
    grammar = Grammar(LISTED, {"labels.csv": table, "README.txt": LEGENDS["equals"]})
    proposal = propose(plant(tmp_path / "corpus", grammar))
    assert "say what the label '4' of 4 clips means" in proposal.verdict


def test_two_readings_of_one_text_are_both_shown(tmp_path):
    legend = "1 = anger, 2 = joy, 3 = sadness\n\n1 = fear, 2 = joy, 3 = sadness\n"
    grammar = Grammar(LISTED, {"labels.csv": TABLE, "README.txt": legend})
    proposal = propose(plant(tmp_path / "corpus", grammar))
    assert "say what the label '1' of 16 clips means" in proposal.verdict
    assert "1 (README.txt: anger, README.txt: fear)" in proposal.text.replace("\n#  ", "")


@pytest.mark.parametrize("form", ["{take}_{who}_{label}.wav", "{label}-{take}-{who}.wav"])
def test_of_two_numbers_that_one_text_explains_neither_is_taken(tmp_path, form):
    truth = grid(form, NAMES, "123", [0], take="123")
    others = {"README.md": LEGENDS["equals"]}
    folder = plant(tmp_path / "corpus", Grammar(truth, others))
    proposal = propose(folder)
    assert not proposal.ready
    assert "say which part is the emotion. It may be " in proposal.verdict
    patterns = {
        yaml.safe_load(text)["corpus"]["pattern"].index("(?P<emotion>")
        for text in (proposal.text, *alternatives(proposal))
    }
    assert len(patterns) > 1


SCENES = ("happiness_enthusiasm", "anger_fear", "sadness_neutral", "disgust_happiness")


@pytest.mark.parametrize("turns", ["{0[0]}{1[0]}", "h"])
def test_two_words_for_emotions_leave_open_which_is_meant_and_who_speaks(tmp_path, turns):
    """As in RESD: a number, what each of two plays, the initial of who has the word, a count."""
    truth = {
        f"{n:02}_{scene}_{turn}_{10 * k:03}.wav": f"{n:02}"
        for n in range(1, 13)
        for scene in (SCENES[n % 4], SCENES[n // 4])
        for turn in turns.format(*scene.split("_"))
        for k in (1, 2, 3)
    }
    folder = plant(tmp_path / "corpus", Grammar(truth))
    proposal = propose(folder)
    assert not proposal.ready
    assert "say which part is the emotion. It may be the file name (4 values: " in proposal.verdict
    offered = [proposal.text, *alternatives(proposal)]
    assert any(is_right(folder, text, truth) for text in offered)
    told = {yaml.safe_load(text)["corpus"]["pattern"].split("_")[1][:12] for text in offered}
    assert told == {"(?P<emotion>", "[a-z]+"}


EMOTIONS = ("Amused", "Angry", "Neutral", "Sad")
ESD = [
    (f"{who:04}", label, f"{who:04}_{k * 350 + n:06}")
    for who in range(11, 15)
    for k, label in enumerate(EMOTIONS)
    for n in (1, 2, 3)
]
RECORDED = [
    (n, f"wavs/recording-{n * 7919 % 65536:04x}.wav", n % 4, [*WORDS][n // 4 % 3])
    for n in range(48)
]
BANGLA = {
    f"03-01-{label:02}-{level:02}-{text:02}-{take:02}-{who:02}.wav": f"{who}"
    for label in range(1, 6)
    for level in (1, 2)
    for text in (1, 2)
    for take in (1, 2)
    for who in range(1, 7)
}
WILD = {
    # MESD: a woman, a man or a child, one of two lists of words, the word.
    "emotion, voice, list, word": Grammar(
        grid(
            "{label}_{who}_{part}_{word}.wav",
            "CFM",
            ("Anger", "Fear", "Neutral", "Sadness"),
            [1],
            part="AB",
            word=("abajo", "adios", "agua", "arriba"),
        ),
        ready=False,
    ),
    # TurEV-DB
    "emotion folders; a number, the speaker, a word": Grammar(
        {
            f"{label}/{31 * n + k}_{who}_{word}.wav": who
            for k, label in enumerate(("Angry", "Calm", "Happy", "Sad"))
            for who in ("kz", "oa", "su")
            for n, word in enumerate(("acik", "adim", "ama", "bak"), 100)
        },
        ready=False,
    ),
    # EmoV-DB
    "folders of speaker and emotion, names that say the emotion": Grammar(
        {
            f"{who}_{label}/{label.lower()}_{a}-{a + 14}_{n:04}.wav": who
            for who in ("bea", "jenie", "josh", "sam")
            for label in EMOTIONS
            for a in (1, 15)
            for n in range(a, a + 3)
        }
    ),
    # ESD, with its texts
    "speaker and emotion folders, a text for each speaker": Grammar(
        {f"{who}/{label}/{stem}.wav": who for who, label, stem in ESD},
        {
            f"{who}/{who}.txt": "".join(
                f"{stem}\tA text.\t{label}\n" for one, label, stem in ESD if one == who
            )
            for who, _, _ in ESD
        },
    ),
    # EMNS
    "a table between bars, with ids of its own": Grammar(
        {path: str(who) for _, path, who, _ in RECORDED},
        {
            "metadata.csv": "id|utterance|description|emotion|gender|age|audio_recording|user_id\n"
            + "".join(
                f"{n}|Hello, you|spoken {word}|{word}|{'fm'[who % 2]}|{20 + who}|{path}|{who}\n"
                for n, path, who, word in RECORDED
            )
        },
    ),
    # Emozionalmente
    "a table of samples and one of actors": Grammar(
        {f"audio/{n}.wav": f"{n % 5}" for n in range(1, 61)},
        {
            "metadata/samples.csv": "file_name,actor,emotion_expressed,sentence\n"
            + "".join(
                f"{n}.wav,{n % 5},{('anger', 'joy', 'neutrality')[n // 5 % 3]},Ciao\n"
                for n in range(1, 61)
            ),
            "metadata/users.csv": "username,age,gender\n0,30,f\n1,31,m\n2,20,f\n3,33,f\n4,44,m\n",
        },
    ),
    # KSUEmotions
    "a letter before each code, explained beside": Grammar(
        grid(
            "D{who:02}E{label:02}P{part}S{number:02}T{take:02}.wav",
            range(1, 6),
            range(5),
            (1, 2),
            part=(1,),
            take=(1, 2),
        ),
        {"readme.txt": "E00: neutral\nE01: joy\nE02: sadness\nE03: surprise\nE04: anger\n"},
        ready=False,
    ),
    # BanglaSER
    "RAVDESS' form with a legend of its own": Grammar(
        BANGLA,
        {"README.md": "01 = happy, 02 = sad, 03 = angry, 04 = surprise, 05 = neutral"},
        ready=False,
    ),
    # IITKGP-SEHSC
    "numbers between dots, session folders": Grammar(
        grid(
            "{who}/session{part}/{label}/{who}.{part}.{label}.{number}.wav",
            range(1, 11),
            part=(1, 2),
        ),
        ready=False,
    ),
    # nEMO
    "names that a table repeats": Grammar(
        grid("samples/{who}_{label}_{number}.wav", ("SB0", "KJ1", "MM2", "AG3")),
        {
            "data.tsv": "file_id\temotion\traw_text\tspeaker_id\tgender\n"
            + "".join(
                f"{who}_{label}_{n}.wav\t{label}\tTen tekst\t{who}\t{'fm'[who < 'N']}\n"
                for who in ("SB0", "KJ1", "MM2", "AG3")
                for label in WORDS
                for n in (1, 2, 3)
            )
        },
    ),
    # CASIA and JTES
    "names of people as folders, numbers for texts": Grammar(
        grid("{who}/{label}/{number}.wav", ("liuchang", "wangzhe", "zhaoquan"), numbers=(201, 202))
    ),
    "folders that names repeat": Grammar(
        grid(
            "wav/{who}/{label}/{who}_{label}_{number:02}.wav",
            ("f01", "f02", "m01", "m02"),
            ("ang", "joy", "neu", "sad"),
        )
    ),
    # Thai-SER
    "actors behind a word, in studios": Grammar(
        {
            f"studio{s}/s{s:03}_clip_actor{who:03}_{kind}{n}_{n}.flac": f"{who}"
            for s in (1, 2)
            for who in (2 * s - 1, 2 * s)
            for kind in ("impro", "script")
            for n in (1, 2, 3)
        },
        {
            "emotion_label.csv": "file,emotion\n"
            + "".join(
                f"s{s:03}_clip_actor{who:03}_{kind}{n}_{n}.flac,{[*WORDS][n - 1]}\n"
                for s in (1, 2)
                for who in (2 * s - 1, 2 * s)
                for kind in ("impro", "script")
                for n in (1, 2, 3)
            )
        },
        ready=False,
    ),
}


@pytest.mark.parametrize("name", WILD)
def test_grammars_in_the_wild(tmp_path, name):
    check(tmp_path / "corpus", WILD[name])


def test_a_legend_goes_before_the_order_that_names_borrow(tmp_path):
    proposal = check(tmp_path / "corpus", WILD["RAVDESS' form with a legend of its own"])
    assert meant(proposal.text) == {
        **{"01": "happiness", "02": "sadness", "03": "anger", "04": "surprise"},
        "05": "neutral",
    }


def test_names_of_ravdess_form_with_an_intense_01_have_another_order(tmp_path):
    proposal = propose(trees.plant(tmp_path / "corpus", BANGLA))
    assert not proposal.ready
    assert meant(proposal.text) == {}
