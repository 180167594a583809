"""The library behind the workshop's notebooks.

Rooms, from the bottom up (imports run one way):

* ``envs``, ``profiles``, ``cluster``: environments, sizes, and the connection to Ray;
* ``columnar_dqn``: RLlib's DQN made fast, which knows nothing of the course;
* ``agents`` (algorithms written out to be read), ``rllib``, ``training``: their one loop;
* ``tuning``, ``trading``;
* ``plots``, ``widgets``, ``checks``: what a notebook shows and how it answers a learner.

Nothing here imports Ray, PyTorch or TensorTrade until a function needs it.
"""

import os
import sys

# pygame draws the pictures and makes no sound; without a sound card or a screen it would complain
# into the learner's notebook.
os.environ.setdefault("SDL_AUDIODRIVER", "dummy")
if sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ):
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")

__version__ = "0.1.0"

if "IPython" in sys.modules:
    from course_lib import alt_text, cells

    alt_text.watch()
    cells.watch()
