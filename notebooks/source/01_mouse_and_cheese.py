# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 01 Mouse and cheese
#
# **How can a mouse find the shortest way to the cheese when nobody shows it the map?**
#
# At the end you will be able to
#
# * say what agent, environment, observation, action, reward, return, policy and value mean;
# * work one Q-learning update by hand, and write it in code;
# * train a mouse, watch it learn, and say what learning rate, discount and epsilon do;
# * judge a learning curve: against a random mouse, against the best possible, over many seeds.
#
# **Time:** 50 minutes, of which the machine computes about 1.
#
# **Needed:** Python, and what an array is. **Helpful:** [00 Welcome and preflight](00_welcome.ipynb).
# Nothing here needs the network, a GPU or Ray.

# %%
import time

import gymnasium as gym
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from course_lib import plots, profiles, widgets
from course_lib.agents import planning, tabular
from course_lib.checks import maze as checks
from course_lib.envs.maze import Footprints, MazeEnv
from course_lib.envs.maze_map import random_maze
from course_lib.envs.tables import SideBySide

# %%
SEED = 7
profile = profiles.current()
sizes = profile.maze
print(f"profile {profile.name}: {sizes}")

# %% [markdown]
# ## 1 The maze
#
# A mouse stands at S. Somewhere lies the cheese, the orange triangle. Dark cells are walls. The mouse
# cannot see the map: it only knows on which cell it stands, and it can try to go up, right, down or left.

# %%
env = gym.make("course/Maze-v0", render_mode="ansi")
maze = env.unwrapped.maze
plots.draw_maze(maze, mouse=maze.start)
plots.reading(
    f"a maze of {maze.height} x {maze.width} cells; the shortest way has "
    f"{maze.shortest_steps} steps."
)

# %% [markdown]
# You are the mouse first. Click on the maze and use the arrow keys, or press the buttons. Every
# step costs 1, the step onto the cheese earns 20. Bump into a wall on purpose, too: what does it
# cost? Remember how many steps you took: later you race the mouse.

# %%
game = widgets.play_maze(gym.make("course/Maze-v0"))

# %% [markdown]
# ## 2 Watch first, understand later
#
# Next comes a mouse that has never seen the maze. It will walk it again and again from S, and keep
# notes. Two horizontal lines in the plot will tell how well it does: what a mouse gets that picks
# every step at random, and what the shortest path gets, which we know because *we* have the map. A
# curve of returns over the walks is called a **learning curve**.

# %%
rng = np.random.default_rng(SEED)
random_returns = tabular.random_returns(env, num_episodes=sizes.random_episodes, rng=rng)
floor = ("random mouse", round(float(random_returns.mean()), 1))
ceiling = ("shortest path", env.unwrapped.best_return)
print(f"{floor[0]}: {floor[1]:g}; {ceiling[0]}: {ceiling[1]:g}")

# %% [markdown]
# The mouse on the left plays its latest walk; the arrows are its plan, and bright colours are good
# places. On the right, the sum of its rewards on each walk. It takes 10 to 20 seconds, slowed down
# on purpose. The rest of this notebook explains what you see, and you will write it yourself. The
# three numbers in `usual`, too: a number that somebody chooses before the learning begins is a
# **hyperparameter**.
#
# To stop early, press ■ in the toolbar above the notebook: here and in every cell below, what was
# learned so far is kept, and you can go on.

# %%
lines = {"floor": floor, "ceiling": ceiling, "num_episodes": sizes.live_episodes}
usual = {"learning_rate": 0.5, "gamma": 0.95, "epsilon": 0.1}


def draw(figure, q_table, returns):
    plots.draw_learning(figure, q_table, maze, returns, **lines)


def watch(run):
    live.update(run.q_table, run.returns, watched.path)
    time.sleep(sizes.pause_s)


watched, episodes = Footprints(env), sizes.live_episodes
with widgets.LiveWalk(draw, figsize=(11, 4), min_interval_s=0.7) as live:
    run = tabular.q_learning(watched, num_episodes=episodes, rng=rng, on_episode=watch, **usual)
ends = [f"{value:g}" for value in (*run.returns[:1], *run.returns[-1:])]
plots.reading(f"returns of the first and of the last walk: {', '.join(ends) or 'none yet'}.")

