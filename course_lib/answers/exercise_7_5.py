"""Answer to exercise 7.5; `make build` writes it from the lesson."""

import gymnasium as gym


# EXERCISE 7.5
def mountain(gravity, force):
    """Return a MountainCar environment with another law."""
    env = gym.make("MountainCar-v0")
    env.unwrapped.gravity, env.unwrapped.force = gravity, force
    return env


ANSWER = mountain
