# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 05 Planning with a map
#
# **What if you knew the rules?**
#
# At the end you will be able to
#
# * say what a state value, a model, the Bellman equation and a Markov decision process are;
# * plan with value iteration, over arrays, and stop it at the right time;
# * say what planning needs that somebody in the fog has not got, and what the fog costs;
# * find out from a picture what is wrong with a planner or a learner.
#
# **Time:** 65 minutes, of which the machine computes about 1.
#
# **Needed:** [01 Mouse and cheese](01_mouse_and_cheese.ipynb): the ledger and its update. Nothing here needs the network, a GPU
# or Ray.

# %%
import time

import gymnasium as gym
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from course_lib import plots, profiles, widgets
from course_lib.agents import planning, tabular
from course_lib.checks import planning as checks
from course_lib.envs.animation import animate, play_frames
from course_lib.envs.tables import Model, SideBySide, model_of
from course_lib.plots import planning as pictures

# %%
SEED = 7
sizes = profiles.current().planning

# %% [markdown]
# ## 1 One state, three ways
#
# A taxi drives in a town of 5 x 5 cells. Somebody waits at one of four places (R red, G green, Y yellow, B blue) and wants to go to another one, the
# house. The taxi can drive `south`, `north`, `east`, `west`, `pick up` and `drop off`: six actions. Each costs 1, a pick-up or drop-off where there is nothing to pick up or no place to drop 10, and the drop-off
# at the house pays 20 and ends the ride. The game is Gymnasium's own, `Taxi-v3`.
#
# A program can look at one and the same state in three ways.

# %% three-ways
env = gym.make("Taxi-v3", render_mode="rgb_array")
state = pictures.state_number(row=2, column=3, passenger=2, destination=1)
figure = plt.figure(figsize=(12, 4), layout="constrained")
pictures.draw_state(env, state, figure=figure)
plots.reading(f"state {state}: {pictures.in_words(state)}.")

# %% [markdown]
# * **A picture.** A person sees at once what to do. For a program these are half a million numbers.
# * **A node** among its neighbours. An arrow for each action: where it leads, and what it pays. This is all that planning needs.
# * **A number**, made of four parts: 5 rows, 5 columns, 5 places of the passenger (the fifth is *in the taxi*), 4 destinations, so
#   5 · 5 · 5 · 4 = 500 states. Row 2, column 3, passenger 2, destination 1 is number ((2 · 5 + 3) · 5 + 2) · 4 + 1 = 269.
#
# The number is enough. Whatever the taxi did before, what can come next depends on the state alone. That is the **Markov** property of notebook 01, and a game of
# states, actions, rewards and such transitions is a **Markov decision process**, an MDP.
#
# ## 2 The rules as arrays
#
# Which state and which reward follow an action: that is the **model** of the environment. The mouse of notebook 01 had none. Gymnasium tells Taxi's, and here it is
# as three arrays, a row per state and a column per action.

# %%
town = model_of(env)
next_state, reward, terminated = town.outcomes()
print("shapes:", next_state.shape, reward.shape, terminated.shape)
rows = {"next state": next_state[state], "reward": reward[state], "terminated": terminated[state]}
pd.DataFrame(rows, index=pictures.ACTIONS).T

# %% [markdown]
# How much is a state worth? Its **state value** $V(s)$ is the discounted return from there on for somebody who always acts as well as possible. It obeys
# one equation, the **Bellman equation**: a state is worth what its best action is worth, and an action is worth its reward plus the discounted value of the state that it leads to,
#
# $$V(s) = \max_a \big( R(s, a) + \gamma \, V(s') \big), \qquad V(s') \text{ counts } 0 \text{ where the episode terminates.}$$
#
# The bracket is the **q-value** of the action. To put the values that we have on the right-hand side, and take over what comes out, is to *back up* a state.
#
# By hand: two actions. One pays -1 and leads to a state worth 10, the other pays -10 and leads to one worth 4. With $\gamma = 0.9$ their q-values
# are $-1 + 9 = 8$ and $-10 + 3.6 = -6.4$, so the state is worth 8. If a third action pays 5 and ends the episode, its q-value is 5, whatever stands in the table for the state
# after the end.
#
# ### Exercise 5.1 - back up one state (4 min, difficulty 1 of 3)
#
# Return the new value of a state, a `float`. `values` holds the values of all states. The other three are one row of the tables above: for each action the number of its
# next state, its reward, and whether it terminates; all of shape `(num_actions,)`.
#
# <details><summary>Hint</summary>
#
# `values[next_states]` looks up the values of all next states at once. `~terminated` counts as 1 or 0 in a product.
# </details>


