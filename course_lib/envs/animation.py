"""One episode as an animation. It is an ordinary picture, so it also moves on a static page."""

import io
from typing import Any

import numpy as np
from IPython.display import HTML
from PIL import Image as Pillow

from course_lib import alt_text
from course_lib.envs.rollouts import MakeEnv, Policy, make


def play_frames(
    policy: Policy, env: MakeEnv, *, seed: int, max_steps: int = 500
) -> tuple[list[np.ndarray], float]:
    """Play one episode and return its frames and its return.

    Args:
        policy: maps observations, shape (N, ...), to actions, shape (N,).
        env: a registered name, or a callable that takes ``render_mode``.
        seed: fixes the start state.
        max_steps: stop after this many steps.
    """
    world = make(env, render_mode="rgb_array")
    obs, _ = world.reset(seed=seed)
    frames: list[Any] = [world.render()]
    total = 0.0
    for _ in range(max_steps):
        obs, reward, terminated, truncated, _ = world.step(policy(np.asarray(obs)[None])[0])
        frames.append(world.render())
        total += float(reward)
        if terminated or truncated:
            break
    world.close()
    return frames, total


def animate(
    frames: list[np.ndarray], *, every: int = 3, width: int = 320, frame_ms: int = 60,
    says: str = "One episode, as it was played.",
) -> HTML:  # fmt: skip
    """Turn frames into a picture that moves, a GIF that repeats.

    Args:
        frames: arrays of shape (height, width, 3), uint8.
        every: keep one frame in this many; the last one always stays.
        width: of the animation, in pixels.
        frame_ms: time per kept frame, in milliseconds.
        says: what it shows, for those who hear the page.

    Raises:
        ValueError: if there are no frames.
    """
    if not frames:
        raise ValueError("there are no frames to animate")
    kept = frames[::every] + ([frames[-1]] if (len(frames) - 1) % every else [])
    height = round(kept[0].shape[0] * width / kept[0].shape[1])
    pictures = [
        Pillow.fromarray(frame).resize((width, height)).quantize(32, dither=Pillow.Dither.NONE)
        for frame in kept
    ]
    stream = io.BytesIO()
    durations = [frame_ms] * (len(pictures) - 1) + [1200]
    pictures[0].save(
        stream, "GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0
    )
    return HTML(alt_text.image(stream.getvalue(), says, kind="gif"))