# %% [markdown]
# ## 3 The words
#
# First you, then the mouse: both were an **agent**, the one who decides. Everything else was the
# **environment**. They talk in turns:
#
# * the environment shows an **observation** (`obs`): here the number of the cell, counted row by
#   row. Where the observation tells everything that matters for what comes next, it is also called
#   the **state**, and the problem is said to be **Markov**: from which side the mouse came changes
#   nothing about what can happen from here;
# * the agent picks an **action**: 0 up, 1 right, 2 down, 3 left;
# * the environment answers with a **reward**, one number for this one step, and the next
#   observation;
# * an **episode** is one walk from the start to its end. It is `terminated` when its rules end it
#   (the cheese), and `truncated` when we stop watching (here after twice as many steps as there are
#   cells);
# * the **return** is the sum of the rewards of an episode. *Reward is one step, return is a sum.*
# * a **policy** is the rule by which an agent picks its actions;
# * a **model** of the environment says which state and which reward follow an action. *We* have one,
#   the map. The mouse has none, so it must try: it learns *model-free*.
#
# Learning from rewards alone is what makes this *reinforcement* learning. In supervised learning
# somebody tells the right answer for each input; in unsupervised learning there is no answer at
# all. Here there is only a number, often late: which of all those steps earned the cheese?

# %%
obs, info = env.reset(seed=SEED)
for action in (1, 1, 1):
    next_obs, reward, terminated, truncated, info = env.step(action)
    print(f"obs {obs}, action {action} -> reward {reward}, next obs {next_obs}")
    obs = next_obs

# %% [markdown]
# The third step to the right bumped into a wall: the observation stayed the same, and the step cost 1 like any other.
#
# ## 4 A random mouse
#
# Before learning anything we need to know how good it is to know nothing. This mouse picks every action with equal chance.


# %%
def random_episode(env, rng):
    """Walk one episode at random; return its return and the cells visited."""
    obs, info = env.reset()
    total, path, done = 0.0, [info["cell"]], False
    while not done:
        obs, reward, terminated, truncated, info = env.step(rng.integers(4))
        total += reward
        path.append(info["cell"])
        done = terminated or truncated
    return total, path


rng = np.random.default_rng(SEED)
total, path = random_episode(env, rng)
plots.draw_maze(maze, path=path, mouse=path[-1])
plots.reading(f"{len(path) - 1} random steps, return {total:g}.")

# %% [markdown]
# One walk proves little. The mean of the many such walks before the figure above is its dotted line, our **floor**: a learning curve that stays there shows an agent that has learned nothing. The
# **ceiling**, the dashed line, is the return of the shortest path.

# %%
found = np.mean(random_returns > -env.unwrapped.max_steps)
print(f"{found:.0%} of {len(random_returns)} random walks found the cheese at all")
print(f"their mean return is {floor[1]:g}; the shortest path's is {ceiling[1]:g}")

# %% [markdown]
# *10 min so far*
#
# ## 5 The q-ledger
#
# The mouse keeps a ledger. For every state and every action it writes down one number, the
# **q-value**: how much *discounted* return (rewards count less the later they come, section 6) it
# expects from here on if it takes this action now and then goes on as well as it knows. The highest
# q-value of a state says what the state is worth; such a worth for every state is a **value
# function**. At first the mouse knows nothing: all zeros.

# %% empty-ledger
q_table = np.zeros((env.observation_space.n, env.action_space.n))


def ledger(q_table, states):
    """Show some rows of the table with the names of the actions."""
    table = pd.DataFrame(q_table[states], index=states, columns=MazeEnv.ACTION_NAMES)
    return table.round(2).rename_axis(columns="state")


ledger(q_table, [0, 1, 2])