# %%
# EXERCISE 5.1
def back_up(values, next_states, rewards, terminated, gamma):
    """Return the value of a state: that of its best action, one step ahead."""
    # BEGIN SOLUTION
    q_values = rewards + gamma * ~terminated * values[next_states]
    return float(q_values.max())
    # END SOLUTION


# %%
back_up = checks.check_back_up(back_up)

# %% [markdown]
# *13 min so far*
#
# ## 3 Values flood the map
#
# At first all values are 0. A **sweep** backs up *every* state once, from the values of the sweep before. Then another sweep, and another, until nothing changes by more than a
# small bound: **value iteration**. After one sweep each state knows what can be had in one step, after $k$ sweeps what can be had in $k$ steps.
#
# ### Exercise 5.2 - sweep and stop (8 min, difficulty 2 of 3)
#
# Return a list: the values of all states before the first sweep (zeros) and after each sweep, each an array of shape `(num_states,)`. Stop after the first sweep in which no value changed by more than
# `tolerance`. The three tables have shape `(num_states, num_actions)`; no loop over states is needed.
#
# Example: state 0 leads to state 1 for -1, and state 1 to the end for 20, with no other action. With gamma 0.5 the list is `[0, 0]`, `[-1, 20]`, `[9, 20]`, `[9, 20]`: the third sweep changed nothing.
#
# <details><summary>Hint</summary>
#
# One sweep: the line of 5.1 with whole tables, and `.max(axis=1)`. `np.abs(new - old).max()` is the largest change. Start with `found = [np.zeros(len(reward))]`.
# </details>


# %%
# EXERCISE 5.2
def value_iteration(next_state, reward, terminated, gamma, tolerance):
    """Return the values of all states before the first sweep and after each."""
    # BEGIN SOLUTION
    found = [np.zeros(len(reward))]
    while True:
        old = found[-1]
        new = (reward + gamma * ~terminated * old[next_state]).max(axis=1)
        found.append(new)
        if np.abs(new - old).max() <= tolerance:
            return found
    # END SOLUTION


# %%
value_iteration = checks.check_value_iteration(value_iteration)

# %%
GAMMA = 1.0  # a ride ends, so its rewards can be added up as they are
sweeps = value_iteration(next_state, reward, terminated, GAMMA, tolerance=1e-9)
truth = sweeps[-1]
print(f"{len(sweeps) - 1} sweeps; values from {truth.min():g} to {truth.max():g}")

# %% [markdown]
# That is all planning is. The last values are written V*. Watch how they came about: move the slider to 0, then up. On the right the passenger is in the taxi: there the 20 come in first, at the goal. On the left somebody waits at Y: nothing can be
# better than driving about until the flood has reached Y on the right-hand map, and then comes over through the pick-up. Arrows are the best actions, P is *pick up*, D *drop off*. Where none stands, there is no plan yet.
#
# *Relative* colours go from the lowest to the highest value of each map. They show the way, and hide how much it is worth.


# %% tags=["picture"]
def flood(figure, sweep, colours):
    values = sweeps[min(sweep, len(sweeps) - 1)]
    q_values = planning.look_ahead(values, town, GAMMA)
    pictures.draw_flood(figure, values, q_values, relative=colours == "relative")


widgets.explore(
    flood,
    figsize=(9, 4.2),
    sweep=ipywidgets.IntSlider(value=9, min=0, max=len(sweeps) - 1),
    colours=ipywidgets.ToggleButtons(options=["absolute", "relative"]),
)

# %% [markdown]
# Is it true? The plan drives the real game: from each start the best action by the values, and the return is held against the promise $V(s)$.


# %%
plan_q_values = planning.look_ahead(truth, town, GAMMA)


def plan(observations):
    """The best action in each state, by looking one step ahead."""
    return plan_q_values[observations].argmax(axis=-1)


def ride(seed):
    """Drive once by the plan; return what the start was worth, and the return."""
    obs, _ = env.reset(seed=seed)
    promised, total, done = truth[obs], 0.0, False
    while not done:
        obs, step_reward, over, out_of_time, _ = env.step(plan(obs))
        total, done = total + step_reward, over or out_of_time
    return promised, total


