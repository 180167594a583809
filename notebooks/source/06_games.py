# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 06 Games and whole episodes
#
# **What if the reward comes only at the end?**
#
# At the end you will be able to
#
# * learn from whole episodes (Monte Carlo), and say what that costs;
# * tell SARSA from Q-learning, and *on policy* from *off policy*, by the ways that they walk;
# * say what `n_step` and lambda do: how far a target looks ahead;
# * write an environment of your own, and let an agent become unbeatable in it by playing against itself.
#
# **Time:** 75 minutes, of which the machine computes about 1.5.
#
# **Needed:** [01 Mouse and cheese](01_mouse_and_cheese.ipynb). **Helpful:** [05 Planning with a map](05_planning.ipynb). Nothing
# here needs the network, a GPU or Ray.

# %%
import gymnasium as gym
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from gymnasium.utils.env_checker import check_env

from course_lib import plots, profiles, widgets
from course_lib.agents import monte_carlo, n_step, planning, sarsa, self_play, tabular
from course_lib.checks import games as checks
from course_lib.clock import clock
from course_lib.envs.tables import SideBySide, model_of
from course_lib.envs.tic_tac_toe import game_of, has_won
from course_lib.plots import games as pictures

# %%
SEED = 7
sizes = profiles.current().games

# %% [markdown]
# ## 1 Only the end pays
#
# A frozen lake, Gymnasium's `FrozenLake-v1`: from the start S to the goal, between holes. The ice is slippery: only one step in three goes where the walker wants, the others go to the
# left or to the right of that. The goal pays 1 and ends the episode, a hole pays 0 and ends it, too, and after 100 steps time is out. So the return is 1 or 0, and no step says on the way
# whether it was any good. AlphaGo learned so: 1 for a game that was won, and nothing before.

# %%
env = gym.make("FrozenLake-v1")
lake = model_of(env)
plan = planning.value_iteration(lake, 1.0)
q_values = planning.look_ahead(plan[-1], lake, 1.0)
policy = q_values.argmax(axis=1)
rows = ["".join(map(bytes.decode, row)) for row in env.unwrapped.desc]
pictures.draw_lake(rows, plan[-1], policy)
plots.reading(
    f"planned with the rules, without a time limit: the start is worth {plan[-1][0]:.4f}. The best "
    "step is often one away from a hole."
)

# %% [markdown]
# We have the rules, so we know the ceiling. Mind which one: 0.8235 is what the best walker gets if it may walk for ever. After $k$ sweeps of value iteration a state is worth what can be had in $k$ steps (notebook 05), so with 100 steps the ceiling is the value after 100 sweeps. No learning curve can get above that one.

# %%
for_ever = ("best, without a limit", round(float(plan[-1][0]), 4))
ceiling = ("best in 100 steps", round(float(plan[min(100, len(plan) - 1)][0]), 4))
rng = np.random.default_rng(SEED)
at_random = tabular.random_returns(env, num_episodes=500, rng=rng).mean()
floor = ("random walker", round(float(at_random), 3))
print(f"{for_ever[0]}: {for_ever[1]}; {ceiling[0]}: {ceiling[1]}; {floor[0]}: {floor[1]}")

# %% [markdown]
# ### Learning from whole episodes
#
# The update of notebook 01 leans on a guess, the q-value of the next state: learning from the difference between two guesses, one step apart, is called **temporal difference** learning. **Monte Carlo** methods guess nothing. They wait for the end of the episode, and count for each state what really followed: the discounted return from there on.
# A q-value is then the mean of such returns.
#
# A state may be visited several times in one episode. *First-visit* Monte Carlo counts the return that followed the **first** visit.
#
# By hand: the states 0, 1, 0, 2 were visited, and the four steps from them paid 0, 0, 0, 1. With $\gamma = 0.9$ the return from the last step is 1, from the one before $0 + 0.9 \cdot 1 = 0.9$, then 0.81, then 0.729. State 0 was visited first at the
# beginning: 0.729. State 1: 0.81. State 2: 1.
#
# ### Exercise 6.1 - first-visit returns (7 min, difficulty 2 of 3)
#
# Return a dict: for each state that was visited the discounted return that followed its first visit. `states` are those in which a step was taken, `rewards` what the steps paid; both have one entry for each step.
#
# <details><summary>Hint</summary>
#
# Go from behind: `following = reward + gamma * following`. If you write `returns[state] = following` each time, which visit is the last one written?
# </details>


