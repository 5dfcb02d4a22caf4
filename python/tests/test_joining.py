"""What the processes of a job agree on, without any process."""

import logging
import os

import pytest

joining = pytest.importorskip("perseus.joining")
pytest.importorskip("perseus.client", reason="built without libcurl and jansson")

from perseus.place import Axis, Place  # noqa: E402

PLACE = Place(dp=Axis(0, 2))


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in list(os.environ):
        if name.startswith(("PERSEUS_", "TORCHELASTIC_")):
            monkeypatch.delenv(name)


def test_no_server(caplog):
    with caplog.at_level(logging.INFO, "perseus"):
        assert joining.join(PLACE, None, {}) is None
    assert "no job server is named" in caplog.text


def test_words_of_nobody():
    words = joining._words(PLACE, {"gpu": 3})
    # A profile of who knows what is for this job alone.
    assert words == {"job": "training", "job_key": words["job_key"], "fingerprint": {"job": words["job_key"]}}
    assert joining._words(PLACE, {})["job_key"] != words["job_key"]


def test_environment(monkeypatch):
    monkeypatch.setenv("PERSEUS_JOB", "of env")
    monkeypatch.setenv("PERSEUS_JOB_KEY", "key of env")
    assert joining._words(PLACE, {"fingerprint": {1: 2}}) == {
        "job": "of env",
        "job_key": "key of env",
        "fingerprint": {"1": "2"},
    }
    assert joining._words(PLACE, {"job": "given", "job_key": "key given"})["job_key"] == "key given"


def test_restarted_job_is_the_same(monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "run-7")

    def key(place=PLACE, **settings):
        return joining._words(place, settings)["job_key"]

    assert key() == key() and key(job="a") == key(job="a")
    # Another shape or another model is another job, which the server would refuse under the same key.
    others = {key(), key(job="a"), key(fingerprint={"model": "a"}), key(Place(dp=Axis(0, 3)))}
    assert len(others) == 4
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")  # as torchrun without an id says
    assert key() != key()


def test_gpu(monkeypatch):
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert joining.gpu_of() == {"gpu": 0}
    monkeypatch.setenv("LOCAL_RANK", "2")
    assert joining.gpu_of() == {"gpu": 2}


def test_wrong_settings():
    with pytest.raises(TypeError, match="speed"):
        joining.join(PLACE, None, {"server": "http://127.0.0.1:9", "speed": 3})
    with pytest.raises(ValueError, match="control"):
        joining.join(PLACE, None, {"server": "http://127.0.0.1:9", "control": "boldly"})