rides = [ride(seed) for seed in range(sizes.num_rides)]
kept = sum(promised == total for promised, total in rides)
print(f"{kept} of {sizes.num_rides} rides returned exactly what their start was worth")
frames, total = play_frames(plan, "Taxi-v3", seed=SEED)
animate(frames, every=1, frame_ms=350, says=f"A ride of {len(frames) - 1} steps, as planned.")

# %% [markdown]
# *31 min so far*
#
# ### Loops against arrays
#
# The same sweep can be written with two loops. It is the same arithmetic, and the same numbers.


# %%
def sweep_with_loops(values):
    new = np.zeros(len(reward))
    for s in range(len(reward)):
        q_values = []
        for a in range(len(reward[s])):
            later = 0 if terminated[s, a] else values[next_state[s, a]]
            q_values.append(reward[s, a] + GAMMA * later)
        new[s] = max(q_values)
    return new


def sweep_with_arrays(values):
    return (reward + GAMMA * ~terminated * values[next_state]).max(axis=1)


def seconds(function, times):
    began = time.perf_counter()
    for _ in range(times):
        function(truth)
    return (time.perf_counter() - began) / times


# %%
same = np.array_equal(sweep_with_loops(sweeps[5]), sweep_with_arrays(sweeps[5]))
ratio = seconds(sweep_with_loops, 10) / seconds(sweep_with_arrays, 300)
print(f"the same numbers: {same}; loops take {ratio:.0f} times as long here")

# %% [markdown]
# Knowing when to stop is worth as much: the conference talk that gave us the idea (*RL for developers*, 2017) swept over this town 1,000 times.
#
# ## 4 Fog
#
# Now take the map away. A traveller in the fog sees the number of the state, does something, gets a reward, and sees the next number. `next_state` and `reward` are not
# to be had, so nothing can be backed up before it was tried, and no state can be visited but by going there. A traveller also needs a way to *explore*, which a planner does not.
#
# What is left is the ledger of notebook 01: a q-value for each state *and action*, because without a model a state value alone would not say which action leads to it.
#
# Before you see it learn: after 2,000 rides in the fog, which parts of its ledger will be right? Here are five states.

# %% five
five = {
    "A": pictures.state_number(4, 2, passenger=1, destination=2),
    "B": pictures.state_number(2, 2, passenger=4, destination=1),
    "C": pictures.state_number(2, 2, passenger=0, destination=0),
    "D": pictures.state_number(4, 2, passenger=4, destination=0),
    "E": pictures.state_number(0, 2, passenger=4, destination=3),
}
figure = plt.figure(figsize=(13, 2.8), layout="constrained")
pictures.draw_five(env, five, figure=figure)
plots.reading("; ".join(f"{name}: {pictures.in_words(one)}" for name, one in five.items()) + ".")

# %% [markdown]
# ### Exercise 5.3 - where fog hurts (4 min, difficulty 2 of 3)
#
# A prediction. The traveller learns as in notebook 01: epsilon 0.1, learning rate 0.5, an empty ledger. Every ride starts on a cell drawn from all 25, with a passenger who *waits* at one place and wants to go to *another*.
# Return a dict that gives each of `"A"` to `"E"` one word about the best q-value in its ledger after 2,000 rides:
#
# * `"right"`: most of 20 travellers know its value to within 2;
# * `"wrong"`: they have been there, and most are off by more than 2;
# * `"never"`: nobody has ever been there.
#
# <details><summary>Hint</summary>
#
# Ask of each: can a ride start here? If not, does a *good* ride come through, from the place where the passenger was picked up?
# </details>


# %%
# EXERCISE 5.3
def fog():
    """Return one word for each of the five states."""
    # BEGIN SOLUTION
    return {"A": "right", "B": "right", "C": "never", "D": "wrong", "E": "wrong"}
    # END SOLUTION


# %%
fog = checks.check_fog(fog)

# %% [markdown]
# Now 20 travellers, side by side. The floor is a taxi that acts at random, the ceiling the exact optimum: the plan's return, averaged over all starts. The cell after the next takes about 15 seconds.

