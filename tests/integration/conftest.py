"""Agents that tests share."""
import pytest


@pytest.fixture
def agent():
    """One of the test's own, for tests that look at what was done."""
    from agent_process import Agent

    with Agent() as one:
        yield one


@pytest.fixture(scope="module")
def powercap(tmp_path_factory):
    from agent_process import PowerCap

    return PowerCap(tmp_path_factory.mktemp("powercap"))


@pytest.fixture(scope="module")
def shared(powercap):
    """One for tests that read; it has a CPU, too."""
    from agent_process import Agent

    with Agent(rapl_root=powercap.path) as one:
        yield one


@pytest.fixture(scope="module")
def locked(tmp_path_factory, powercap):
    """One that asks for tokens."""
    from agent_process import KEY, Agent

    key = tmp_path_factory.mktemp("key") / "key"
    key.write_bytes(KEY)
    with Agent("--signing-key-path", str(key), rapl_root=powercap.path) as one:
        yield one
