"""Every size that a notebook uses, in one place.

``COURSE_PROFILE`` picks one of three profiles:

* ``smoke``: the whole course in minutes, to see that everything runs; nothing is learned;
* ``laptop`` (default): the stated times and the learning claims hold on 2 cores;
* ``cluster``: more samplers, more trials, larger budgets.
"""

import os
from dataclasses import dataclass, field

NAMES = ("smoke", "laptop", "cluster")


@dataclass(frozen=True)
class WelcomeSizes:
    """Sizes of notebook 00: ``num_jobs`` jobs of ``num_episodes`` episodes, and tiny tasks."""

    num_jobs: int = 4
    num_episodes: int = 6000
    num_tiny: int = 500


@dataclass(frozen=True)
class MazeSizes:
    """Sizes of notebook 01."""


@dataclass(frozen=True)
class CorridorSizes:
    """Sizes of notebook 02."""


@dataclass(frozen=True)
class CartPoleSizes:
    """Sizes of notebook 03."""


@dataclass(frozen=True)
class TradingSizes:
    """Sizes of notebook 04."""


@dataclass(frozen=True)
class Profile:
    """One named set of sizes, with a group for each notebook."""

    name: str
    welcome: WelcomeSizes = field(default_factory=WelcomeSizes)
    maze: MazeSizes = field(default_factory=MazeSizes)
    corridor: CorridorSizes = field(default_factory=CorridorSizes)
    cartpole: CartPoleSizes = field(default_factory=CartPoleSizes)
    trading: TradingSizes = field(default_factory=TradingSizes)


SMOKE = Profile(
    "smoke",
    welcome=WelcomeSizes(num_episodes=100, num_tiny=50),
)
LAPTOP = Profile("laptop")
CLUSTER = Profile("cluster")

_PROFILES = {profile.name: profile for profile in (SMOKE, LAPTOP, CLUSTER)}


def get(name: str) -> Profile:
    """Return the profile called ``name``.

    Raises:
        ValueError: if there is no such profile.
    """
    if name not in _PROFILES:
        raise ValueError(
            f"COURSE_PROFILE must be one of {', '.join(NAMES)}, got {name!r}; "
            "unset it to get 'laptop'"
        )
    return _PROFILES[name]


def current() -> Profile:
    """Return the profile named by the environment variable ``COURSE_PROFILE``.

    Unset or empty means ``laptop``.

    Raises:
        ValueError: if the variable names no profile.
    """
    return get(os.environ.get("COURSE_PROFILE", "").strip().lower() or "laptop")
