"""Every size that a lesson uses, in one place.

``COURSE_PROFILE`` picks one of three profiles:

* ``smoke``: the whole course in minutes, to see that everything runs; nothing is learned;
* ``laptop`` (default): the stated times and the learning claims hold on 2 cores;
* ``cluster``: more samplers, more trials, larger budgets.

A lesson's group of sizes is a dataclass below: its defaults are the laptop's, and beside it stands
what differs in the other profiles. A lesson reads ``profiles.current().maze.num_seeds``.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

NAMES = ("smoke", "laptop", "cluster")
_GROUPS: dict[str, dict[str, Any]] = {}


class Profile:
    """One set of sizes by its name, with an attribute for each lesson's group."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, group: str) -> Any:
        if group not in _GROUPS:
            raise AttributeError(f"no sizes for {group!r}; there are {', '.join(_GROUPS)}")
        return _GROUPS[group][self.name]


def group(
    name: str, *, smoke: dict[str, Any], cluster: dict[str, Any] | None = None
) -> Callable[[type], type]:
    """Make a frozen dataclass of sizes a group of each profile.

    Args:
        name: the group's attribute of a profile.
        smoke: the sizes that differ in the smoke profile.
        cluster: the sizes that differ in the cluster profile.
    """

    def add(sizes: type) -> type:
        frozen: Any = dataclass(frozen=True)(sizes)
        changes = {"smoke": smoke, "laptop": {}, "cluster": cluster or {}}
        _GROUPS[name] = {profile: frozen(**change) for profile, change in changes.items()}
        return frozen

    return add


def get(name: str) -> Profile:
    """Return the profile called ``name``.

    Raises:
        ValueError: if there is no such profile.
    """
    if name not in NAMES:
        raise ValueError(
            f"COURSE_PROFILE must be one of {', '.join(NAMES)}, got {name!r}; "
            "unset it to get 'laptop'"
        )
    return Profile(name)


def current() -> Profile:
    """Return the profile named by the environment variable ``COURSE_PROFILE``.

    Unset or empty means ``laptop``.

    Raises:
        ValueError: if the variable names no profile.
    """
    return get(os.environ.get("COURSE_PROFILE", "").strip().lower() or "laptop")


@group("welcome", smoke={"num_episodes": 100, "num_tiny": 50})
class WelcomeSizes:
    """Sizes of notebook 00: ``num_jobs`` jobs of ``num_episodes`` episodes, and tiny tasks."""

    num_jobs: int = 4
    num_episodes: int = 6000
    num_tiny: int = 500


@group(
    "maze",
    smoke={
        "random_episodes": 20,
        "live_episodes": 5,
        "pause_s": 0.0,
        "num_seeds": 3,
        "num_episodes": 20,
    },
)
class MazeSizes:
    """Sizes of notebook 01.

    Attributes:
        random_episodes: walks of the random mouse.
        live_episodes: episodes to watch.
        pause_s: rest between two of them, in seconds, so that an eye can follow.
        num_seeds: mice that learn side by side.
        num_episodes: episodes of each of those.
        slider_episodes: the same where a slider retrains them.
    """

    random_episodes: int = 200
    live_episodes: int = 60
    pause_s: float = 0.1
    num_seeds: int = 20
    num_episodes: int = 150
    slider_episodes: int = 80


@group(
    "corridor",
    smoke={
        "num_trials": 6,
        "num_walks": 3,
        "num_early": 9,
        "max_walks": 9,
        "num_searches": 20,
        "num_repeats": 2,
        "rate_seeds": 2,
        "agent_trials": 4,
        "agent_seeds": 2,
        "agent_rounds": 2,
        "proof_seeds": 2,
    },
    cluster={"num_repeats": 50, "agent_trials": 64, "agent_seeds": 8},
)
class CorridorSizes:
    """Sizes of notebook 02.

    Attributes:
        num_trials: trials of a search without early stopping; 20 are a grid of 5 by 4.
        num_walks: walks of each of them.
        num_early: trials of the search with early stopping.
        max_walks: walks of one that is never stopped.
        num_searches: searches of up to 50 trials that show the winner's luck.
        num_repeats: seeds of the comparison of searches.
        rate_seeds: agents for each of three learning rates.
        agent_trials: settings that are tried for the agent.
        agent_seeds: agents per setting.
        agent_rounds: rounds of 150 episodes that each agent learns.
        proof_seeds: fresh agents with the setting that was found.
    """

    num_trials: int = 20
    num_walks: int = 9
    num_early: int = 27
    max_walks: int = 27
    num_searches: int = 200
    num_repeats: int = 20
    rate_seeds: int = 6
    agent_trials: int = 16
    agent_seeds: int = 4
    agent_rounds: int = 8
    proof_seeds: int = 20


