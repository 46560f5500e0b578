"""The scenario language: text to steps and back, and what it says about a line that is no step."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autograder.language.blanks import BLANKS, KEYS, RESERVED
from autograder.language.deeds import Exits, Forks, Says
from autograder.language.expectations import HasExited, IsAlive, IsChild, IsReaped, IsZombie
from autograder.language.grammar import blank_name, say, write_line
from autograder.language.problems import ScriptError
from autograder.language.roles import BANDS, ENDINGS, PLACES, STREAMS, Actors
from autograder.language.script import format_script, parse
from autograder.language.steps import SENTENCES, Step
from forklab.kernel.signals import signal_name, signal_number

EXAMPLES = {
    "{actors}": "main",
    "{others}": "child",
    "{subject}": "init",
    "{main}": "main",
    "{signal}": "SIGTERM",
    "{status}": "3",
    "{times}": "2",
    "{stream}": "input",
    "{folder}": "/usr",
    "{variable}": "COLOUR=green",
    "{umask}": "027",
    "{nice}": "5",
    "{place}": "background",
    "{band}": "group",
    "{file}": "/dev/null",
    "{key}": "^C",
    "{name}": "web.pid",
    "{time}": "3s",
    "{unit}": "web",
    "{ending}": "fails",
    "{text}": "hello there",
}

names = st.from_regex(r"[^\W\d][\w-]{0,8}", fullmatch=True).filter(
    lambda name: name not in RESERVED
)
singles = st.builds(Actors, names)
rows = st.builds(
    Actors,
    names.filter(lambda name: not name[-1].isdigit()),
    st.integers(0, 99),
    st.integers(0, 99),
)
SIGNAL_NAMES = [*(signal_name(number) for number in (*range(1, 32), *range(34, 65)))]
VALUES = {
    "{actors}": singles | rows,
    "{others}": singles | rows,
    "{subject}": st.just(Actors("init")),
    "{main}": st.just(Actors("main")),
    "{signal}": st.sampled_from(SIGNAL_NAMES),
    "{status}": st.integers(0, 255),
    "{times}": st.integers(0, 10**8),
    "{stream}": st.sampled_from(STREAMS),
    "{folder}": st.from_regex(r"/[a-z./-]{0,20}", fullmatch=True),
    "{variable}": st.from_regex(r"[A-Z_]{1,9}=[a-z0-9:]{0,9}", fullmatch=True),
    "{umask}": st.from_regex(r"[0-7]{3}", fullmatch=True),
    "{nice}": st.integers(0, 19),
    "{place}": st.sampled_from(PLACES),
    "{band}": st.sampled_from(BANDS),
    "{file}": st.from_regex(r"/[a-z./-]{0,20}", fullmatch=True),
    "{key}": st.sampled_from([*KEYS]),
    "{name}": st.from_regex(r"[a-z]{1,9}\.[a-z0-9.-]{1,9}", fullmatch=True),
    "{time}": st.from_regex(r"[1-9][0-9]{0,4}(\.[0-9]{1,3})?s", fullmatch=True),
    "{unit}": st.from_regex(r"[a-z][a-z.@-]{0,9}", fullmatch=True),
    "{ending}": st.sampled_from(ENDINGS),
    "{text}": st.text(st.characters(exclude_categories=["Cs"])),
}


@st.composite
def steps(draw: st.DrawFn) -> Step:
    sentence = draw(st.sampled_from(SENTENCES))
    blanks = [word for word in sentence.wording.singular.split() if word in BLANKS]
    return say(sentence, {blank_name(word): draw(VALUES[word]) for word in blanks})


def test_the_script_of_the_design_is_understood():
    script = """