# %% [markdown]
# Given a ledger, the obvious policy is **greedy**: take the action with the highest q-value. But a mouse that only ever does what worked
# so far may never find the better way around the corner. It has to **explore** now and then, and **exploit** what it knows the rest of
# the time. The simplest compromise is **epsilon-greedy**: with probability epsilon take *any* action, otherwise the best one.
#
# ### Exercise 1.1 - epsilon-greedy (5 min, difficulty 1 of 3)
#
# Given `q_values` (one row of the ledger, shape `(4,)`), `epsilon` in [0, 1] and a random generator `rng`, return an action, an `int`.
# Where several actions are equally good, pick one of them at random: in an empty ledger *all* are equally good, and a mouse
# that always takes the first would begin every walk by bumping into the wall above it. Draw from `rng` alone: the same seed
# then gives the same walk again.
#
# Example: with `q_values = [1, 3, 2, -5]` and `epsilon = 0.2`, action 1 is picked with probability 0.8 + 0.2 / 4 = 0.85.
#
# <details><summary>Hint</summary>
#
# `rng.random()` is a number in [0, 1), so it is below epsilon with probability epsilon. `rng.integers(len(q_values))` is one of all actions.
# `np.flatnonzero(q_values == q_values.max())` lists the best actions.
# </details>


# %%
# EXERCISE 1.1
def epsilon_greedy(q_values, epsilon, rng):
    """Pick any action with probability epsilon, else a best one."""
    # BEGIN SOLUTION
    if rng.random() < epsilon:
        return int(rng.integers(len(q_values)))
    best = np.flatnonzero(q_values == q_values.max())
    return int(rng.choice(best))
    # END SOLUTION


# %%
epsilon_greedy = checks.check_epsilon_greedy(epsilon_greedy)

# %% [markdown]
# The check told you which aspects are right. While an exercise is unsolved, it hands back the course's own version, so you can always go on and come back later.
#
# *17 min so far*
#
# ## 6 The update rule
#
# The mouse stands in state $S$ and takes action $A$. It gets the reward $R$ and stands in the next state $S'$. Now it knows a little more than before: a better guess of the q-value it just used is
#
# $$\text{target} = R + \gamma \, \max_a Q(S', a)$$
#
# the reward $R$ it got, plus what the ledger says about the best way on from the next state $S'$. The **discount** $\gamma$ (gamma, between 0 and 1)
# says how much later rewards count against this one: a reward two steps on counts $\gamma^2$ times. So a q-value stands for the **discounted return**, the sum of the rewards to come, each counted less the later it comes. The ledger moves a part of the way towards the target, as large as the **learning rate** $\alpha$:
#
# $$Q(S, A) \leftarrow (1 - \alpha) \, Q(S, A) + \alpha \, \big( R + \gamma \max_a Q(S', a) \big)$$
#
# By hand: the ledger says $Q(S, A) = 5$. The step costs 1, so $R = -1$. In the next state the best q-value is 10. With $\gamma = 0.9$ the target
# is $-1 + 0.9 \cdot 10 = 8$, and with $\alpha = 0.5$ the new entry is $0.5 \cdot 5 + 0.5 \cdot 8 = 6.5$.
#
# If both sides agree in every state, the ledger is right: $Q(S, A)$ *is* the reward plus the
# discounted worth of what comes next. That is the **Bellman equation**, and the rule above moves one
# entry a step closer to it.
#
# One exception: where the episode **terminates**, nothing comes after, so the target is the reward alone. This is a classic bug; the check looks for it.
#
# ### Exercise 1.2 - the update rule (5 min, difficulty 2 of 3)
#
# Return the new q-value, a `float`. `q_value` is $Q(S,A)$, `next_q_values` the row $Q(S', \cdot)$ of shape `(4,)`, `terminated` is `True` on the cheese. In code $\alpha$ is called `learning_rate`. (TD stands for *temporal difference*: two guesses, one step apart.)
#
# <details><summary>Hint</summary>
#
# The best next q-value is `next_q_values.max()`. `(not terminated)` counts as 1 or 0 in a product, so it can switch the future off.
# </details>


# %%
# EXERCISE 1.2
def td_update(q_value, reward, next_q_values, terminated, *, learning_rate, gamma):
    """Move a q-value towards its target and return the new one."""
    # BEGIN SOLUTION
    target = reward + gamma * (not terminated) * next_q_values.max()
    return (1 - learning_rate) * q_value + learning_rate * target
    # END SOLUTION


# %%
td_update = checks.check_td_update(td_update)

