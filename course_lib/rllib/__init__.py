"""RLlib, made fast enough to watch, and the few helpers that a notebook needs.

* ``columnar_dqn``: ``ColumnarDQN``, RLlib's own DQN on a replay memory of numpy columns;
* ``replay``: that memory, without Ray;
* ``runs``: build, train, act, evaluate, save and load;
* ``watch``: one episode as an animation that also moves on a static page.

Nothing here is imported until it is asked for: the modules above load Ray and PyTorch.
"""
