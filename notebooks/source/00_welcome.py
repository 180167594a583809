# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 00 Welcome and preflight
#
# **Is this machine ready, and what are an agent, an environment and a Ray task?**
#
# At the end you will be able to
#
# * say whether your machine is ready for the day, and mend what is not;
# * name what passes between an agent and an environment, and compute a return;
# * turn a Python function into a Ray task and a class into a Ray actor;
# * say when running things in parallel pays, and when it does not.
#
# **Time:** 30 minutes, of which the machine computes about 1.5.
#
# **Needed:** Python functions, classes and loops. **Not needed:** anything about reinforcement
# learning or Ray.
#
# *New to notebooks? Click into a cell and press Shift+Enter: it runs, and the next one is
# selected.*

# %% [markdown]
# ## 1 Is this machine ready?
#
# The next cell looks at this machine, item by item. It takes about 15 seconds, most of it to start
# Ray once, as a trial.

# %%
from course_lib import preflight

report = preflight.run()

# %% [markdown]
# Every line starts with a word: `ok`, `note` (it works, but slower or not quite as planned) or
# `FAIL`. A line that is not `ok` carries a **fix**. Do that, then run the cell again. You can read
# on with a `note`; with a `FAIL`, ask for help now rather than later.
#
# The same in a terminal: `python -m course_lib.preflight`.
#
# *3 min so far*

# %% [markdown]
# ## 2 What the day holds
#
# <!-- table of lessons -->
#
# Exercises look like the three below. You fill in a function, and the cell after it checks your
# work at once. An exercise that you leave out never blocks you: the check says so, and the
# notebook goes on with the course's own version.

# %%
import time

import gymnasium as gym
import matplotlib.pyplot as plt
import numpy as np

from course_lib import plots, profiles
from course_lib.checks import welcome as checks
from course_lib.clock import clock
from course_lib.cluster import connect

# %%
SEED = 7
profile = profiles.current()
sizes = profile.welcome
print(f"profile {profile.name}: {sizes}")

# %% [markdown]
# *The line above shows the sizes that this notebook uses. The profile is `laptop` unless the
# environment variable `COURSE_PROFILE` says otherwise.*
#
# ## 3 Agent and environment in ten lines
#
# **Reinforcement learning** is learning by trial and error. Nobody shows the right action. There
# is only a number, the **reward**, and often it comes late.
#
# * The **environment** is the world: a maze, a game, a market.
# * The **agent** is what decides.
#
# Ours for now is [CartPole](https://gymnasium.farama.org/environments/classic_control/cart_pole/):
# a pole stands on a cart, and the agent pushes the cart to the left or to the right to keep the
# pole up.

# %%
env = gym.make("CartPole-v1", render_mode="rgb_array")
obs, info = env.reset(seed=SEED)
plots.draw_loop(env.render())
plots.reading(
    "the agent sends an action; the environment answers with an observation and a reward."
)

# %% [markdown]
# In code the loop is ten lines. The agent below knows nothing: it draws each action at random.

# %%
env.action_space.seed(SEED)
obs, info = env.reset(seed=SEED)
terminated = truncated = False
step = 0
while not (terminated or truncated):
    action = env.action_space.sample()
    obs, reward, terminated, truncated, info = env.step(action)
    step += 1
    print(f"{step:2}: {action=:d} {reward=:g} {terminated=} {truncated=} obs={np.round(obs, 2)}")

# %% [markdown]
# Read the last line of the output: `terminated=True`. The pole fell, and the **episode** is over.
# The words, as Gymnasium uses them:
#
# | word | meaning | here |
# |---|---|---|
# | `obs`, observation | what the agent sees | place and speed of cart and pole |
# | `action` | what the agent does | 0 push left, 1 push right |
# | `reward` | one number per step | 1 for every step, the one in which the pole falls included |
# | `terminated` | the task itself has ended | the pole fell, or the cart left the track |
# | `truncated` | somebody stopped the clock | 500 steps are over |
# | **return** | the sum of the rewards of an episode | how long the pole stood |
#
# Keep `terminated` and `truncated` apart: after the first, nothing more can come; after the
# second, there was more to come. From notebook 01 on it matters.
#
# *8 min so far*

