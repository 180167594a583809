"""The README's moving picture: a ledger lights up while a mouse learns; two poles, one trained.

Both agents learn while the picture is made, with the course's own parts and one fixed seed each:
what is shown is what came out.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import gymnasium as gym
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageDraw

from course_lib import plots
from course_lib.agents import tabular
from course_lib.envs.animation import play_frames
from course_lib.envs.rollouts import Policy, random_policy

SEED, SIZE, FRAMES, FRAME_MS, COLOURS = 7, (400, 300), 60, 100, 32
ENV = "CartPole-v1"


def write(path: Path) -> None:
    """Train both, and write the GIF."""
    frames = [
        np.hstack([left, np.vstack([above, below])])
        for left, above, below in zip(
            mouse(), pole(trained=False), pole(trained=True), strict=False
        )
    ]
    last = Image.fromarray(frames[-1]).quantize(COLOURS)
    pictures = [
        Image.fromarray(frame).quantize(palette=last, dither=Image.Dither.NONE) for frame in frames
    ]
    times = [FRAME_MS] * (len(pictures) - 1) + [1500]
    pictures[0].save(path, "GIF", save_all=True, append_images=pictures[1:], duration=times, loop=0)


def mouse() -> Iterator[np.ndarray]:
    """Yield the ledger over the maze, after one episode more each time."""
    env = gym.make("course/Maze-v0")
    maze, tables = env.unwrapped.maze, []  # type: ignore[attr-defined]
    tabular.q_learning(
        env,
        num_episodes=FRAMES,
        learning_rate=0.5,
        gamma=0.95,
        epsilon=0.1,
        rng=np.random.default_rng(SEED),
        on_episode=lambda run: tables.append(run.q_table.copy()),
    )
    for number, q_table in enumerate(tables, 1):
        figure = Figure(figsize=(SIZE[0] / 100, SIZE[1] / 100), dpi=100, layout="constrained")
        canvas = FigureCanvasAgg(figure)
        ax = plots.draw_policy(q_table, maze, ax=figure.subplots())
        ax.set(xlabel="", ylabel="", xticks=[], yticks=[])
        ax.set_title(f"mouse, episode {number}", fontsize=10)
        if len(figure.axes) > 1:
            figure.axes[1].remove()
        canvas.draw()
        yield np.asarray(canvas.buffer_rgba())[..., :3]


def pole(*, trained: bool) -> Iterator[np.ndarray]:
    """Yield every second frame of CartPole, pushed at random or by an agent that has learned."""
    policy = learned_policy() if trained else random_policy(ENV, rng=np.random.default_rng(SEED))
    for seed in itertools.count(SEED):
        frames, _ = play_frames(policy, ENV, seed=seed)
        for frame in frames[::2]:
            picture = Image.fromarray(frame).crop((60, 100, 540, 340)).resize((240, SIZE[1] // 2))
            words = "pole, after training" if trained else "pole, pushed at random"
            ImageDraw.Draw(picture).text((8, 4), words, fill="black", font_size=13)
            yield np.asarray(picture)


def learned_policy() -> Policy:
    """Train lesson 03's agent; return its greedy policy."""
    from course_lib.agents.dqn import DQNAgent, DQNSettings
    from course_lib.agents.dqn_run import train

    agent = DQNAgent(gym.make(ENV), DQNSettings(), seed=SEED)
    train(agent, num_steps=60_000, evaluate_on=ENV, target=495, seed=SEED)
    return agent.act