main forks worker
worker forks child
worker exits 3                      # main has not waited for it: a zombie
expect worker is a zombie
expect child is a child of init
child exits 0
expect child is reaped
expect init is alive
main exits 42
expect init exits 42
"""
    main, worker, child, init = map(Actors, ("main", "worker", "child", "init"))
    assert parse(script) == [
        Forks(main, worker),
        Forks(worker, child),
        Exits(worker, 3),
        IsZombie(worker),
        IsChild(child, init),
        Exits(child, 0),
        IsReaped(child),
        IsAlive(init),
        Exits(main, 42),
        HasExited(init, 42),
    ]
    assert [step.line for step in parse(script)] == list(range(2, 12))


@given(st.lists(steps(), max_size=8))
def test_what_is_written_is_read_back_as_the_same_steps(play):
    assert parse(format_script(play)) == play


@given(st.lists(steps(), min_size=1, max_size=4))
def test_canonical_text_stays_as_it_is(play):
    text = format_script(play)
    assert format_script(parse(text)) == text


@given(
    st.text() | st.lists(st.text(alphabet='main forks exits "#.0\\', max_size=30)).map("\n".join)
)
@example("main says " + "9" * 5000)
@example("main exits " + "9" * 5000)
@example('main says "\\ud800"')
@example("w1.." * 50 + "w2 exit 0")
def test_garbage_raises_nothing_but_a_script_error(text):
    try:
        parse(text)
    except ScriptError as error:
        assert all(problem.line >= 1 and problem.what for problem in error.problems)


VOCABULARY = sorted(
    {word for sentence in SENTENCES for reading in sentence.wording.readings for word in reading}
)


@given(st.lists(st.sampled_from([*VOCABULARY, "main", "w1..w3", "SIGTREM", "300"]), max_size=7))
def test_whatever_is_suggested_is_a_step(words):
    line = " ".join(EXAMPLES.get(word, word) for word in words)
    try:
        parse(line)
    except ScriptError as error:
        mend = error.problems[0].mend
        if mend.startswith("Did you mean '"):
            assert len(parse(mend.removeprefix("Did you mean '").removesuffix("'?"))) == 1


@pytest.mark.parametrize("sentence", SENTENCES)
def test_every_form_reads_in_the_singular_and_in_the_plural(sentence):
    for reading in sentence.wording.readings:
        for actors in ("main", "w1..w3"):
            words = {**EXAMPLES, "{actors}": actors}
            line = " ".join(words.get(word, word).replace("(s)", "s") for word in reading)
            (step,) = parse(line)
            assert type(step) is sentence


@pytest.mark.parametrize("sentence", SENTENCES)
def test_one_actor_is_written_in_the_singular_and_a_row_in_the_plural(sentence):
    singular, plural = sentence.wording.singular, sentence.wording.plural

    def filled(text: str, actor: str) -> str:
        words = ({**EXAMPLES, "{actors}": actor}.get(word, word) for word in text.split())
        return " ".join(words).replace("(s)", "s").replace("(ren)", "ren")

    (one,) = parse(filled(plural, "main"))
    (row,) = parse(filled(singular, "w1..w3"))
    assert write_line(one) == filled(singular, "main")
    assert write_line(row) == filled(plural, "w1..w3")


def test_comments_and_empty_lines_are_skipped_but_counted():
    text = "# a play\n\n   \t\nmain exits 3 # done\n  # end"
    assert [(step.status, step.line) for step in parse(text)] == [(3, 4)]


def test_a_number_sign_inside_a_word_begins_no_comment():
    assert parse("main says issue#3 is fixed # really")[0].text == "issue#3 is fixed"


def test_a_text_is_the_rest_of_the_line_or_one_quoted_string():
    assert parse("main says  two  blanks ")[0].text == "two  blanks"
    assert parse('main says "# \\"no\\" comment\\n " # a comment')[0].text == '# "no" comment\n '
    assert parse('expect output ""')[0].text == ""


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain  text, as it is", "plain  text, as it is"),
        ("naïve", "naïve"),
        ("", '""'),
        (" blank", '" blank"'),
        ("a # b", '"a # b"'),
        ('"a"', r'"\"a\""'),
        ("a\nb", r'"a\nb"'),
        ("\u2028ï", r'"\u2028\u00ef"'),
    ],
)
def test_a_text_is_quoted_where_it_would_be_misread_or_does_not_print(text, written):
    step = Says(Actors("main"), text)
    assert write_line(step) == f"main says {written}"
    assert parse(write_line(step)) == [step]


def test_half_a_character_is_refused():
    with pytest.raises(ScriptError, match="half of a character"):
        parse('main says "\\ud800"')


def test_once_is_one_time():
    (step,) = parse("expect main gets SIGTERM 1 times")
    assert write_line(step) == "expect main gets SIGTERM 1 time"


def test_a_signal_has_one_name():
    assert parse("main catches SIGPOLL")[0].signal == "SIGIO"
    assert parse("main catches SIGRTMIN+0")[0].signal == "SIGRTMIN"
    assert parse("main catches SIGRTMAX-1")[0].signal == "SIGRTMIN+29"


@pytest.mark.parametrize("name", SIGNAL_NAMES)
def test_a_signal_is_the_same_by_name_and_by_number(name):
    assert signal_name(signal_number(name)) == name


@pytest.mark.parametrize(
    ("line", "mend"),
    [
        ("expect child reaped", "expect child is reaped"),
        ("child is reaped", "expect child is reaped"),
        ("expect worker zombie", "expect worker is a zombie"),
        ("expect worker to be a zombie", "expect worker is a zombie"),
        ("expect g1..g20 are child of init", "expect g1..g20 are children of init"),
        ("expect w1..w3 is zombies", "expect w1..w3 are zombies"),
        ("main dies by SIGTREM", "main dies by SIGTERM"),
        ("send TERM to init", "send SIGTERM to init"),
        ("send 15 to main", "send SIGTERM to main"),
        ("send SIGTERM init", "send SIGTERM to init"),
        ("main exit three", "main exits 3"),
        ("expect main exited 3", "expect main exits 3"),
        ("main Forks worker", "main forks worker"),
        ("main starts session", "main starts a session"),
        ("w1..20 exit 0", "w1..w20 exit 0"),
        ("w01..w20 exit 0", "w1..w20 exit 0"),
        ("expect main gets SIGINT twice", "expect main gets SIGINT 2 times"),
        ("expect main gets SIGINT 2", "expect main gets SIGINT 2 times"),
        ("expect main to get SIGTERM", "expect main gets SIGTERM"),
        ("expect init dies with SIGKILL", "expect init dies by SIGKILL"),
        ("expect nobody left", "expect nobody is left"),
        ("freeze", "freeze init"),
        ("freeze main", "freeze init"),
    ],
)
def test_a_suggestion_says_what_was_meant(line, mend):
    with pytest.raises(ScriptError) as caught:
        parse(f"\n{line}")
    assert caught.value.problems[0].mend == f"Did you mean '{mend}'?"
    assert caught.value.problems[0].line == 2


@pytest.mark.parametrize(
    ("line", "what", "mend"),
    [
        (
            "main fork",
            "'main fork' is not complete: an actor is missing",
            "It is written 'main forks B', where B is an actor.",
        ),
        (
            "expect init exits",
            "'expect init exits' is not complete: an exit status from 0 to 255 is missing",
            "It is written 'expect init exits N', where N is an exit status from 0 to 255.",
        ),
        (
            "main exits 256",
            "'main exits 256': '256' is not an exit status: a number from 0 to 255",
            "It is written 'main exits N', where N is an exit status from 0 to 255.",
        ),
        (
            "expect w1..w3 gets",
            "'expect w1..w3 gets' is not complete: a signal such as SIGTERM is missing",
            "It is written 'expect w1..w3 get SIGNAL', where SIGNAL is a signal such as SIGTERM.",
        ),
        (
            "main says",
            "'main says' is not complete: what to write is missing",
            "It is written 'main says TEXT', where TEXT is what to write.",
        ),
        (
            "send forks worker",
            "'send forks worker': 'send' is a word of the language and cannot be an actor's name",
            "It is written 'A forks worker', where A is an actor.",
        ),
    ],
)
def test_what_cannot_be_guessed_is_explained(line, what, mend):
    with pytest.raises(ScriptError) as caught:
        parse(line)
    (problem,) = caught.value.problems
    assert (problem.what, problem.mend) == (what, mend)


@pytest.mark.parametrize(
    "line", ["sleep 0.5", "kill main", "main exits 3; worker exits 4", "x", "main kills worker"]
)
def test_what_is_like_no_step_gets_no_wild_guess(line):
    with pytest.raises(ScriptError) as caught:
        parse(line)
    assert caught.value.problems[0].mend.startswith("A step is a sentence such as")


def test_all_wrong_lines_are_told_at_once():
    with pytest.raises(ScriptError) as caught:
        parse("main fork\nmain exits 0\nexpect child reaped")
    assert [problem.line for problem in caught.value.problems] == [1, 3]
    assert str(caught.value).endswith(
        "script line 3: 'expect child reaped' is not a step.\n"
        "  Did you mean 'expect child is reaped'?"
    )


def test_a_message_shows_control_characters_instead_of_sending_them():
    with pytest.raises(ScriptError) as caught:
        parse("\x1b[31mmain fork")
    assert "\x1b" not in str(caught.value)


def test_rows_go_in_pairs_and_a_single_one_goes_with_each():
    (pairwise,) = parse("w1..w2 fork g4..g5")
    (from_one,) = parse("main forks w1..w2")
    (to_one,) = parse("expect w1..w2 are children of init")
    assert pairwise.pairs() == [("w1", "g4"), ("w2", "g5")]
    assert from_one.pairs() == [("main", "w1"), ("main", "w2")]
    assert to_one.pairs() == [("w1", "init"), ("w2", "init")]