# %%
rng = np.random.default_rng(SEED)
starts = env.unwrapped.initial_state_distrib
world = SideBySide(town, starts, num_seeds=20, num_episodes=5, max_steps=200, rng=rng)
_, at_random = tabular.q_learning_many(world, learning_rate=0.0, gamma=GAMMA, epsilon=1.0)
floor = ("random taxi", round(float(at_random.mean())))
ceiling = ("with the map", round(float(starts @ truth), 2))
print(f"{floor[0]}: {floor[1]:g}; {ceiling[0]}: {ceiling[1]:g}")


# %% fog-learns
def draw_curve(figure, returns):
    for ax, low in zip(figure.subplots(1, 2), (floor[1] - 20, -20), strict=True):
        plots.plot_band(returns, window=50, label="fog", floor=floor, ceiling=ceiling, ax=ax)
        ax.set(xlim=(0, sizes.num_episodes), ylim=(low, -0.05 * low + 9), xlabel="ride")
    ax.set_title("the same, from close by")
    ax.get_legend().remove()


def watch(world):
    visits[seeds, world.obs] += 1
    done = int(world.episode.min())
    if done > 1:
        live.update(world.returns[:, :done])


seeds = np.arange(sizes.num_seeds)
visits = np.zeros((len(seeds), len(truth)), int)
size = {"num_seeds": sizes.num_seeds, "num_episodes": sizes.num_episodes, "max_steps": 200}
world = SideBySide(town, starts, rng=rng, **size)
with widgets.LiveFigure(draw_curve, figsize=(11, 3.6), min_interval_s=2) as live:
    tables, returns = tabular.q_learning_many(
        world, learning_rate=0.5, gamma=GAMMA, epsilon=0.1, on_step=watch
    )

# %% [markdown]
# The curve is made while exploring. What do the ledgers *know*? Their greedy policies are judged exactly, with the map, over all starts and the 200 steps that a ride may last.

# %%
known = [starts @ planning.policy_within(town, table.argmax(axis=1), 200) for table in tables]
plots.plot_outcomes(
    {"after the fog": known}, xlabel="mean return of the greedy policy", line=ceiling
)
steps, early = visits.sum(axis=1).mean(), returns[:, :100].mean()
plots.reading(
    f"the median ledger is worth {np.median(known):.2f}, the worst {min(known):.2f}, the plan "
    f"{ceiling[1]:g}. Each traveller drove {steps:,.0f} real steps, and its first 100 rides "
    f"returned {early:.0f} on average. The planner drove none: it thought for some milliseconds."
)

# %% [markdown]
# And your prediction?


# %%
def so_it_is(one):
    """The word for a state, by what the travellers' ledgers say."""
    if not visits[:, one].any():
        return "never"
    return "right" if np.mean(np.abs(ledgers[:, one] - truth[one]) < 2) > 0.5 else "wrong"


ledgers = tables.max(axis=2)
rows = [
    {
        "state": name,
        "with the map": truth[one],
        "ledgers, median": np.median(ledgers[:, one]).round(1),
        "within 2": f"{np.sum(np.abs(ledgers[:, one] - truth[one]) < 2)} of {len(seeds)}",
        "visits, median": int(np.median(visits[:, one])),
        "so it is": so_it_is(one),
    }
    for name, one in five.items()
]
pd.DataFrame(rows).set_index("state")

# %% [markdown]
# A and D are the same cell. In A a ride can *start*, so it was learned from; in D somebody sits in the taxi, and nobody who has picked up a passenger at one of the four places
# comes through that dead end but by mistake. E is such a corner, too: behind the upper wall, on no way from a pick-up to B. C cannot occur at all: where the passenger has arrived, the ride is over. The planner has values for it nevertheless, because it sweeps over everything.
#
# **A ledger is right along the ways that are walked**, and near the goal sooner than far from it: as in notebook 01, what counts are visits *after* the news has reached a neighbour. The first traveller's, with the passenger in the taxi on the way to R:

# %%
figure = plt.figure(figsize=(12, 4), layout="constrained")
pictures.draw_fog(figure, truth, ledgers[0], visits[0])
shown = [pictures.state_number(*divmod(cell, 5), passenger=4, destination=0) for cell in range(25)]
right = np.abs(ledgers[0] - truth)[shown] < 2
plots.reading(
    f"{right.sum()} of these 25 states are known to within 2: they were stood in "
    f"{np.median(visits[0, shown][right]):.0f} times (median), the others "
    f"{np.median(visits[0, shown][~right]) if not right.all() else 0:.0f} times."
)

