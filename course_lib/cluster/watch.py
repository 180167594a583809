"""A look at the cluster every two seconds, so that a notebook hears of it when machines vanish.

Ray waits a minute for a head that is gone and then ends the notebook's process. This watch says so
after some seconds, makes a cell that waits for Ray fail, and lets go of Ray before it acts.
"""

import _thread
import contextlib
import ctypes
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from course_lib.cluster.errors import ClusterLostError

PERIOD_S = 2.0
LIMIT_S = 6.0
LET_GO_S = 60.0  # Ray's own shutdown asks the head that is gone, some seconds for each question
_MAIN = threading.main_thread()


class Watch:
    """Looks at a cluster in a thread of its own until :meth:`stop`.

    Args:
        answers: whether the head answers; asked every two seconds, and may take as long.
        nodes: the machines that are alive now, id and address; asked when the head answers.
        lost: called once when the head did not answer for that long; returns the message.
        let_go: called after that, when no cell waits for Ray any more.
        limit_s: seconds without an answer, two of them at least, after which the head is lost;
            six if not given.
    """

    def __init__(
        self,
        answers: Callable[[], bool],
        nodes: Callable[[], dict[str, str]],
        lost: Callable[[], str],
        let_go: Callable[[], None],
        limit_s: float | None = None,
    ) -> None:
        self._limit_s = LIMIT_S if limit_s is None else limit_s
        self._answers, self._nodes, self._lost, self._let_go = answers, nodes, lost, let_go
        self._known: dict[str, str] = {}
        self._end, self._is_lost = threading.Event(), False
        self._thread = threading.Thread(target=self._look, name="cluster-watch", daemon=True)
        self._thread.start()

    def stop(self) -> bool:
        """Look no more; where the head is gone, wait until this process has let go of it.

        Returns:
            False if it has not done so within a minute, as when the network is still down.
        """
        self._end.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(LET_GO_S if self._is_lost else PERIOD_S + 1)
        return not (self._is_lost and self._thread.is_alive())

    def _look(self) -> None:
        heard, misses = time.monotonic(), 0
        while not self._end.wait(PERIOD_S):
            misses = 0 if self._answers() else misses + 1
            silent_s = time.monotonic() - heard
            if misses == 0:
                heard = time.monotonic()
                self._count()
            elif misses > 1 and silent_s > self._limit_s and not self._end.is_set():
                self._end.set()
                self._is_lost = True
                ClusterLostError.reason = self._lost()
                print(ClusterLostError.reason, file=sys.stderr, flush=True)
                free_main_thread()
                self._let_go()

    def _count(self) -> None:
        """Say which machines are gone since the last look."""
        with contextlib.suppress(Exception):
            alive = self._nodes()
            for node in self._known.keys() - alive.keys():
                print(
                    f"A machine of the cluster is gone ({self._known[node]}); {len(alive)} are "
                    "left. What ran there is started again on the others, if that was asked for.",
                    file=sys.stderr, flush=True,
                )  # fmt: skip
            self._known = alive


def free_main_thread(limit_s: float = 20.0) -> None:
    """Get the main thread out of Ray, where it would wait for ever.

    Python code gets a :class:`ClusterLostError`. A call that waits inside Ray's own machine code
    gets what the stop button sends as well; Ray's Python code around it turns that into the same
    error. A few calls of Ray let nothing through, and the thread stays there.

    Args:
        limit_s: seconds after which to give up.
    """
    end = time.monotonic() + limit_s
    while _inside_ray() and time.monotonic() < end:
        _raise_later(ctypes.py_object(ClusterLostError))
        if not _leaves(0.5):
            _press_stop()
            _leaves(1.0)
    _raise_later(None)


def _leaves(within_s: float) -> bool:
    end = time.monotonic() + within_s
    while _inside_ray() and time.monotonic() < end:
        time.sleep(0.02)
    return not _inside_ray()


def _raise_later(error: ctypes.py_object | None) -> None:
    """Let the main thread raise ``error`` when it next runs Python code; None takes that back."""
    main = ctypes.c_ulong(_MAIN.ident or 0)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(main, error)


def _press_stop() -> None:
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(_MAIN.ident or 0, signal.SIGINT)  # also ends a sleep
    else:
        _thread.interrupt_main()


def _inside_ray() -> bool:
    ray = sys.modules.get("ray")
    frame = sys._current_frames().get(_MAIN.ident or 0)
    home = str(Path(ray.__file__ or "").parent) if ray is not None else "?"
    while frame is not None:
        if frame.f_code.co_filename.startswith(home):
            return True
        frame = frame.f_back
    return False