# %% [markdown]
# What does this rule do, used again and again? Before its first cheese the ledger knows only costs.
# At the cheese, one entry jumps. The next time the mouse reaches the cell before it, the news
# travels one cell further. So the worth of the cheese spreads from the end to the start, one cell
# per visit. Where ways are long that is slow. Notebook 03 has a setting for it, `n_step`: a target
# that adds up three real rewards before it asks the ledger carries the news three cells at a time.
#
# *26 min so far*
#
# ## 7 Learning, one episode at a time
#
# ### Exercise 1.3 - one episode of learning (6 min, difficulty 2 of 3)
#
# Put both together. Walk one episode: pick an action, take the step, update the ledger entry, and move on; return the plain sum of the rewards.
# `env.reset()` gives `obs, info`, `env.step(action)` gives `next_obs, reward, terminated, truncated, info`.
# The loop ends when `terminated or truncated`; the update only asks for `terminated`, because a mouse stopped by our clock *would* have walked on.
#
# <details><summary>Hint</summary>
#
# Inside the loop: `q_table[obs, action] = td_update(q_table[obs, action], reward, q_table[next_obs], terminated, learning_rate=..., gamma=...)`, and only then `obs = next_obs`.
# The walk of the random mouse above has the same shape.
# </details>


# %%
# EXERCISE 1.3
def learn_episode(env, q_table, *, learning_rate, gamma, epsilon, rng):
    """Walk one episode, update q_table in place after each step, return the return."""
    # BEGIN SOLUTION
    obs, _ = env.reset()
    total, done = 0.0, False
    while not done:
        action = epsilon_greedy(q_table[obs], epsilon, rng)
        next_obs, reward, terminated, truncated, _ = env.step(action)
        q_table[obs, action] = td_update(
            q_table[obs, action],
            reward,
            q_table[next_obs],
            terminated,
            learning_rate=learning_rate,
            gamma=gamma,
        )
        obs, done = next_obs, terminated or truncated
        total += reward
    return total
    # END SOLUTION


# %%
learn_episode = checks.check_learn_episode(learn_episode)

# %% [markdown]
# ### Watch it learn, with your code
#
# Every cell of the maze shows its four q-values as four triangles, each on the side that its action
# leads to; bright is high. The arrow is the policy: the best action so far. White cells still hold
# what the empty ledger held. Again it takes 10 to 20 seconds. `Footprints` notes where the mouse was.

# %% your-mouse-learns tags=["picture"]
q_table = np.zeros((env.observation_space.n, env.action_space.n))
rng = np.random.default_rng(SEED)
returns = []

watched = Footprints(env)

with widgets.LiveWalk(draw, figsize=(11, 4), min_interval_s=0.7) as live:
    for episode in range(sizes.live_episodes):
        returns.append(learn_episode(watched, q_table, rng=rng, **usual))
        live.update(q_table, returns, watched.path)
        time.sleep(sizes.pause_s)

# %% [markdown]
# Notice where the bright colour starts, and along which cells it creeps. Do the arrows really lead
# along the shortest path? Follow them without exploring (epsilon 0), and compare with the map's own
# shortest path. The mouse walks it for you.

# %%
states = tabular.greedy_path(q_table, env, rng)
path = [maze.cell(state) for state in states]
widgets.show_walk(
    lambda figure: plots.draw_policy(q_table, maze, ax=figure.subplots()), (7, 4), path
)
plots.reading(
    f"the learned path has {len(path) - 1} steps, the shortest possible {maze.shortest_steps}."
)

# %% [markdown]
# Here is the end of that path in the ledger. Read it from the bottom: once the cheese was found
# often enough, the last step is worth 20, and each step before it a little less.

# %%
ledger(q_table, states[:-1]).assign(cell=path[:-1]).tail(6)

# %% [markdown]
# ### Race it
#
# Yours is the blue mouse. Whenever you take a step, the orange one takes a step of the path above.
# You see the map, and it never did. Who needs fewer steps?

# %%
race = widgets.play_maze(gym.make("course/Maze-v0"), rival=path)

# %% [markdown]
# *36 min so far*
#
# ## 8 What the ledger knows, and what it does not
#
# With the map one can *compute* what each cell is worth, without a single walk: go through all cells
# and let the Bellman equation correct each, again and again, until nothing changes. That is **value
# iteration**, the result is written $V^*$, and it needs the model that the mouse does not have. Here
# it is the judge. Left, the worth that the ledger gives to each cell; in the middle, the truth;
# right, how often the mouse stood there.

