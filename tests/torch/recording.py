"""A client that notes what it is told."""


class RecordingClient:
    def __init__(self):
        self.calls = []
        self.streams = []

    def step_begin(self):
        self.calls.append("step_begin")

    def begin(self, kind, stage, microbatch):
        assert type(stage) is int and type(microbatch) is int, (stage, microbatch)
        self.calls.append(f"{stage}{kind}{microbatch}")

    def end(self):
        self.calls.append("end")

    def step_end(self):
        self.calls.append("step_end")

    def set_stream(self, stream):
        self.streams.append(stream)

    def close(self):
        self.calls.append("close")


def steps_of(calls):
    """The instructions of each step. Fails where a begin has no end right after it, or something lies outside of steps."""
    steps = []
    i = 0
    while i < len(calls):
        assert calls[i] == "step_begin", (i, calls)
        end = calls.index("step_end", i)
        inside = calls[i + 1 : end]
        assert inside[1::2] == ["end"] * (len(inside) // 2) and len(inside) % 2 == 0, inside
        steps.append(inside[0::2])
        i = end + 1
    return steps


def halves(order):
    """What the hooks show of an order: a pair half by half."""
    return [text for item in order for text in item.replace("OVERLAP_F_B", "").strip("()").split(";")]


def pairs_as_one(order):
    """The same where the pairs run in a function of the user's own: by stage and microbatch of the first half."""
    return [item[1:].partition(";")[0].replace("F", "O") if item.startswith("(") else item for item in order]