# %% [markdown]
# ### Exercise 0.1 - the return of an episode (3 min, difficulty 1 of 3)
#
# Write `episode_return(env, choose_action)`. It plays **one** episode and returns the **sum of its
# rewards**. `choose_action` takes an observation and returns an action.
#
# Worked example: rewards 1, -2 and 0.5 give a return of 1 - 2 + 0.5 = -0.5.
#
# <details><summary>Hint</summary>
#
# Take the loop above, without the print. Begin with `obs, info = env.reset()` and a sum of 0. In
# each step call `choose_action(obs)` with the newest observation, and add the reward.
#
# </details>


# %%
# EXERCISE 0.1
def episode_return(env, choose_action):
    # BEGIN SOLUTION
    obs, info = env.reset()
    total = 0.0
    terminated = truncated = False
    while not (terminated or truncated):
        obs, reward, terminated, truncated, info = env.step(choose_action(obs))
        total += reward
    return total
    # END SOLUTION


# %%
episode_return = checks.check_episode_return(episode_return)

# %% [markdown]
# A **policy** is a rule that turns an observation into an action. Here are three, with their mean
# return over 20 episodes: one draws at random, one pushes towards the side to which the pole leans,
# `obs[2]`, and the third is yours: it may also look at `obs[3]`, the speed at which the pole turns.
# **Can you write one line that never drops the pole (2 min)?** Change `yours`, and run the cell
# again. An action is the number 0 or 1, an `int`: hence `int(...)`, because a comparison alone gives
# `True` or `False`.

# %%
policies = {
    "random": lambda obs: env.action_space.sample(),
    "lean": lambda obs: int(obs[2] > 0),
    "yours": lambda obs: int(obs[2] + 0 * obs[3] > 0),
}
for name, policy in policies.items():
    returns = [episode_return(env, policy) for _ in range(20)]
    print(f"{name:7} mean return {np.mean(returns):5.1f} of at most 500")

# %% [markdown]
# <details><summary>One line that scores 500</summary>
#
# `int(obs[2] + 0.5 * obs[3] > 0)`: push to the side to which the pole *will* lean in a moment. It
# keeps the pole up for all 500 steps, in every episode that we tried.
#
# </details>
#
# So CartPole is easy for somebody who knows which number is the angle, which is its speed, and what
# a push does. An agent is told none of this: it gets four numbers without names, and a reward. When
# the agent of notebook 03 balances the pole, that is its pride: not the 500, but that nobody told it
# how.
#
# *14 min so far*
#
# ## 4 Ray in five minutes
#
# An agent learns from many episodes, and a good setting is found by many trials. **Ray** runs such
# work on all cores of a machine, or on many machines, from ordinary Python. Ray Tune (notebook 02)
# and RLlib (notebooks 03 and 04) are built on it.
#
# `connect()` looks for a cluster that you were given: in `RAY_ADDRESS`, or in
# `RAY_HEAD_SERVICE_HOST` and `RAY_HEAD_SERVICE_PORT`. If there is none, it starts Ray on this
# machine, where nobody else can reach it. That takes 5 to 15 seconds. `dashboard=True` also starts
# Ray's web page about itself; the later notebooks do without it and start faster.

# %%
cluster = connect(dashboard=True)
cluster

# %% [markdown]
# Running the cell again does no harm: it uses the Ray that is there.
#
# ### Tasks
#
# `@ray.remote` turns a function into a **task**. Calling `.remote(...)` starts it in another
# process and returns at once, with an **object reference**: a claim ticket for a value that may
# not exist yet. `ray.get` waits for the value and fetches it.

# %%
import ray


@ray.remote
def make_array(size, value):
    return np.full(size, value)


@ray.remote
def add_arrays(left, right):
    return left + right


first, second = make_array.remote(4, 20), make_array.remote(4, 22)
total = add_arrays.remote(first, second)
print("a reference:", total)
print("its value:  ", ray.get(total))

# %% [markdown]
# `add_arrays` was given two *references*. Ray waited for both arrays and handed them over without
# a detour through this notebook.
#
# ### Exercise 0.2 - a function becomes a task (3 min, difficulty 2 of 3)
#
# Write `play_in_parallel(function, seeds)`. It calls `function(seed)` once for each seed, **each
# call as a Ray task, all at the same time**, and returns the results as a list, in the order of the
# seeds.
#
# Worked example: for a function that squares, `play_in_parallel(square, [3, 1, 2])` gives `[9, 1,
# 4]`.
#
# <details><summary>Hint</summary>
#
# `ray.remote(function)` does the same as the decorator. Collect the references of all calls in a
# list first. `ray.get` takes a list, too. What would happen if you called `ray.get` inside the
# loop?
#
# </details>