# %%
learned = q_table.max(axis=1)
truth = planning.best_values(env.unwrapped.model(), usual["gamma"])
figure, axes = plt.subplots(1, 3, figsize=(12, 3), layout="constrained")
plots.draw_cells(learned, maze, ax=axes[0]).set_title("the ledger: best q-value")
plots.draw_cells(truth, maze, ax=axes[1]).set_title("the truth: V*")
look = {"cmap": "Greys", "limits": None, "words": "{:.0f}"}
plots.draw_cells(watched.visits, maze, ax=axes[2], **look).set_title("visits")
plt.show()

free = np.array([maze.state(cell) for cell in maze.find(".") + maze.find("S")])
right = np.isclose(learned, truth, atol=0.1)
worst = free[np.argmax(np.abs(truth - learned)[free])]
plots.reading(
    f"{right[free].sum()} of {len(free)} cells are right to 0.1; on the path of {len(path) - 1} "
    f"steps {right[states[:-1]].sum()} are. Farthest off is {maze.cell(worst)}: the ledger says "
    f"{learned[worst]:.1f}, the truth is {truth[worst]:.1f}, after {watched.visits[worst]} visits."
)

# %% [markdown]
# **The ledger is right only along the ways that the mouse walks.** Elsewhere it holds old, low notes,
# from before the news of the cheese came by. Many visits alone do not help, as the cells to the
# right of the start show: what counts are visits *after* the news has reached a neighbour. And the
# cell below the cheese, (5, 7), is never visited: the only way there leads over the cheese, where
# every walk ends.
#
# Cell (2, 2) is a good example: is it a dead end? A dead end has one way out:

# %%
exits = {cell: sum(maze.move(cell, a) != cell for a in range(4)) for cell in map(maze.cell, free)}
print("one way out:", [tuple(map(int, cell)) for cell, ways in exits.items() if ways == 1])
for cell in ((2, 2), maze.start):
    print(f"{cell}: truth {truth[maze.state(cell)]:.1f}, ledger {learned[maze.state(cell)]:.1f}")

# %% [markdown]
# (2, 2) is not among them. It lies on the other way round, 15 steps against 13, and is truly worth
# more than the start: it is closer to the cheese. A mouse that knows one good way has little reason
# to find that out. It does not need to: for a good walk the ledger must be right along the way, and
# not too high beside it.
#
# *39 min so far*
#
# ## 9 Was it luck?
#
# One mouse, one seed: perhaps it was lucky. So let 20 mice learn side by side, each with its own random choices (`tabular.q_learning_many` does the same updates for all mice in one numpy step).


# %%
def train_mice(env, num_episodes, rng, **settings):
    """Train many mice at once; return their tables and the returns of their episodes."""
    sizes_of_all = {"num_seeds": sizes.num_seeds, "num_episodes": num_episodes}
    start = env.maze.state(env.maze.start)
    world = SideBySide(env.model(), start, max_steps=env.max_steps, rng=rng, **sizes_of_all)
    return tabular.q_learning_many(world, **settings)


def count_shortest(tables, env, rng):
    """How many of these ledgers lead along a shortest path?"""
    lengths = [len(tabular.greedy_path(table, env, rng)) - 1 for table in tables]
    return int(np.sum(np.array(lengths) == env.maze.shortest_steps))


# %% [markdown]
# The line is the median mouse, the band holds the middle 80% of the mice.

# %%
tables, curves = train_mice(env.unwrapped, sizes.num_episodes, rng, **usual)
plots.plot_band(curves, label="Q-learning", floor=floor, ceiling=ceiling)
plt.show()
found = count_shortest(tables, env.unwrapped, rng)
plots.reading(
    f"{found} of {len(tables)} mice end with a shortest path; the median return of the last "
    f"20 episodes is {np.median(curves[:, -20:]):g}."
)

