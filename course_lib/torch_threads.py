"""How many threads PyTorch uses, for a while. Loads PyTorch when it is used."""

import contextlib
from collections.abc import Iterator


@contextlib.contextmanager
def torch_threads(count: int | None = 1) -> Iterator[None]:
    """Let PyTorch use ``count`` threads: small networks lose time to sharing the work.

    Args:
        count: at least 1; None leaves PyTorch's setting alone.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
