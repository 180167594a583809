"""Given the same random numbers, one mouse and many mice learn the same table, entry by entry."""

import numpy as np
import pytest

from course_lib.agents import tabular
from course_lib.envs.maze import MazeEnv
from course_lib.envs.maze_map import random_maze
from course_lib.envs.tables import SideBySide


class SameDraws:
    """Hands the plain version the random numbers that the side-by-side version would draw.

    That one decides from four numbers: an exploring mouse takes the action with the highest, a
    greedy one breaks ties by the highest. The table and the mouse's cell tell what is tied.
    """

    def __init__(self, seed: int, table: np.ndarray, env: MazeEnv, epsilon: float) -> None:
        self.rng, self.table, self.env = np.random.default_rng(seed), table, env
        self.epsilon = epsilon

    def random(self) -> float:
        self.draws, self.chance = self.rng.random(4), self.rng.random()
        return self.chance

    def integers(self, count: int) -> int:
        row = self.table[self.env.maze.state(self.env._cell)]
        best = np.flatnonzero(row == row.max())
        exploring = self.chance < self.epsilon
        assert count == (len(row) if exploring else len(best))
        return int(np.argmax(self.draws if exploring else self.draws[best]))


@pytest.mark.parametrize("epsilon", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("max_steps", [10, 100], ids=["mostly truncated", "mostly terminated"])
def test_one_mouse_and_many_agree(epsilon: float, max_steps: int) -> None:
    maze = random_maze(4, 5, np.random.default_rng(3), num_traps=1)
    env = MazeEnv(maze, max_steps=max_steps)
    settings = {"learning_rate": 0.5, "gamma": 0.95, "epsilon": epsilon}
    table = np.zeros((maze.num_states, 4))
    rng = SameDraws(11, table, env, epsilon)
    plain = [tabular.learn_episode(env, table, rng=rng, **settings) for _ in range(40)]
    world = SideBySide(
        env.model(), maze.state(maze.start), num_seeds=1, num_episodes=40, max_steps=max_steps,
        rng=np.random.default_rng(11),
    )  # fmt: skip
    tables, returns = tabular.q_learning_many(world, **settings)
    np.testing.assert_allclose(returns[0], plain)
    np.testing.assert_allclose(tables[0], table, atol=1e-12)
