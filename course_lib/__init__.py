"""The library behind the workshop's notebooks.

Rooms, from the bottom up (imports run one way):

* ``envs``, ``profiles``, ``cluster``: environments, sizes, and the connection to Ray;
* ``agents`` (algorithms written out to be read), ``rllib``, ``trading``;
* ``plots``, ``widgets``, ``checks``: what a notebook shows and how it answers a learner.

Nothing here imports Ray, PyTorch or TensorTrade until a function needs it.
"""

__version__ = "0.1.0"
