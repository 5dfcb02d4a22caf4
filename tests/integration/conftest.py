"""Agents that tests share."""
import pytest

from agent_process import Agent, PowerCap


@pytest.fixture
def agent():
    """One of the test's own, for tests that look at what was done."""
    with Agent() as one:
        yield one


@pytest.fixture(scope="module")
def powercap(tmp_path_factory):
    return PowerCap(tmp_path_factory.mktemp("powercap"))


@pytest.fixture(scope="module")
def shared(powercap):
    """One for tests that read; it has a CPU, too."""
    with Agent(rapl_root=powercap.path) as one:
        yield one


@pytest.fixture(scope="module")
def locked(tmp_path_factory, powercap):
    """One that asks for tokens."""
    from agent_process import KEY

    key = tmp_path_factory.mktemp("key") / "key"
    key.write_bytes(KEY)
    with Agent("--signing-key-path", str(key), rapl_root=powercap.path) as one:
        yield one
