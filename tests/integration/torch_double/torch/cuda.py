"""No GPU computes here, so there is nothing to choose and nothing to wait for; zeus_pfo_rank.py says the rest."""


def is_available():
    return False


def set_device(device):
    raise RuntimeError(f"no CUDA device {device}")


def synchronize(device=None):
    raise RuntimeError(f"no CUDA device {device}")
