"""A map of algorithm families, with what each learns and where the course met it."""

from dataclasses import dataclass

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from course_lib.plots.style import COLOURS, GREY


@dataclass(frozen=True)
class Family:
    """A box of the map.

    Attributes:
        name: of the family.
        learns: what it learns, in a few words.
        members: algorithms, and the lessons in which they are.
        place: of its middle, x and y in [0, 1].
        colour: number of its colour.
    """

    name: str
    learns: str
    members: tuple[str, ...]
    place: tuple[float, float]
    colour: int


FAMILIES = (
    Family("with a map", "plans with the rules",
           ("value iteration: 05", "AlphaGo's search: named in 06"), (0.13, 0.78), 0),
    Family("values", "what an action is worth",
           ("Q-learning: 01, 05, 06", "SARSA, Monte Carlo: 06", "tiles: 07",
            "DQN: 03, 04, 07"), (0.38, 0.78), 1),
    Family("both", "a policy, judged by a value",
           ("PPO: 03, 08", "A2C, IMPALA", "SAC, TD3: not here"), (0.63, 0.78), 2),
    Family("policies", "what to do, directly", ("REINFORCE: 08",), (0.88, 0.78), 3),
    Family("without gradients", "by trial of whole weights",
           ("evolution strategies: 08", "random search"), (0.88, 0.25), 5),
    Family("from people", "what is wanted",
           ("reward from comparisons: 08", "imitation: 10"), (0.63, 0.25), 4),
    Family("from a log", "without trying anything",
           ("off-policy evaluation: 10", "MARWIL: 10"), (0.38, 0.25), 6),
    Family("one step", "what to show now", ("bandits: 10",), (0.13, 0.25), 0),
)  # fmt: skip


def draw_families(*, ax: Axes | None = None) -> Axes:
    """Draw the map."""
    if ax is None:
        ax = plt.subplots(figsize=(11, 4.2), layout="constrained")[1]
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.axis("off")
    for family in FAMILIES:
        x, y = family.place
        colour = COLOURS[family.colour % len(COLOURS)]
        ax.add_patch(FancyBboxPatch((x - 0.105, y - 0.2), 0.21, 0.4, facecolor="white",
                                    edgecolor=colour, linewidth=2,
                                    boxstyle="round,pad=0,rounding_size=0.02"))  # fmt: skip
        ax.text(x, y + 0.14, family.name, ha="center", va="center", weight="bold")
        ax.text(x, y + 0.07, family.learns, ha="center", va="center", fontsize=8, color=GREY)
        ax.text(x, y - 0.08, "\n".join(family.members), ha="center", va="center", fontsize=8.5)
    return ax
