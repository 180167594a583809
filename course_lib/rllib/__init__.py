"""What notebooks do with RLlib: build, train, act, evaluate, save, and measure.

* ``runs``: from a configuration to a trained algorithm and back from its checkpoint;
* ``profiling``: where the time of a DQN goes;
* ``scaling``: whether more processes or a GPU pay.

Nothing here is imported until it is asked for: the modules above load Ray and PyTorch. The fast
DQN itself is ``course_lib.columnar_dqn``.
"""