# %% [markdown]
# *46 min so far*
#
# ## 5 Two bugs, told by their pictures
#
# That talk had one line for planning and one for learning, and in each of them a mistake. Both run without an error.


# %%
def talk_sweep(values, next_state, reward, terminated, gamma):
    """One sweep over all states."""
    return (reward + gamma * values[next_state]).max(axis=1)


def talk_update(q_value, reward, next_q_values, terminated, *, learning_rate, gamma):
    """The new q-value after one step."""
    follows = next_q_values * (not terminated)
    return q_value + learning_rate * (reward + gamma * (follows - q_value).max())


# %% [markdown]
# What do they do? First the planner: its values over the sweeps, beside yours, and its map in relative colours after a thousand.


# %%
swept = [np.zeros(len(truth))]
for _ in range(1000):
    swept.append(talk_sweep(swept[-1], next_state, reward, terminated, GAMMA))
runs = {"the talk's": np.array(swept), "yours": np.array(sweeps)}
figure, (left, right) = plt.subplots(
    1, 2, figsize=(11, 3.8), width_ratios=[3, 2], layout="constrained"
)
pictures.plot_extremes(runs, last=60, ax=left)
pictures.draw_town(swept[-1], passenger=4, destination=0, ax=right).set_title("the talk's map")
drives = (reward + GAMMA * swept[-1][next_state]).argmax(axis=1)
plots.reading(
    f"after 1,000 sweeps the talk's values lie between {swept[-1].min():,.0f} and "
    f"{swept[-1].max():,.0f}; no ride pays more than 20. A taxi that follows them gets "
    f"{starts @ planning.policy_within(town, drives, 200):.0f} per ride."
)

# %% [markdown]
# Then the learner. So that it shows, with $\gamma = 0.9$, and with every state and action updated once in each of 60 rounds (after that nothing changes), as if the fog had been walked through for ever. The right map beside it was planned with the same $\gamma$.


# %%
def learned(update, gamma=0.9, rounds=60):
    """The ledger after as many rounds in which each entry is updated once."""
    q_table = np.zeros(reward.shape)
    for _ in range(rounds):
        old = q_table.copy()
        for s, a in np.ndindex(reward.shape):
            q_table[s, a] = update(
                old[s, a], reward[s, a], old[next_state[s, a]], terminated[s, a],
                learning_rate=1.0, gamma=gamma,
            )  # fmt: skip
    return q_table.max(axis=1)


# %%
maps = {
    "the talk's ledger": learned(talk_update),
    "the truth, gamma 0.9": planning.best_values(town, 0.9),
}
figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for ax, (name, values) in zip(axes, maps.items(), strict=True):
    pictures.draw_town(values, passenger=4, destination=0, ax=ax, limits=(0, 23), words="{:.1f}")
    ax.set_title(name)
ratio = maps["the talk's ledger"] / truth
plots.reading(
    "how much does a step further away cost, left and right? And what did the maps of section 3 "
    f"say? The talk's ledger is {ratio.mean():.3f} times as high as those, in every state "
    f"(give or take {np.ptp(ratio):.0e})."
)

# %% [markdown]
# ### Exercise 5.4 - mend both (6 min, difficulty 3 of 3)
#
# Return the two functions, mended, with the arguments that the talk's have. Say to yourself first, from the pictures: what is counted again and again? What has become of the discount?
#
# <details><summary>Hint</summary>
#
# The planner: somebody is delivered for 20, and then? One argument is not used. The learner: for which $\gamma$ would its line be right? Work it out for one action: where does the old q-value end up?
# </details>


# %%
# EXERCISE 5.4
def mended():
    """Return the sweep and the update, both right."""

    # BEGIN SOLUTION
    def sweep(values, next_state, reward, terminated, gamma):
        return (reward + gamma * ~terminated * values[next_state]).max(axis=1)

    def update(q_value, reward, next_q_values, terminated, *, learning_rate, gamma):
        target = reward + gamma * (not terminated) * next_q_values.max()
        return q_value + learning_rate * (target - q_value)

    return sweep, update
    # END SOLUTION


# %%
mended = checks.check_mended(mended)

# %% [markdown]
# The first forgot that a ride ends: it delivers the same passenger for ever, and so a taxi that follows it never needs to arrive. Its map in relative colours looks like a map; the numbers tell. The second takes the old q-value away *inside* the discount, so only a part of it, and
# that undoes the discount: what it learns are the values without one, divided by $\gamma$. With $\gamma = 1$ nobody would have noticed.