# %%
# EXERCISE 0.2
def play_in_parallel(function, seeds):
    # BEGIN SOLUTION
    task = ray.remote(function)
    references = [task.remote(seed) for seed in seeds]
    return ray.get(references)
    # END SOLUTION


# %%
play_in_parallel = checks.check_play_in_parallel(play_in_parallel)

# %% [markdown]
# *19 min so far*
#
# ### Does it pay?
#
# The job below plays thousands of CartPole episodes with random actions: work that keeps one core
# busy. It reports when it began and ended, and in which process.

# %%
import os


def play(seed, num_episodes=sizes.num_episodes):
    start = time.time()
    env = gym.make("CartPole-v1")
    env.action_space.seed(seed)
    env.reset(seed=seed)
    done = 0
    while done < num_episodes:
        _, _, terminated, truncated, _ = env.step(env.action_space.sample())
        if terminated or truncated:
            done += 1
            env.reset()
    return start, time.time(), os.getpid()


# %% [markdown]
# First one job after the other, then as Ray tasks. Before the clock runs, each process plays one
# episode, so that it has Gymnasium loaded: we compare the work, not the start.

# %% tags=["picture"]
seeds = list(range(SEED, SEED + sizes.num_jobs))

print("Starting the processes, usually 1 to 5 seconds ...", flush=True)
play_in_parallel(lambda seed: play(seed, num_episodes=1), seeds)
runs = {"one after the other": []}
with clock("one after the other", total=len(seeds), unit="job") as bar:
    for seed in seeds:
        runs["one after the other"].append(play(seed))
        bar.update()
with clock("as Ray tasks"):
    runs[f"Ray, {cluster.num_cpus} cores"] = play_in_parallel(play, seeds)
plots.plot_timeline(runs)
plt.show()
took = [max(job[1] for job in jobs) - min(job[0] for job in jobs) for jobs in runs.values()]
plots.reading(f"{took[0]:.1f} s became {took[1]:.1f} s: {took[0] / took[1]:.2f} x.")

# %% [markdown]
# Compare the printed factor with the number of cores. About that number is the most that can be
# had, and often it is less: the notebook, Ray itself and your browser want cores too, and a
# laptop's cores slow down when all of them work.
#
# Now the same with jobs that have next to nothing to do.


# %%
def tiny(seed):
    return seed + 1


numbers = list(range(sizes.num_tiny))
start = time.perf_counter()
plain = [tiny(number) for number in numbers]
middle = time.perf_counter()
with_ray = play_in_parallel(tiny, numbers)
end = time.perf_counter()
print(f"plain Python {(middle - start) / len(numbers) * 1e6:10.2f} microseconds a call")
print(f"Ray tasks    {(end - middle) / len(numbers) * 1e6:10.2f} microseconds a call")

# %% [markdown]
# Sending a task out and its result back costs something each time. **A task should have much more
# to do than its trip costs.** As long as a loop is fast enough, leave it a loop: do not distribute
# until you have a reason that you can measure.

# %% [markdown]
# *23 min so far*
#
# ### Actors
#
# A task forgets everything when it ends. An **actor** is an object that lives in a process of its
# own, remembers, and serves everybody who holds its handle. Its methods run one after another, so
# two callers cannot get in each other's way.


# %% counter
@ray.remote
class Counter:
    def __init__(self):
        self.value = 0

    def increment(self):
        self.value += 1
        return self.value


counter = Counter.remote()
print(ray.get([counter.increment.remote() for _ in range(5)]))

# %% [markdown]
# ### Exercise 0.3 - a class becomes an actor (3 min, difficulty 2 of 3)
#
# Write the class `Scoreboard`, to which many tasks report the returns of their episodes:
#
# * `report(episode_return)` takes one return;
# * `best()` gives the highest return so far;
# * `num_reports()` says how many were reported.
#
# Worked example: after reports of -5, -3 and -9, `best()` is -3 and `num_reports()` is 3. It is an
# ordinary class; the cell after the check turns it into an actor.
#
# <details><summary>Hint</summary>
#
# Set two attributes of `self` in `__init__`. Returns can be below zero, so the best must not begin
# at 0: `-float("inf")` is below everything.
#
# </details>


