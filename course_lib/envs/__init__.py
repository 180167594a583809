"""Gymnasium environments, registered under ``course/``. None of them knows Ray.

Importing this package registers them: ``gymnasium.make("course/Maze-v0")``.
"""

import gymnasium as gym

gym.register("course/Maze-v0", entry_point="course_lib.envs.maze:MazeEnv")
gym.register("course/Corridor-v0", entry_point="course_lib.envs.corridor:CorridorEnv")
