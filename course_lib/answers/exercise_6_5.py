"""Answer to exercise 6.5; `make build` writes it from the lesson."""

import gymnasium as gym
import numpy as np

from course_lib.envs.tic_tac_toe import has_won


# EXERCISE 6.5
class TicTacToe(gym.Env):
    metadata = {"render_modes": ["ansi"], "render_fps": 1}

    def __init__(self, render_mode=None):
        self.render_mode = render_mode
        self.board, self.player = np.zeros(9, dtype=np.int64), 1
        self.observation_space = gym.spaces.MultiDiscrete([3] * 9)
        self.action_space = gym.spaces.Discrete(9)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.board, self.player = np.zeros(9, dtype=np.int64), 1
        return self.board.copy(), {}

    def step(self, action):
        if self.board[action] != 0:
            return self.board.copy(), -1.0, True, False, {}
        self.board[action] = self.player
        won = has_won(self.board, self.player)
        self.player = 3 - self.player
        return self.board.copy(), float(won), won or bool(self.board.all()), False, {}

    def render(self):
        return "\n".join("".join(".XO"[mark] for mark in row) for row in self.board.reshape(3, 3))


ANSWER = TicTacToe