# %%
# EXERCISE 6.1
def first_visit_returns(states, rewards, gamma):
    """Return for each state the discounted return that followed its first visit."""
    # BEGIN SOLUTION
    returns, following = {}, 0.0
    for state, reward in zip(reversed(states), reversed(rewards), strict=True):
        following = reward + gamma * following
        returns[state] = following
    return returns
    # END SOLUTION


# %%
first_visit_returns = checks.check_first_visit_returns(first_visit_returns)

# %% [markdown]
# How much to explore? Monte Carlo means are only right for the way one walks. So epsilon has to go to 0 in the end, but so slowly that every action is still tried again and again: *greedy in the limit with infinite exploration*, **GLIE**. Here it is
# $\varepsilon = h / (h + \text{episodes})$: 1 at first, one half after $h$ episodes (`half` below), and added up over all episodes it has no limit.
#
# *14 min so far*
#
# ## 2 On policy, off policy
#
# Q-learning's target takes the *best* next q-value, whatever is done next: it learns about the greedy policy while another one walks. That is **off policy**. Its sibling **SARSA** takes the q-value of the action that is *really* taken next, also where that is a random one:
#
# $$\text{target} = R + \gamma \, Q(S', A')$$
#
# It learns about the policy that walks, exploring and all: **on policy**. The name is what it needs: $S, A, R, S', A'$.
#
# ### Exercise 6.2 - the SARSA target (3 min, difficulty 1 of 3)
#
# Return the target, a `float`. `next_q_values` is the row of the next state. With reward -1, next q-values 4 and 10, next action 0 and gamma 0.5 it is $-1 + 0.5 \cdot 4 = 1$. Where the episode terminates nothing follows.
#
# <details><summary>Hint</summary>
#
# As in exercise 1.2, only without `max`.
# </details>


# %%
# EXERCISE 6.2
def sarsa_target(reward, next_q_values, next_action, terminated, gamma):
    """Return what the q-value should have been, going by the next action."""
    # BEGIN SOLUTION
    return reward + gamma * (not terminated) * next_q_values[next_action]
    # END SOLUTION


# %%
sarsa_target = checks.check_sarsa_target(sarsa_target)

# %% [markdown]
# Does that matter? `CliffWalking-v1`: 4 rows of 12 cells, from the lower left to the lower right. A step costs 1; a step into the cliff between the two costs 100 and leads back to the start. Both agents explore with epsilon 0.1 all the time. (Monte Carlo stays away: a walker that knows nothing falls again and again, and its first episode hardly ends.)

# %%
pictures.draw_cliff({})
plots.reading("the shortest way to the goal has 13 steps, right along the edge of the cliff.")

# %% [markdown]
# ### Exercise 6.3 - two ways (4 min, difficulty 2 of 3)
#
# A prediction. After 1,000 episodes, which way does each take, if you let it walk greedily? And who gets more? Return a dict with four entries:
#
# * `"Q-learning"` and `"SARSA"`: `"edge"` (the 13 steps along the cliff) or `"away"` (further up, and longer);
# * `"more while learning"`: who has the higher returns in the last episodes, still exploring: `"Q-learning"` or `"SARSA"`;
# * `"more when greedy"`: the same, without exploring.
#
# <details><summary>Hint</summary>
#
# At the edge one random step in four leads down. Who of the two counts on never taking a random step?
# </details>


# %%
# EXERCISE 6.3
def two_ways():
    """Return which way each walks, and who gets more."""
    # BEGIN SOLUTION
    return {
        "Q-learning": "edge",
        "SARSA": "away",
        "more while learning": "SARSA",
        "more when greedy": "Q-learning",
    }
    # END SOLUTION


# %%
two_ways = checks.check_two_ways(two_ways)


# %% the-cliff
def learn(found, name, model, start, episodes, max_steps, **settings):
    """Let 20 agents learn side by side, with a bar; ■ ends the cell and keeps what was learned."""
    size = {"num_seeds": sizes.num_seeds, "num_episodes": episodes, "max_steps": max_steps}
    world = SideBySide(model, start, rng=rng, **size)
    with clock(name, total=episodes, unit="episode") as bar:
        watch = {"on_step": lambda world: bar.update(world.episode.min() - bar.n)}
        found[name] = METHODS[name](world, **settings, **watch)
    if found[name][1].shape[1] < episodes:
        raise KeyboardInterrupt


