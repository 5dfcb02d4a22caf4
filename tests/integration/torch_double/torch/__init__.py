"""As much of PyTorch as Zeus's PipelineFrequencyOptimizer calls, for where PyTorch is not installed."""

from torch import cuda, distributed

__version__ = "double"
__all__ = ["cuda", "distributed"]