# %%
sweep, update = mended()
once_more = sweep(truth, next_state, reward, terminated, GAMMA)
print("a sweep over the true values changes them by", np.abs(once_more - truth).max())
off = np.abs(learned(update) - maps["the truth, gamma 0.9"]).max()
print(f"the mended learner is off by {off:.2g} at most")

# %% [markdown]
# *60 min so far*
#
# ## 6 For the quick, or for home
#
# ### Exercise 5.5 - from values to a plan (5 min, difficulty 2 of 3)
#
# State values say how good it is to *be* somewhere, not what to *do*. With the model it takes one look ahead. Return an array of shape `(num_states,)`: for each state the number of its best action (any of them if several are equally good).
#
# Example: two actions. The first pays -1 and leads to a state worth 10, the second pays 5 and leads to one worth 2. With gamma 1 the first is better (9 against 7), with gamma 0.5 the second (4 against 6).
#
# <details><summary>Hint</summary>
#
# The table of q-values is a line of 5.2; `argmax` gives the place of the highest, `max` the value itself.
# </details>


# %%
# EXERCISE 5.5
def best_actions(values, next_state, reward, terminated, gamma):
    """Return the best action of each state, by one look ahead."""
    # BEGIN SOLUTION
    return (reward + gamma * ~terminated * values[next_state]).argmax(axis=1)
    # END SOLUTION


# %%
best_actions = checks.check_best_actions(best_actions)

# %% [markdown]
# With it you can ask what a *wrong map* costs. A planner believes that the wall between columns 0 and 1 at the bottom (rows 3 and 4) is not there, and plans with that. Then it drives in the real town.

# %%
believed = next_state.copy()
for row, passenger, destination in np.ndindex(2, 5, 4):
    west_of, east_of = (
        pictures.state_number(3 + row, column, passenger, destination) for column in (0, 1)
    )
    believed[west_of, 2], believed[east_of, 3] = east_of, west_of
wrong_map = Model.certain(believed, reward, terminated)
believes = planning.best_values(wrong_map, GAMMA)
drives = best_actions(believes, believed, reward, terminated, GAMMA)
gets = planning.policy_within(town, drives, 200)
stuck = starts @ (gets == -200)
print(
    f"it believes {starts @ believes:.2f}, gets {starts @ gets:.0f}; the true plan {ceiling[1]:g}"
)
print(f"from {stuck:.0%} of the starts it never arrives")

# %% [markdown]
# From there it drives into a wall that it does not believe in until the 200 steps are over. The traveller in the fog never would: its ledger holds what happened. A planner that corrects its map as it goes has both, and is called *model-based* reinforcement learning.
#
# ## Summary
#
# * One state can be a picture, a node, a number. If it says all that matters for what comes next, the game is a Markov decision process.
# * The Bellman equation: a state is worth the best of *reward plus discounted value of what follows*, and nothing follows the end.
# * Value iteration makes both sides equal by sweeping over all states. It needs the model, and states that can be counted; then it needs no exploring, and is exact.
# * Without the model, Q-learning makes the same equation true along the ways that it walks. The fog costs steps, and what is never visited stays wrong.
# * Colours that adapt hide what numbers tell.
#
# ## Common mistakes
#
# * A planner without an end. Look at the largest value: can anybody earn that much?
# * A fixed number of sweeps, in place of a bound on the change.
# * State values without a model: they do not tell an action.
# * A training curve of an exploring agent held against a plan.
# * Trusting a plan more than its map.
#
# ## Try next
#
# * `gym.make("Taxi-v3", is_rainy=True)`: now an action has several outcomes. `planning.value_iteration(model_of(...), 1.0)` takes each times its probability. What does rain cost?
# * $\gamma = 0.5$ in section 3: after how many sweeps is nothing new to be learned, and does the plan change?
# * Start every ride of the fog in one cell. Which of the five states change their word?
#
# ## References
#
# * R. Sutton, A. Barto: *Reinforcement Learning: An Introduction*, 2nd edition, 2018, chapters 3 (MDPs, the Bellman equation), 4.4 (value iteration), 8 (planning and learning together).
# * R. Bellman: *Dynamic Programming*, Princeton 1957.
# * T. Dietterich: *Hierarchical Reinforcement Learning with the MAXQ Value Function Decomposition*. JAIR 13, 2000: where the taxi comes from.
