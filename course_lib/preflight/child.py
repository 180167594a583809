"""Things that may hang or crash, each tried in a process of its own.

python -m course_lib.preflight.child rendering | ray | torch

The last line printed is a JSON object with what was found.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def rendering() -> dict[str, Any]:
    """Draw one frame of CartPole without a screen."""
    import gymnasium as gym

    env = gym.make("CartPole-v1", render_mode="rgb_array")
    env.reset(seed=0)
    frame: Any = env.render()
    env.close()
    return {"height": frame.shape[0], "width": frame.shape[1], "colours": len(set(frame.flat))}


def ray() -> dict[str, Any]:
    """Start a local Ray, run one task on it, and stop it."""
    from course_lib.cluster import connect

    silent = io.StringIO()
    with contextlib.redirect_stdout(silent), connect("local") as cluster:
        import ray

        started = time.perf_counter()
        task = ray.remote(lambda: 20 + 22)
        answer = ray.get(task.remote(), timeout=30)
        return {
            "answer": answer,
            "start_s": cluster.seconds,
            "task_s": time.perf_counter() - started,
            "cores": cluster.num_cpus,
            "dashboard": bool(cluster.dashboard_url),
        }


def torch() -> dict[str, Any]:
    """Say whether PyTorch can use the GPU."""
    import torch

    return {"version": torch.__version__, "cuda": torch.cuda.is_available()}


class Child:
    """One of the functions above, running in another process from now on.

    Args:
        name: the function.
        command: another command whose last line is JSON; for tests.
    """

    def __init__(self, name: str, command: list[str] | None = None) -> None:
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        self._started = time.perf_counter()
        self._process = subprocess.Popen(
            command or [sys.executable, "-m", "course_lib.preflight.child", name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # ■ and Ctrl-C reach who waits for it, who then ends it
            env={**os.environ, "PYTHONPATH": path},
        )

    def answer(self, limit_s: float) -> dict[str, Any]:
        """Wait for the answer until ``limit_s`` seconds after the start.

        Raises:
            RuntimeError: if it failed, with the last line it wrote.
            TimeoutError: if there is no answer in time; the process is ended.
        """
        left = max(0.1, self._started + limit_s - time.perf_counter())
        try:
            out, err = self._process.communicate(timeout=left)
        except subprocess.TimeoutExpired:
            self.stop()
            raise TimeoutError(f"no answer within {limit_s:g} s") from None
        if self._process.returncode != 0:
            lines = [line.strip() for line in err.splitlines() if line.strip()]
            ended = f"it ended with status {self._process.returncode}"
            raise RuntimeError(lines[-1] if lines else ended)
        return json.loads(out.strip().splitlines()[-1])

    def stop(self) -> None:
        """End the process and everything that it started."""
        if self._process.poll() is not None:
            return
        with contextlib.suppress(Exception):
            import psutil

            for child in psutil.Process(self._process.pid).children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    child.kill()
        self._process.kill()
        self._process.communicate()


if __name__ == "__main__":
    print(json.dumps({"rendering": rendering, "ray": ray, "torch": torch}[sys.argv[1]]()))