METHODS = {
    "Monte Carlo": monte_carlo.monte_carlo_many,
    "SARSA": sarsa.sarsa_many,
    "Q-learning": tabular.q_learning_many,
}
usual = {"learning_rate": 0.1, "gamma": 1.0, "epsilon": 0.1}
cliff = model_of(gym.make("CliffWalking-v1"))
on_the_cliff = {}
for name in ("Q-learning", "SARSA"):
    learn(on_the_cliff, name, cliff, 36, sizes.cliff_episodes, 500, **usual)


# %%
def greedy_walk(table, world, start, steps=60):
    """The states on the greedy way, in a world without chance."""
    states, over = [start], False
    after, _, ends = world.outcomes()
    while not over and len(states) <= steps:
        place = (states[-1], table[states[-1]].argmax())
        states.append(int(after[place]))
        over = ends[place]
    return states


greedy = {
    name: [walk for walk in (greedy_walk(table, cliff, 36) for table in tables) if walk[-1] == 47]
    for name, (tables, _) in on_the_cliff.items()
}

# %% [markdown]
# All 20 walk greedily now: on the left the way of the first that arrives, on the right all learning curves.

# %% two-ways tags=["picture"]
figure, (left, right) = plt.subplots(
    1, 2, figsize=(13, 3.6), width_ratios=[3, 2], layout="constrained"
)
pictures.draw_cliff({name: found[0] for name, found in greedy.items() if found}, ax=left)
for name, (_, returns) in on_the_cliff.items():
    plots.plot_band(returns, window=20, label=name, ax=right)
right.set(ylim=(-120, 0))
told = [
    f"{name}: {len(found)} of {sizes.num_seeds} arrive greedily, in "
    f"{np.median([len(walk) - 1 for walk in found] or [np.nan]):g} steps (median); the last 100 "
    f"episodes, exploring, returned {on_the_cliff[name][1][:, -100:].mean():.1f}"
    for name, found in greedy.items()
]
plots.reading("; ".join(told) + ".")

# %% [markdown]
# Both are right, about different things. Q-learning knows what the *greedy* walker is worth, and falls while it explores. SARSA knows what the *exploring* walker is worth, for whom the edge is a bad place. If falling is dear while it learns, as with a robot, on policy has the better manners. With epsilon falling to 0, SARSA
# comes to the edge as well.
#
# *28 min so far*
#
# ## 3 All three on the ice
#
# 20 agents each, with settings that were chosen for each. It takes about 40 seconds.

# %% on-the-ice
settings = {
    "Monte Carlo": {"gamma": 1.0, "half": 300},
    "SARSA": {"gamma": 0.95, "learning_rate": 0.1, "epsilon": 0.1},
    "Q-learning": {"gamma": 0.95, "learning_rate": 0.1, "epsilon": 0.1},
}
on_the_ice = {}
for name, chosen in settings.items():
    learn(on_the_ice, name, lake, 0, sizes.lake_episodes, 100, **chosen)

# %%
levels = {"floor": floor, "ceiling": ceiling}
figure, ax = plt.subplots(figsize=(11, 4), layout="constrained")
for name, (_, returns) in on_the_ice.items():
    plots.plot_band(returns, window=200, label=name, ax=ax, **levels)
    levels = {}
ax.axhline(for_ever[1], color="#bbbbbb", linewidth=1, label=f"{for_ever[0]}: {for_ever[1]}")
ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False, fontsize="small")
plots.reading(
    "the lower of the two ceilings is the one that counts. The agents explore, and on this ice one "
    "random step in ten is often the last: below are the same agents without exploring."
)

# %%
known = {
    name: [planning.policy_within(lake, table.argmax(axis=1), 100)[0] for table in tables]
    for name, (tables, _) in on_the_ice.items()
}
plots.plot_outcomes(known, xlabel="share of greedy walks that arrive in 100 steps", line=ceiling)
middle = {name: np.median(values).round(2) for name, values in known.items()}
plots.reading(
    "the greedy policies, judged exactly with the rules: median "
    + ", ".join(f"{name} {value}" for name, value in middle.items())
    + f"; the best possible is {ceiling[1]}."
)