# %% [markdown]
# Where a line ends a little below the ceiling although the mice know the way, it is because they
# still explore: with epsilon 0.1 they take a random action in one step of ten, and most of those
# cost.
#
# ## 10 Turn the knobs
#
# ### Exercise 1.4 - which settings fail (3 min, difficulty 1 of 3)
#
# A prediction, before you touch a slider. Start from learning rate 0.5, discount 0.95, epsilon 0.1 and change *one* of them. Under which of these will fewer than half of the mice know a shortest path after 80 episodes?
# Return a set with the names of those that fail:
# `"epsilon 0"`, `"epsilon 1"`, `"discount 0"`, `"discount 1"`, `"learning rate 0"`, `"learning rate 0.05"`, `"learning rate 1"`.
#
# <details><summary>Hint</summary>
#
# Ask of each: does the news of the cheese still reach the start, one cell per visit, and how much of it arrives? With learning rate 0.05 an entry moves a twentieth of the way each time.
# Walking badly and knowing badly are two things: the ledger learns the best way from a bad walk, too.
# </details>


# %%
# EXERCISE 1.4
def failing_settings():
    """Names of the settings under which most mice do not learn a shortest path."""
    # BEGIN SOLUTION
    return {"discount 0", "learning rate 0", "learning rate 0.05"}
    # END SOLUTION


# %%
failing_settings = checks.check_failing_settings(failing_settings)

# %% [markdown]
# Now see for yourself. Each change trains 20 new mice, usually in less than a second; the title says
# how many of them end with a shortest path. The fourth slider says what the *empty* ledger holds: so
# far it was 0. What will 20 do, and what -25? Decide before you move it.


# %%
def retrain(figure, learning_rate, discount, epsilon, initial_value):
    rng = np.random.default_rng(SEED)
    settings = {"learning_rate": learning_rate, "gamma": discount, "epsilon": epsilon}
    settings["initial_value"] = initial_value
    tables, curves = train_mice(env.unwrapped, sizes.slider_episodes, rng, **settings)
    left, right = figure.subplots(1, 2, width_ratios=[3, 2])
    plots.plot_band(curves, floor=floor, ceiling=ceiling, ax=left)
    plots.draw_policy(tables[0], maze, ax=right)
    found = count_shortest(tables, env.unwrapped, rng)
    left.legend(loc="center right", fontsize="small")
    left.set_title(f"{found} of {len(tables)} mice know a shortest path")
    right.set_title("the first mouse's ledger")


widgets.explore(
    retrain,
    figsize=(12, 4),
    learning_rate=ipywidgets.FloatSlider(value=0.5, min=0, max=1, step=0.05),
    discount=ipywidgets.FloatSlider(value=0.95, min=0, max=1, step=0.05),
    epsilon=ipywidgets.FloatSlider(value=0.1, min=0, max=1, step=0.05),
    initial_value=ipywidgets.FloatSlider(value=0, min=-30, max=20, step=5),
)

# %% [markdown]
# **Epsilon 0 is no failure here.** Every step costs, so an entry that was tried soon falls below those
# that were not, and the mouse explores by itself. A start that draws the agent to what it does not know
# is called **optimistic**. It need not promise more than the truth: the true values of section 8 are
# above 0 in every cell, so zeros promise *less*. They only have to promise more than what was tried,
# until the news of the cheese arrives.
#
# How low may it be? Walking about for ever at discount 0.95 is worth
# $-1 - 0.95 - 0.95^2 - \dots = -1 / (1 - 0.95) = -20$. Begin above that, and whatever was tried still
# falls below the rest. Begin at -25, and a step that was tried looks *better* than the untried ones:
# the mouse repeats it: with epsilon 0 no mouse finds the way, with 0.1 hardly one. At exactly -20 chance decides. Where rewards are
# never negative the zeros do not help either (see "Try next").
#
# Epsilon 1 shows the reverse: a curve as low as the random mouse's, from mice most of which know the
# way.
#
# *50 min so far*
#
# ## 11 For the quick, or for home
#
# ### Exercise 1.5 - the cheese from afar (5 min, difficulty 2 of 3)
#
# What *should* the ledger say? Standing `steps` steps away from the cheese and walking straight to it, the rewards are -1, -1, ..., +20. What is their
# discounted sum, with the first reward counted once, the second gamma times, the third gamma² times? Two steps away with gamma 0.9: -1 + 0.9 · 20 = 17.
#
# <details><summary>Hint</summary>
#
# One step away it is 20. Each further step away: -1 + gamma · (the worth one step nearer).
# </details>


