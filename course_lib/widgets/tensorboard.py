"""TensorBoard of a training run: inside the notebook, and by a link where that does not work."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from IPython.display import HTML, IFrame, display


def show_tensorboard(
    rows: Sequence[Mapping[str, float]], names: Mapping[str, str],
    folder: str | Path | None = None,
) -> str:  # fmt: skip
    """Write curves for TensorBoard, start one, and show it below the cell.

    It listens on this machine only and ends with the kernel. A hub is expected to pass it on by
    jupyter-server-proxy; where it does not, the link says so by failing, and nothing else does.

    Args:
        rows: with ``env_steps`` and what ``names`` has.
        names: key of a row -> title of its curve. Values of nan are left out.
        folder: for the file with the curves; made if it is not there, a temporary one if not given.

    Returns:
        The address.

    Raises:
        OSError: if the folder cannot be written.
    """
    from tensorboard import program
    from torch.utils.tensorboard import SummaryWriter

    folder = folder or tempfile.mkdtemp(prefix="tensorboard-")
    with SummaryWriter(str(folder)) as writer:
        for row in rows:
            for key, title in names.items():
                value = row.get(key, float("nan"))
                if value == value:  # not nan
                    writer.add_scalar(title, value, int(row["env_steps"]))
    board = program.TensorBoard()
    board.configure(argv=[
        "tensorboard", f"--logdir={folder}", "--host=127.0.0.1", "--port=0", "--load_fast=false",
    ])  # fmt: skip
    address = for_the_page(board.launch())
    display(IFrame(address, width="100%", height=520))
    display(HTML(
        f'Nothing to see above? <a href="{address}" target="_blank">TensorBoard in a page of its '
        "own</a>; it needs a running notebook."
    ))  # fmt: skip
    return address


def for_the_page(url: str) -> str:
    """The address as the page reaches it: a hub shows no other port than its own."""
    prefix = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "")
    port = url.rstrip("/").rpartition(":")[2]
    return f"{prefix.rstrip('/')}/proxy/{port}/" if prefix else url