# %% [markdown]
# Monte Carlo is the slowest here, and its agents differ most. Each of its returns is 1 or 0 after many slippery steps: nearly all of it luck. The two others need not wait for the end: what a state is worth is passed on to the states before it, from many episodes at once.
#
# *34 min so far*
#
# ## 4 How far does a target look?
#
# Temporal difference looks one step ahead and leans on a guess. Monte Carlo looks to the end and leans on nothing. Between them lies the **n-step target**: $n$ real rewards, and only then the guess,
#
# $$R_1 + \gamma R_2 + \dots + \gamma^{n-1} R_n + \gamma^n \, V(S_n)$$
#
# That is what `n_step=3` set in notebooks 03 and 04, if you have seen them. ($V$ is the value of a state, $S_n$ the state after $n$ steps.)
#
# ### Exercise 6.4 - the n-step target (5 min, difficulty 2 of 3)
#
# Return the target, a `float`. `rewards` are the $n$ rewards, `value` is the value of the state after them, which counts only if the episode has not terminated there. With rewards 1, 2, 4, value 16 and gamma 0.5: $1 + 1 + 1 + 2 = 5$.
#
# <details><summary>Hint</summary>
#
# `sum(gamma**k * reward for k, reward in enumerate(rewards))`, and the value `gamma**len(rewards)` times. Or from behind, as in 6.1, starting with the value.
# </details>


# %%
# EXERCISE 6.4
def n_step_target(rewards, value, terminated, gamma):
    """Return the sum of the discounted rewards, and of what follows them."""
    # BEGIN SOLUTION
    following = 0.0 if terminated else value
    for reward in reversed(rewards):
        following = reward + gamma * following
    return following
    # END SOLUTION


# %%
n_step_target = checks.check_n_step_target(n_step_target)

# %% [markdown]
# Instead of one $n$ one can mix all of them, the one-step target with weight $1 - \lambda$, the two-step target with $(1 - \lambda) \lambda$, and so on: **lambda**, the letter in Q(λ) and TD(λ). On average it looks $1 / (1 - \lambda)$ steps ahead.
#
# So both are one slider: how far to look. 20 learners find out what the start of the lake is worth to the best policy, from 100 episodes of their own, beginning with 0. On the left with $n$ steps, on the right with the lambda that looks as far on average. Each position takes some seconds the first time.

# %% look-ahead
AHEAD = {"1 step": 1, "2 steps": 2, "4 steps": 4, "8 steps": 8, "16 steps": 16, "to the end": 500}
seen = {}


def look(figure, ahead):
    n = AHEAD[ahead]
    if n not in seen:
        lambda_ = 1.0 if n == 500 else 1 - 1 / n
        size = {"num_seeds": 20, "num_episodes": sizes.look_episodes, "max_steps": 500}
        seen[n] = []
        for how in ({"n": n}, {"lambda_": lambda_}):
            world = SideBySide(lake, 0, rng=np.random.default_rng(SEED), **size)
            seen[n].append(n_step.evaluate_many(world, policy, learning_rate=0.1, gamma=1.0, **how))
    mix = "lambda 1" if n == 500 else f"lambda {1 - 1 / n:g}, on average {ahead}"
    names = (f"n-step targets: {ahead}", mix)
    pictures.plot_look_ahead(figure, dict(zip(names, seen[n], strict=True)), truth=plan[-1][0])


widgets.explore(
    look,
    figsize=(11, 3.6),
    ahead=ipywidgets.SelectionSlider(options=list(AHEAD), value="4 steps"),
)

# %% [markdown]
# On the left end of the slider all 20 agree, and all are wrong for long: the guess that they lean on is still 0. That is **bias**. On the right end their *mean* (the thin line) is right after a few episodes, and each of them is somewhere else: **variance**. (A walk comes through the same states again and again, and each visit moves a value a tenth of the way: so one lucky or unlucky walk moves it far.) In between there is a better place than both ends. It depends on the game, which is why `n_step` is a setting.
#
# (Q-learning with several steps makes another mistake: the rewards between come from what was *done*, exploring included, and not from the greedy policy. With $n = 3$ that is mostly a small one, and 03 and 04 live with it.)
#
# *45 min so far*
#
# ## 5 Write a game
#
# So far the environments were there. Now you write one: tic-tac-toe, for two players who take turns, X first. A Gymnasium environment is a class with
#
# * `observation_space` and `action_space`: which observations and actions there are. `gym.spaces.Discrete(n)`: whole numbers 0 to n - 1. `gym.spaces.MultiDiscrete([3] * 9)`: nine numbers, each 0, 1 or 2. `gym.spaces.Box(low, high, shape)`: real numbers, as CartPole has. A space can `sample()` an element and say whether it `contains(...)` one;
# * `reset(seed=..., options=...)`, which begins an episode and returns `obs, info`;
# * `step(action)`, which returns `obs, reward, terminated, truncated, info`;
# * `render()`, if people are to see something.
#
# The agent plays both sides: whoever's turn it is acts, and the reward is for the one who has just moved. What should it be? A move says nothing yet about who will win, so as in Go: 1 for three in a row, else 0. A move onto a square that is taken is against the rules: it changes nothing on the board, costs 1, and ends the game.
#
# ### Exercise 6.5 - the environment (16 min, difficulty 3 of 3)
#
# Fill in the spaces, `reset` and `step`. `self.board` has nine numbers: 0 free, 1 X, 2 O; the action is the square, 0 to 8. `has_won(board, player)` says whether a player has three in a row. Hand out a *copy* of the board: who keeps an observation does not want it to change. `info` may be `{}`.
#
# <details><summary>Hint</summary>
#
# `step`: is the square taken? Put `self.player` there, look whether that wins, and only then let the other one move: `self.player = 3 - self.player`. The game is over with a win or a full board (`self.board.all()`). `truncated` is always `False`.
# </details>