# %%
# EXERCISE 1.5
def worth_from_afar(steps, gamma):
    """Discounted return of walking `steps` steps straight to the cheese."""
    # BEGIN SOLUTION
    worth = 20.0
    for _ in range(steps - 1):
        worth = -1 + gamma * worth
    return worth
    # END SOLUTION


# %%
worth_from_afar = checks.check_worth_from_afar(worth_from_afar)

# %% [markdown]
# Theory against practice: the exact worth at the start, which is also what value iteration found,
# and what the 20 ledgers say. (The ceiling of the figures is another number: the plain sum of the
# same rewards, not discounted.)

# %%
exact = worth_from_afar(maze.shortest_steps, gamma=0.95)
starts = tables[:, maze.state(maze.start)].max(axis=1)
print(f"exact {exact:.3f}, V* {truth[maze.state(maze.start)]:.3f}")
print(f"the ledgers lie between {starts.min():.3f} and {starts.max():.3f}")

# %% [markdown]
# ### Any maze
#
# Nothing in the agent knows this maze. Move the sliders: another seed draws another maze, with traps (the crosses: -20, and the episode is over) if you like.


# %%
def any_maze(figure, seed, size, traps):
    rng = np.random.default_rng(seed)
    new = MazeEnv(random_maze(size, size + 2, rng, num_traps=traps))
    tables, _ = train_mice(new, sizes.num_episodes, rng, **usual)
    ax = plots.draw_policy(tables[0], new.maze, ax=figure.subplots())
    found = count_shortest(tables, new, rng)
    ax.set_title(f"{found} of {len(tables)} mice know the way of {new.maze.shortest_steps} steps")


widgets.explore(
    any_maze,
    figsize=(9, 6),
    seed=ipywidgets.IntSlider(value=SEED, min=0, max=99),
    size=ipywidgets.IntSlider(value=6, min=3, max=12),
    traps=ipywidgets.IntSlider(value=2, min=0, max=6),
)

# %% [markdown]
# ## Summary
#
# * An agent learns from rewards: no map, no right answers. A ledger of q-values says how much
#   discounted return each action promises in each state.
# * After every step one entry moves towards `reward + gamma * max(next q-values)`. Where the episode terminates, towards the reward alone.
# * The ledger is right where the mouse walks, and only there.
# * Epsilon trades exploring for exploiting; a curve made while exploring lies below what the agent knows.
# * A learning curve needs a floor, a ceiling and several seeds.
#
# What you wrote is **Q-learning** (1989). Its relatives: **SARSA** uses the q-value of the action it
# really takes next, instead of the best one. **Q(λ)** spreads the news over many cells at once, and
# **Monte Carlo** methods wait for the end of the episode. **Dynamic programming**, of which value
# iteration is one kind, needs the model. **DQN** puts a neural network where the table was: that is
# notebook 03. **DDPG** does so for actions that are numbers.
#
# ## Common mistakes
#
# * Future rewards after the end. In a table it often goes unnoticed, because the row of the cheese stays zero; with a network (notebook 03) it does not. Multiply by `(not terminated)`.
# * Treating a time limit as an end: the last step of a long walk then looks as if nothing came after it.
# * `np.argmax` for ties: the mouse prefers "up" because it is the first in the row.
# * Believing the ledger where the mouse hardly ever was.
# * Judging by one run, or by the curve of an exploring agent.
#
# ## Try next
#
# * Draw your own maze: `MazeEnv("S..\n.#.\n..C")`. Which mazes are hard for the mouse, which for you?
# * Let epsilon fall from 1 to 0 over the episodes. Does the curve reach the ceiling?
# * Give the step onto the cheese +1 and all others 0: `gym.wrappers.TransformReward(env, lambda reward:
#   float(reward > 0))`. What does the mouse lose?
#
# ## References
#
# * R. Sutton, A. Barto: *Reinforcement Learning: An Introduction*, 2nd edition, 2018, sections 2.6 (optimistic
#   starts), 4.4 (value iteration), 6.4 to 6.5.
# * C. Watkins, P. Dayan: *Q-learning*. Machine Learning 8, 1992.
