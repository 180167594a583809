"""ColumnarDQN: RLlib's DQN on a replay memory of numpy columns. See docs/columnar_dqn.md.

This folder imports Ray, PyTorch, numpy and Gymnasium, and nothing of the course: copied into
another project it works there, under any name.

* ``algorithm``: ``ColumnarDQN`` and ``ColumnarDQNConfig``, where to begin;
* ``settings``: what the configuration accepts;
* ``replay``, ``priorities``: the memory, without Ray;
* ``learner``, ``module``, ``loss``, ``figures``, ``device_rows``: many gradient steps in a call;
* ``rllib_inside``: the names of RLlib's that it does not promise to keep, listed.
"""