# %%
# EXERCISE 6.5
class TicTacToe(gym.Env):
    metadata = {"render_modes": ["ansi"], "render_fps": 1}

    def __init__(self, render_mode=None):
        self.render_mode = render_mode
        self.board, self.player = np.zeros(9, dtype=np.int64), 1
        # BEGIN SOLUTION
        self.observation_space = gym.spaces.MultiDiscrete([3] * 9)
        self.action_space = gym.spaces.Discrete(9)
        # END SOLUTION

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        # BEGIN SOLUTION
        self.board, self.player = np.zeros(9, dtype=np.int64), 1
        return self.board.copy(), {}
        # END SOLUTION

    def step(self, action):
        # BEGIN SOLUTION
        if self.board[action] != 0:
            return self.board.copy(), -1.0, True, False, {}
        self.board[action] = self.player
        won = has_won(self.board, self.player)
        self.player = 3 - self.player
        return self.board.copy(), float(won), won or bool(self.board.all()), False, {}
        # END SOLUTION

    def render(self):
        return "\n".join("".join(".XO"[mark] for mark in row) for row in self.board.reshape(3, 3))


# %%
TicTacToe = checks.check_tic_tac_toe(TicTacToe)

# %% [markdown]
# Gymnasium has a check of its own for the form of an environment. It finds many slips, and knows nothing of your rules.

# %%
check_env(TicTacToe(), skip_render_check=True)
print("check_env found nothing")
game = TicTacToe(render_mode="ansi")
game.reset()
for square in (4, 0, 8):
    _, step_reward, over, _, _ = game.step(square)
print(game.render(), f"reward {step_reward:g}, terminated {over}", sep="\n")

# %% [markdown]
# *65 min so far*
#
# ## 6 It plays against itself
#
# Every game that is possible is now played in your environment (the course's own, if 6.5 is not solved), once, to number the positions. A value is learned for each **afterstate**: the board that a player *hands over*. With X in the middle and O in a corner, X may choose among seven squares; each choice hands over another board, and the one that is worth most to X is taken. Where X came from does not matter, so one value per board is enough. A value moves towards the best that the same player can hand over at the next turn, and at the end towards the result. They explore much (`epsilon=0.6`), and nothing is learned from an answer that was only tried. Boards that are the same when turned or mirrored share a value.
#
# A win is worth 1, a loss 0. And a draw? By the reward alone it is 0, like a loss: nobody has got the 1. In Go there are no draws, here nearly every good game is one. So we try both: **a draw is worth 0, or 0.5**. Which of the two will never lose? It takes about half a minute.

# %% self-play
positions = game_of(TicTacToe)
print(f"{len(positions.boards):,} positions, {len(np.unique(positions.alike))} but for turning")


players = {}
for draw in (0.5, 0.0):
    name = f"a draw is worth {draw:g}"
    with clock(name, total=sizes.num_games, unit="game") as bar:
        players[name], games = self_play.learn(
            positions, num_seeds=sizes.num_seeds, num_games=sizes.num_games, learning_rate=0.5,
            epsilon=0.6, draw=draw, rng=rng, on_step=lambda done: bar.update(done - bar.n),
        )  # fmt: skip
    if games < sizes.num_games:
        raise KeyboardInterrupt

# %% [markdown]
# How would one know that a player *never* loses? By letting it play against every possible opponent: all games, without exception, on both sides. There are few enough.