@group(
    "cartpole",
    smoke={
        "table_steps": 5_000,
        "own_steps": 1_536,
        "num_seeds": 2,
        "seed_steps": 1_280,
        "first_seeds": 1,
        "first_steps": 1_024,
        "profile_steps": 64,
        "rllib_steps": 1_536,
        "ppo_steps": 1_024,
        "num_episodes": 3,
        "scaling_s": 0.1,
    },
    cluster={"num_seeds": 10, "first_seeds": 6, "num_env_runners": 2},
)
class CartPoleSizes:
    """Sizes of notebook 03.

    Attributes:
        table_steps: environment steps of each table of cells, at most.
        own_steps: environment steps of the plain DQN, at most.
        num_seeds: runs of the full agent, and of each precaution taken away.
        seed_steps: environment steps of each of them.
        first_seeds: runs of each change to RLlib's DQN.
        first_steps: environment steps of each of them.
        profile_steps: environment steps under the stopwatch.
        rllib_steps: environment steps of RLlib's DQN, at most.
        ppo_steps: environment steps of RLlib's PPO, at most.
        num_env_runners: sampling processes of RLlib; 0 samples in the notebook's own process.
        num_episodes: greedy episodes in an evaluation that is reported.
        scaling_s: seconds of each measurement of what more processes would bring.
    """

    table_steps: int = 50_000
    own_steps: int = 50_000
    num_seeds: int = 3
    seed_steps: int = 7_680
    first_seeds: int = 2
    first_steps: int = 6_144
    profile_steps: int = 512
    rllib_steps: int = 50_000
    ppo_steps: int = 50_000
    num_env_runners: int = 0
    num_episodes: int = 20
    scaling_s: float = 1.0


@group(
    "trading",
    smoke={
        "market_steps": 512,
        "market_seeds": 2,
        "learning_rates": (1e-4, 1e-3),
        "search_steps": 1_024,
        "search_seeds": 1,
        "bitcoin_steps": 512,
        "bitcoin_seeds": 1,
        "study_windows": 2,
        "study_seeds": 1,
        "study_fees": (0.0, 0.001),
        "study_steps": (512,),
    },
    cluster={
        "search_seeds": 5,
        "bitcoin_steps": 24_576,
        "bitcoin_seeds": 10,
        "study_windows": 6,
        "study_seeds": 5,
        "study_steps": (1_024, 2_048, 3_072, 4_096),
    },
)
class TradingSizes:
    """Sizes of notebook 04: known market, search for a learning rate, bitcoin, many windows."""

    market_steps: int = 3_072
    market_seeds: int = 3
    learning_rates: tuple[float, ...] = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
    search_steps: int = 3_072
    search_seeds: int = 3
    bitcoin_steps: int = 4_096
    bitcoin_seeds: int = 3
    study_windows: int = 3
    study_seeds: int = 2
    study_fees: tuple[float, ...] = (0.0, 0.001, 0.005)
    study_steps: tuple[int, ...] = (512, 1_024)


@group("planning", smoke={"num_rides": 2, "num_seeds": 3, "num_episodes": 20})
class PlanningSizes:
    """Sizes of lesson 05.

    Attributes:
        num_rides: rides that hold the plan against its promise.
        num_seeds: travellers in the fog.
        num_episodes: rides of each of them.
    """

    num_rides: int = 20
    num_seeds: int = 20
    num_episodes: int = 2_000


@group(
    "games",
    smoke={
        "num_seeds": 3, "cliff_episodes": 30, "lake_episodes": 60, "look_episodes": 5,
        "num_games": 100,
    },
)  # fmt: skip
class GamesSizes:
    """Sizes of lesson 06.

    Attributes:
        num_seeds: agents that learn side by side.
        cliff_episodes: of each beside the cliff.
        lake_episodes: of each on the ice.
        look_episodes: of each that finds out what a policy is worth.
        num_games: that each player of tic-tac-toe plays against itself.
    """

    num_seeds: int = 20
    cliff_episodes: int = 1_000
    lake_episodes: int = 3_000
    look_episodes: int = 100
    num_games: int = 10_000


@group(
    "mountain_car",
    smoke={
        "article_steps": 400, "own_steps": 1_200, "without_steps": 400, "num_episodes": 3,
        "tile_steps": 1_000, "hopeless_steps": 1_000, "search_steps": 1_000,
    },
)  # fmt: skip
class MountainCarSizes:
    """Sizes of lesson 07.

    Attributes:
        article_steps: environment steps with the article's settings.
        own_steps: environment steps of our DQN, at most.
        without_steps: environment steps of the same without actions that last.
        num_episodes: fresh greedy episodes that are reported.
        tile_steps: environment steps of each of ten agents with tiles.
        hopeless_steps: of each in a car that cannot arrive.
        search_steps: of each in the search.
    """

    article_steps: int = 20_000
    own_steps: int = 60_000
    without_steps: int = 10_000
    num_episodes: int = 100
    tile_steps: int = 90_000
    hopeless_steps: int = 20_000
    search_steps: int = 15_000


@group(
    "policies",
    smoke={
        "num_rounds": 2, "half_rounds": 2, "num_looks": 4, "ppo_steps": 1_024, "rllib_seeds": 1,
        "rllib_steps": 1_024, "evolution_rounds": 2, "swing_steps": 3_072, "num_questions": 10,
    },
)  # fmt: skip
class PolicySizes:
    """Sizes of lesson 08.

    Attributes:
        num_rounds: gradient steps of REINFORCE.
        half_rounds: gradient steps of the policy whose gradients are compared.
        num_looks: episodes that each give an estimate of the gradient.
        ppo_steps: environment steps of each of ten agents.
        rllib_seeds: agents of RLlib's PPO.
        rllib_steps: environment steps of each.
        evolution_rounds: steps of evolution.
        swing_steps: environment steps of each agent that swings the rod.
        num_questions: comparisons.
    """

    num_rounds: int = 30
    half_rounds: int = 10
    num_looks: int = 100
    ppo_steps: int = 30_720
    rllib_seeds: int = 5
    rllib_steps: int = 20_480
    evolution_rounds: int = 12
    swing_steps: int = 61_440
    num_questions: int = 40
