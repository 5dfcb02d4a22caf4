"""What stands between the hooks of a framework and a client."""

import logging

import pytest

from perseus.tracking import Item, Tracker, Wrapping, parse


class Recorder:
    def __init__(self):
        self.calls = []

    def step_begin(self):
        self.calls.append("[")

    def begin(self, kind, stage, microbatch):
        self.calls.append(f"{stage}{kind}{microbatch}")

    def end(self):
        self.calls.append(".")

    def step_end(self):
        self.calls.append("]")

    def take(self):
        calls, self.calls = " ".join(self.calls), []
        return calls


@pytest.mark.parametrize(
    "text, items",
    [
        ("0F1", [("F", 0, 1)]),
        ("12W34", [("W", 12, 34)]),
        ("3R5", [("R", 3, 5)]),
        ("(0F7;7B3)OVERLAP_F_B", [("F", 0, 7), ("B", 7, 3)]),
        ("0SEND_F1", []),
        ("1RECV_B0", []),
        ("4UNSHARD", []),
        ("2REDUCE_GRAD", []),
        ("0F", []),
    ],
)
def test_parse(text, items):
    assert [tuple(item) for item in parse(text)] == items


@pytest.mark.parametrize("text", ["", "F1", "0F1x", "(0F1;1B0)", "(0F1)OVERLAP_F_B", " 0F1", "-1F0", "(0F1;1B0;2B0)OVERLAP_F_B"])
def test_parse_refuses(text):
    with pytest.raises(ValueError, match="is not an instruction"):
        parse(text)


def run(tracker, script):
    """A script of hooks: [ ] begin and end a step, ! ends one that broke off, 0F1 begins, . ends."""
    for word in script.split():
        if word == "[":
            tracker.step_begin()
        elif word in ("]", "!"):
            tracker.step_end(word == "]")
        elif word == ".":
            tracker.end()
        else:
            tracker.begin(*parse(word)[0])


@pytest.mark.parametrize(
    "script, calls",
    [
        ("[ 0F0 . 0B0 . ]", "[ 0F0 . 0B0 . ]"),
        ("0F0 . [ 0F0 . ] 0F1 .", "[ 0F0 . ]"),  # an evaluation pass outside of steps
        ("[ 0F0 0F0 . . 0B0 . ]", "[ 0F0 . 0B0 . ]"),  # one within another
        ("[ 0F0 [ 0F0 . ]", "[ 0F0 . ] [ 0F0 . ]"),  # a step that broke off
        ("[ 0F0 ] [ 0F0 . ]", "[ 0F0 . ] [ 0F0 . ]"),  # one that never ended
        (". ] [ ]", "[ ]"),
    ],
)
def test_calls(script, calls):
    client = Recorder()
    run(Tracker(client), script)
    assert client.take() == calls


def test_pair_with_one_hook():
    client = Recorder()
    tracker = Tracker(client, ["(0F1;1B0)OVERLAP_F_B"])
    tracker.begin_pair(Item("F", 0, 1), Item("B", 1, 0))
    tracker.end()
    tracker.step_begin()
    tracker.begin_pair(Item("F", 0, 1), Item("B", 1, 0))
    tracker.begin("F", 0, 1)
    tracker.end()
    tracker.begin("B", 1, 0)
    tracker.end()
    tracker.end()
    tracker.step_end()
    assert client.take() == "[ 0O1 . ]"


@pytest.mark.parametrize(
    "script, message",
    [
        ("[ 0F0 . 0F1 . 0B0 . ]", None),
        ("[ 0F0 . ! [ 0F0 . 0F1 . 0B0 . ]", None),  # a step that broke off proves nothing
        ("[ 0F0 . 0B0 . 0F1 . ]", "promises 0F1 as instruction 1, the first step ran 0B0 (3 instructions where 3"),
        ("[ 0F0 . 0F1 . ]", "promises 0B0 as instruction 2, the first step ran nothing (2 instructions where 3"),
        ("[ 0F0 . 0F1 . 0B0 . 0B1 . ]", "promises nothing as instruction 3, the first step ran 0B1 (4"),
        ("[ ]", "promises 0F0 as instruction 0, the first step ran nothing (0 instructions where 3"),
    ],
)
def test_first_step_is_compared(script, message, caplog):
    tracker = Tracker(Recorder(), ["0F0", "(0F1;0B0)OVERLAP_F_B"])
    run(tracker, script)
    run(tracker, "[ 5F5 . ]")  # later steps are the client's to judge
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == (message is not None) and all(message in text for text in messages)


@pytest.mark.parametrize("method", ["step_begin", "begin", "end", "step_end"])
def test_failing_client(method, caplog):
    client = Recorder()

    def fail(*args):
        raise OSError("broken")

    setattr(client, method, fail)
    tracker = Tracker(client)
    run(tracker, "[ 0F0 . ] [ 0F0 . ]")
    assert tracker.is_silent
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "training goes on without clocks: OSError: broken" in caplog.text
    assert client.take() == {"step_begin": "", "begin": "[", "end": "[ 0F0", "step_end": "[ 0F0 ."}[method]


class Owner:
    def method(self):
        return "original"


def test_wrapping():
    owner = Owner()
    owner.own = lambda: "own"
    wrapping = Wrapping()
    assert not wrapping.replace(owner, "missing", lambda original: original)
    for name in ("method", "own"):
        assert wrapping.replace(owner, name, lambda original: lambda: f"wrapped {original()}")
    assert (owner.method(), owner.own()) == ("wrapped original", "wrapped own")
    wrapping.undo()
    assert (owner.method(), owner.own()) == ("original", "own") and list(vars(owner)) == ["own"]


def test_wrapping_leaves_others():
    owner = Owner()
    wrapping = Wrapping()
    wrapping.replace(owner, "method", lambda original: lambda: f"wrapped {original()}")
    ours = owner.method
    owner.method = lambda: f"theirs {ours()}"
    wrapping.undo()
    assert owner.method() == "theirs wrapped original"