# %% proof
records = {name: [] for name in players}
with clock("proved", total=2 * sizes.num_seeds, unit="player") as bar:
    for name, values in players.items():
        for one in values:
            sides = [
                self_play.against_everybody(positions, one, first=side) for side in (True, False)
            ]
            records[name].append(sides)
            bar.update()


# %%
def beaten(sides):
    return sum(side.losses for side in sides)


table = {
    name: {
        "never lose": f"{sum(beaten(one) == 0 for one in found)} of {len(found)}",
        "games lost with X, median": int(np.median([one[0].losses for one in found])),
        "of": int(np.median([sum(one[0]) for one in found])),
        "games lost with O, median": int(np.median([one[1].losses for one in found])),
        "of ": int(np.median([sum(one[1]) for one in found])),
    }
    for name, found in records.items()
}
pd.DataFrame(table).T

# %% [markdown]
# One number in the reward, and the player that follows it either cannot be beaten or does not mind being beaten. *What you reward is what you get.* If one of the 20 is beatable even with 0.5, its chance games were unlucky: it is not hidden. Here is a game that a player loses, if there is one among them:

# %%
name, number = next(
    ((name, i) for name, found in records.items() for i, one in enumerate(found) if beaten(one)),
    (None, 0),
)
if name is None:
    print("none of them can be beaten")
else:
    lost = [
        self_play.lost_game(positions, players[name][number], first=one) for one in (True, False)
    ]
    boards = [positions.boards[one] for one in max(lost, key=len)]
    figure = plt.figure(figsize=(1.5 * len(boards), 1.9), layout="constrained")
    pictures.draw_boards(boards, figure=figure, titles=[f"move {k}" for k in range(len(boards))])
    plots.reading(f"{name}, player {number}: it has {'OX'[len(lost[0]) > 0]}, and loses.")

# %% [markdown]
# Now you. Click on a square, or press its number. Then let it show what each free square is worth to *you*: by its own values, which it learned without you. At first all are 0.50: nobody can win by force.

# %%
unbeaten = [beaten(one) == 0 for one in records["a draw is worth 0.5"]]
best = players["a draw is worth 0.5"][int(np.argmax(unbeaten))]
match = widgets.play_board(self_play.Player(positions, best))

# %% [markdown]
# *75 min so far*
#
# ## Summary
#
# * Monte Carlo waits for the end and counts what really followed: no bias, much variance, and nothing is learned before the end.
# * SARSA learns what the exploring policy is worth (on policy), Q-learning what the greedy one is worth (off policy). Beside a cliff that is a difference.
# * n steps and lambda say how far a target looks ahead; in between is often better than both ends.
# * An environment is spaces, `reset` and `step`. Its reward is a choice, and the agent takes it at its word.
# * Self-play needs no opponent. That a small game is *solved* can be proved by playing everything.
#
# ## Common mistakes
#
# * A ceiling that the curve cannot reach: the optimum without the time limit.
# * Judging an on-policy agent by its greedy policy, or an off-policy one by its exploring curve, without saying so.
# * `terminated` for a time limit, and the other way round.
# * Handing out the board itself in place of a copy.
# * Learning from an opponent's random move as if it were meant: then a player counts on mistakes.
#
# ## Try next
#
# * A lake of your own: `from course_lib.envs.lake_map import read_lake`, then `gym.make("FrozenLake-v1", desc=read_lake("SFF\nFHF\nFFG"))`. How high is its ceiling?
# * `is_slippery=False`: which of the three profits most?
# * Take 0.01 for SARSA's epsilon on the cliff: where does it walk now?
# * What is a position worth? `from course_lib.envs.tic_tac_toe import read_board`, then `self_play.Player(positions, best).worth(read_board("X.. .O. ..X"))`. Where must O go?
# * `draw=0.9` in the self-play: how does somebody play who likes a draw nearly as much as a win? Does it ever lose?
#
# ## References
#
# * R. Sutton, A. Barto: *Reinforcement Learning: An Introduction*, 2nd edition, 2018, chapters 1.5 (tic-tac-toe), 5 (Monte Carlo), 6.4 to 6.8 (SARSA, the cliff, afterstates), 7 (n steps), 12 (lambda).
# * D. Silver and others: *Mastering the game of Go without human knowledge*. Nature 550, 2017.
# * G. Tesauro: *Temporal difference learning and TD-Gammon*. Communications of the ACM 38, 1995.