# %%
# EXERCISE 0.3
class Scoreboard:
    def __init__(self):
        # BEGIN SOLUTION
        self._best = -float("inf")
        self._num_reports = 0
        # END SOLUTION

    def report(self, episode_return):
        # BEGIN SOLUTION
        self._best = max(self._best, episode_return)
        self._num_reports += 1
        # END SOLUTION

    def best(self):
        # BEGIN SOLUTION
        return self._best
        # END SOLUTION

    def num_reports(self):
        # BEGIN SOLUTION
        return self._num_reports
        # END SOLUTION


# %%
Scoreboard = checks.check_scoreboard(Scoreboard)

# %% [markdown]
# Tasks and an actor together: four tasks play, and all report to one board. This is the shape of
# distributed training: many players, one place where it comes together.

# %%
board = ray.remote(num_cpus=0)(Scoreboard).remote()


def play_and_report(seed):
    env = gym.make("CartPole-v1")
    env.action_space.seed(seed)
    for _ in range(50):
        episode = episode_return(env, lambda obs: env.action_space.sample())
        ray.get(board.report.remote(episode))


play_in_parallel(play_and_report, seeds)
reports, best = ray.get([board.num_reports.remote(), board.best.remote()])
print(f"{reports} episodes were reported, the best return was {best:g}")

# %% [markdown]
# *28 min so far*
#
# ### Resources (at home, or when something waits)
#
# `num_cpus=0` above says that the board needs no core of its own: it mostly waits. A task takes
# one core unless you say otherwise, in the decorator: `@ray.remote(num_cpus=2)`, or
# `@ray.remote(num_gpus=1)` for a GPU. These are bookings, not limits. **A task that asks for more
# than the cluster has waits for ever, and nothing tells you.** `cluster.fit` says beforehand what
# fits:

# %%
at_once = cluster.fit(100, cpus_each=0.5)
at_once

# %% [markdown]
# ### The dashboard (at home, or when you wonder what Ray does)
#
# Ray shows in the browser what it is doing. The link is in the table that `connect()` gave, and
# here:

# %%
print(cluster.dashboard_url or "This Ray runs without a dashboard.")

# %% [markdown]
# * **Cluster**: the machines, and how much of their cores, memory and GPUs is in use. Look here
#   first when something is slow.
# * **Jobs**: each program that uses this Ray, its tasks, and what failed.
# * **Actors**: which actors live, where, and since when. Find your `Counter`.
# * **Logs**: what every process wrote, errors included.
#
# It asks for a token once, so that nobody else can use your Ray. On this machine the token is the
# line in the file `.ray/auth_token` in your home folder. On a hosted Jupyter the link leads
# nowhere unless the host passes it on; ask whoever runs it.
#
# Every notebook starts its own local Ray. Let this one go before you open the next, to have all
# cores there:

# %%
cluster.disconnect()

# %% [markdown]
# ## Summary
#
# * Agent and environment exchange **action**, **observation** and **reward**, step by step, until
#   the episode has **terminated** or was **truncated**.
# * The **return** is the sum of an episode's rewards. A **policy** turns an observation into an
#   action.
# * A Ray **task** is a function that runs elsewhere; an **actor** is an object that lives
#   elsewhere; a **reference** stands for a value to come.
# * Parallel work pays when each piece is large compared with the cost of sending it.
#
# ## Common mistakes
#
# * `ray.get` inside the loop that starts the tasks: each waits for the one before, and nothing
#   runs in parallel.
# * Forgetting that the last step has a reward too.
# * Asking for more cores or GPUs than there are, and waiting.
# * Calling an actor's method without `.remote`, or `Counter()` instead of `Counter.remote()`.
#
# ## Try next
#
# * Set `seeds = range(3)` in the cell that draws the bars, and run it again; then `range(8)`. What
#   does the picture show of 3 jobs on 2 cores?
# * Which weight of `obs[3]` is too small to keep the pole up, and which too large?
# * Make `tiny` work longer (a loop of 1,000, 100,000, ...). From where on does Ray win on your
#   machine?
#
# ## References
#
# * Gymnasium, [basic usage](https://gymnasium.farama.org/introduction/basic_usage/)
# * Ray, [core concepts: tasks, actors,
#   objects](https://docs.ray.io/en/latest/ray-core/key-concepts.html)
# * R. S. Sutton and A. G. Barto, *Reinforcement Learning: An Introduction*, 2nd edition, MIT Press
#   2018, chapters 1 and 3
