"""Episodes as moving pictures."""

import base64

import numpy as np
import pytest

from course_lib.envs.animation import animate, play_frames


def test_an_episode_becomes_a_moving_picture():
    frames, total = play_frames(lambda obs: np.ones(len(obs), int), "CartPole-v1", seed=0)
    assert len(frames) == total + 1
    picture = animate(frames, says="the pole & its fall").data
    assert 'alt="the pole &amp; its fall"' in picture
    gif = base64.b64decode(picture.partition("base64,")[2].partition('"')[0])
    assert gif[:6] == b"GIF89a"
    assert b"NETSCAPE2.0" in gif  # repeats
    assert len(gif) < 300_000


def test_no_frames_no_picture():
    with pytest.raises(ValueError, match="no frames"):
        animate([])
