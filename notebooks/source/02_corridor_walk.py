# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 02 Corridor walk
#
# **Somebody has to get down a corridor in the least time. How do you find good settings when every
# try gives a different answer?**
#
# At the end you will be able to
#
# * write an objective for Ray Tune (the function that it runs again and again), tell from what a
#   search drew what its space was, and run trials in parallel;
# * say what a trial, a search algorithm and a scheduler are, and what each decides;
# * compare searches honestly: over several seeds, with the same budget;
# * let Tune find an agent's learning rate and epsilon;
# * stop a search, resume it, and read its results in TensorBoard.
#
# **Time:** 60 minutes, of which the machine computes about 2.
#
# **Needed:** [01 Mouse and cheese](01_mouse_and_cheese.ipynb), for Q-learning. **Helpful:** the
# Ray tasks of [00](00_welcome.ipynb).

# %%
import sys
import time
from pathlib import Path

import gymnasium as gym
import matplotlib.pyplot as plt
import numpy as np
from ipywidgets import FloatSlider
from tqdm import tqdm

from course_lib import plots, profiles, widgets
from course_lib.agents import tabular
from course_lib.checks import corridor as checks
from course_lib.cluster import connect
from course_lib.envs import corridor
from course_lib.envs.corridor import walk_time, walk_times

# %%
SEED = 7
profile = profiles.current()
sizes = profile.corridor
print(f"profile {profile.name}: {sizes}")

# %% [markdown]
# ## 1 A walk, and what it costs
#
# The corridor is 30 m long. A walker's **gait** is two settings:
#
# * the **stride**, in metres per step (here 0.3 to 1.5);
# * the **pace**, in steps per second (here 0.5 to 4).
#
# Long and fast steps save time. They also cost *effort*, and with it grows the risk to stumble:
#
# $$\text{effort} = \frac{\text{stride}}{2} + \frac{\text{pace}}{6} \qquad
# \text{risk of a step} = \text{effort}^6 \text{, at most 1}$$
#
# A stumble costs 4 seconds more; the step is made all the same. Here are five walks with the same settings:

# %%
rng = np.random.default_rng(SEED)
print("risk of a step:", float(corridor.stumbling_risk(0.8, 1.8)).__round__(3))
print("five walks (s):", [round(walk_time(0.8, 1.8, rng=rng), 1) for _ in range(5)])

# %% [markdown]
# The walks differ: each stumble is chance. So one walk says little about its settings. What counts
# is the **mean** over many.
#
# ### Exercise 2.1 - the mean time of a walk (4 min, difficulty 1 of 3)
#
# Write `mean_time(stride, pace, risk, length)`: the mean seconds of a walk. A walk has `length /
# stride` steps. Each step takes `1 / pace` seconds and, with probability `risk`, 4 seconds more.
#
# Worked example: stride 0.5 m, pace 2 per second, risk 0.05, 30 m: 60 steps of 0.5 + 0.05 x 4 = 0.7
# seconds make 42 seconds.
#
# <details><summary>Hint</summary>
#
# The mean of a sum is the sum of the means: (number of steps) x (mean seconds of one step).
#
# </details>


# %%
# EXERCISE 2.1
def mean_time(stride, pace, risk, length):
    # BEGIN SOLUTION
    steps = length / stride
    return steps * (1 / pace + risk * 4)
    # END SOLUTION


# %%
mean_time = checks.check_mean_time(mean_time)

# %% [markdown]
# Does the formula agree with 20,000 walks?

# %%
risk = corridor.stumbling_risk(0.8, 1.8)
many = walk_times(0.8, 1.8, 20_000, rng=rng)
error = many.std() / np.sqrt(many.size)
print(f"formula {mean_time(0.8, 1.8, risk, 30):.2f} s")
print(
    f"walks   {many.mean():.2f} s, give or take {error:.2f} s; one walk varies by {many.std():.1f} s"
)

# %% [markdown]
# **Your guess.** Move the sliders. Each position walks 300 times: the histogram shows those walks, and
# the point on the left their mean; the square is where you are. Which gait takes the least time?

# %%
tried = []


def draw(figure, stride, pace):
    walks = walk_times(stride, pace, 300, rng=rng)
    tried.append((stride, pace, walks.mean()))
    plots.draw_guess(figure, tried, walks)


widgets.explore(
    draw,
    figsize=(9.5, 3.8),
    stride=FloatSlider(1.0, min=0.3, max=1.5, step=0.05, description="stride (m)"),
    pace=FloatSlider(1.2, min=0.5, max=4.0, step=0.1, description="pace (1/s)"),
)
plots.reading("the peaks of the histogram lie 4 s apart: one stumble more each.")

# %% [markdown]
# You have been a search algorithm: you chose settings, saw noisy measurements, and chose again. The
# numbers that are chosen before, and not learned, are hyperparameters: here stride and pace, later
# an agent's learning rate and epsilon.
#
# *10 min so far*
#
# ## 2 Grid: the first search with Tune
#
# **Ray Tune** tries many settings, side by side. Its words:
#
# | word | meaning | here |
# |---|---|---|
# | **objective** | the function that is tried; it reports how good the settings were | walks some times |
# | **config** | a dict with the settings of one try | stride, pace, number of walks |
# | **trial** | one run of the objective with one config | some walks with one gait |
# | **search space** | which configs there are | ranges of stride and pace |
# | **search algorithm** | chooses the next config | grid, random, TPE |
# | **scheduler** | decides whether a running trial goes on | none at first, then ASHA |
# | **resources** | cores and GPUs that a trial holds while it runs | 1 core |
#
# ### Exercise 2.2 - an objective that reports (5 min, difficulty 2 of 3)
#
# Write `objective(config)`. It makes its own dice with `rng = corridor.rng_for(config)`, then walks
# `config["num_walks"]` times with `config["stride"]` and `config["pace"]`. **After each walk** it
# reports the mean of the walks so far: `tune.report({"seconds": ...})`. It returns nothing.
#
# Worked example: walks of 30, 50 and 40 seconds make the reports 30, 40 and 40.
#
# <details><summary>Hint</summary>
#
# `rng = ...` stands before the loop. One walk is
# `walk_time(config["stride"], config["pace"], rng=rng)`. Keep the walks in a list.
#
# </details>

# %%
print("Loading Ray Tune, usually 2 to 5 seconds ...", flush=True)
from ray import tune

from course_lib import tuning
from course_lib.tuning.corridor import ROUND_EPISODES, QLearningTrial, StopButton


# %%
# EXERCISE 2.2
def objective(config):
    # BEGIN SOLUTION
    rng = corridor.rng_for(config)
    walks = []
    for _ in range(config["num_walks"]):
        walks.append(walk_time(config["stride"], config["pace"], rng=rng))
        tune.report({"seconds": float(np.mean(walks))})
    # END SOLUTION


# %%
objective = checks.check_objective(objective)

# %% [markdown]
# Trials run as Ray actors, so start Ray.

# %%
cluster = connect()
AT_ONCE = min(cluster.num_cpus, 4)
cluster

# %% [markdown]
# A **grid** tries all pairs of some strides and some paces. `tune.grid_search` says so in the
# search space; plain values are the same in every trial.

# %%
fixed = {"num_walks": sizes.num_walks, "seed": SEED}
grid = {
    "stride": tune.grid_search([0.3, 0.6, 0.9, 1.2, 1.5]),
    "pace": tune.grid_search([0.5, 1.67, 2.83, 4.0]),
}
live = widgets.LiveFigure(
    lambda figure, rows: plots.draw_search(figure, rows, surface=False),
    figsize=(9.5, 3.8),
    min_interval_s=1.0,
)

# %% [markdown]
# Two options matter on a small machine:
#
# * `max_concurrent_trials`: no more trials than cores at a time, so that none starves;
# * `reuse_actors=True`: the next trial takes over the process of a finished one. A new process has
#   to import everything first, which takes seconds; our walks take microseconds.
#
# `tuning.run_config` puts the results into a new folder below `results/`, and keeps Tune's tables
# out of the notebook. The search takes about 10 seconds.

# %% grid-search
with tuning.quiet():
    tuner = tune.Tuner(
        objective,
        param_space=grid | fixed,
        tune_config=tune.TuneConfig(
            metric="seconds", mode="min", max_concurrent_trials=AT_ONCE, reuse_actors=True
        ),
        run_config=tuning.run_config("grid", tuning.TrialProgress(20, live.update)),
    )
    results = tuner.fit()
live.close()

# %% [markdown]
# What did the search find? We built this corridor, so we can look at what no search can see: the true
# mean time of every gait.

# %% the-map tags=["picture"]
ax = plots.plot_trials(*tuning.frame(results)[["stride", "pace", "seconds"]].to_numpy().T)
mine = min(tried, key=lambda one: one[2])
ax.plot(*mine[:2], "s", markersize=12, markerfacecolor="none", markeredgecolor="black")
plots.reading(
    f"a valley; the star is its lowest point, the square your best guess ({mine[2]:.1f} s by 300 walks)."
)

# %% [markdown]
# At the upper right the valley's wall has a kink: there the risk has reached 1, and cannot grow.
# Compare what the search *measured* for its best config with the truth:


# %%
def report(results):
    best = tuning.frame(results).sort_values("seconds").iloc[0]
    stride, pace = best["stride"], best["pace"]
    true = float(corridor.expected_time(stride, pace))
    least = float(corridor.expected_time(*corridor.best_gait()))
    print(f"chose stride {stride:.2f} m, pace {pace:.2f} steps/s")
    print(f"measured {best['seconds']:.1f} s, truly {true:.1f} s; possible {least:.1f} s")


report(results)

# %% [markdown]
# A grid can only find what is on it. And can its measurement be believed? It is the least of many,
# and whoever is the least was more often lucky than not, whatever happened just now. Let 200 searches choose the best of 1, 2, ... 50 random
# gaits by 9 walks each, and see how much better the winner looked than it is:

# %% winners-luck
numbers, luck = (1, 2, 5, 10, 20, 50), []
for _ in tqdm(range(sizes.num_searches), desc="searches", file=sys.stdout):
    gaits = rng.uniform([0.3, 0.5], [1.5, 4.0], size=(50, 2))
    true = corridor.expected_time(*gaits.T)
    seen = np.array([walk_times(*gait, sizes.num_walks, rng=rng).mean() for gait in gaits])
    winners = [int(seen[:number].argmin()) for number in numbers]
    luck.append(true[winners] - seen[winners])
low, middle, high = np.percentile(luck, [10, 50, 90], axis=0)
_, ax = plt.subplots(figsize=(8, 3), layout="constrained")
ax.fill_between(numbers, low, high, alpha=0.25, label="8 of 10 searches")
ax.plot(numbers, middle, "o-", label="median search")
ax.axhline(0, color="grey", linestyle=":", label="honest")
ax.set(xlabel="trials to choose from", ylabel="truly - measured (s)")
ax.legend(frameon=False)
plots.reading(
    f"the best of {numbers[-1]} looks {middle[-1]:.1f} s better than it is; "
    f"in {np.mean(np.array(luck)[:, -1] > 0):.0%} of the searches it looks better at all."
)

# %% [markdown]
# *The least of noisy numbers is too low, the largest too high; the more you choose from, the more.
# So measure a winner again before you believe it. The same trap waits in 03, where an agent takes the
# largest of its noisy q-values, and in 04, where somebody picks the best of many traders.*
#
# *21 min so far*
#
# ## 3 Random search, and a smarter one
#
# Random points never repeat a stride or a pace. With 20 trials a grid tries 5 strides; a random search
# tries 20. When one setting matters much more than the other, that is an advantage.
#
# In a search space `tune.uniform(0.3, 1.5)` is a recipe: Tune draws anew for every trial. For a
# setting such as a learning rate, `tune.loguniform(0.001, 1)` draws *factors* evenly: 0.001 to 0.01 is as
# likely as 0.1 to 1.
#
# ### Exercise 2.3 - what was the search space? (6 min, difficulty 2 of 3)
#
# A colleague's search found nothing. All that is left are the values that its trials got for one
# setting, which was meant to lie from `low` to `high`, a hundred times larger or more. Write
# `how_drawn(values, low, high)`. It returns
#
# * `"the same"` if every trial got one value: somebody wrote a number, not a recipe;
# * `"outside"` if any value is below `low` or above `high`;
# * else `"evenly"` (uniform) or `"by factors"` (loguniform).
#
# How do the last two differ? Take 0.01 to 1. Drawn by factors, half of the values are below 0.1, which is
# `(low * high) ** 0.5`. Drawn evenly, how many are? The lists are long.
#
# <details><summary>Hint</summary>
#
# Evenly: (0.1 - 0.01) / (1 - 0.01) = 9%. So count the share below `(low * high) ** 0.5`, and choose a border
# between 9% and 50%.
#
# </details>


# %%
# EXERCISE 2.3
def how_drawn(values, low, high):
    # BEGIN SOLUTION
    if len(set(values)) == 1:
        return "the same"
    if min(values) < low or max(values) > high:
        return "outside"
    small = np.mean(np.array(values) < (low * high) ** 0.5)
    return "by factors" if small > 0.3 else "evenly"
    # END SOLUTION


# %%
how_drawn = checks.check_how_drawn(how_drawn)

# %% [markdown]
# Grid and random search learn nothing from the trials that are done. A **search algorithm** in
# Tune has two methods: `suggest(trial_id)` returns the next config, and
# `on_trial_complete(trial_id, result)` tells it how that went.
#
# **TPE** (from the library Optuna) draws its first 10 trials at random. Then it models where the
# good ones lie and where the others do, and suggests configs that are likely among the good and
# unlikely among the others.
#
# The next searches differ only in a few options, so put the rest into a function.

# %%
space = {"stride": tune.uniform(0.3, 1.5), "pace": tune.uniform(0.5, 4.0)}


def search(name, num_trials, num_walks=sizes.num_walks, **options):
    live = widgets.LiveFigure(
        lambda figure, rows: plots.draw_search(figure, rows, num_walks),
        figsize=(9.5, 3.8),
        min_interval_s=1.0,
    )
    options |= {"num_samples": num_trials, "reuse_actors": True}
    with tuning.quiet(), live:
        return tune.Tuner(
            objective,
            param_space=space | {"num_walks": num_walks, "seed": SEED},
            tune_config=tune.TuneConfig(metric="seconds", mode="min", **options),
            run_config=tuning.run_config(name, tuning.TrialProgress(num_trials, live.update)),
        ).fit()


# %% tpe-search
from ray.tune.search.optuna import OptunaSearch

tpe_results = search(
    "tpe",
    sizes.num_trials,
    search_alg=OptunaSearch(seed=SEED),
    max_concurrent_trials=AT_ONCE,
)
report(tpe_results)
times = tuning.frame(tpe_results)["seconds"]
plots.reading(
    f"median of the first ten trials {times[:10].median():.1f} s, of the later ones {times[10:].median():.1f} s; "
    f"the least was measured in trial {times.argmin() + 1}, "
    + ("a random one" if times.argmin() < 10 else "one that the model suggested")
)

# %% [markdown]
# *30 min so far*
#
# ## 4 Stop early
#
# Why walk 27 times with a gait that was terrible in its first 3 walks? A **scheduler** sees every
# report and has two methods: `on_trial_result` answers go on or stop, and `choose_trial_to_run`
# says which trial starts or goes on when a core is free.
#
# **Successive halving** works in *rungs*. All trials get a small budget. The best third climbs to
# the next rung and gets three times the budget; and so on.
#
# ### Exercise 2.4 - who goes on? (4 min, difficulty 2 of 3)
#
# Write `survivors(seconds, reduction_factor)`. `seconds` is a list, one mean time per trial. Return
# the **positions** (counted from 0) of the trials that go on, the best first: one in
# `reduction_factor`, rounded down, and at least one.
#
# Worked example: `survivors([50, 40, 60, 45, 70, 55], 3)` gives `[1, 3]`: two of six go on.
#
# <details><summary>Hint</summary>
#
# `np.argsort(seconds)` gives positions in order of time. Or
# `sorted(range(len(seconds)), key=lambda position: seconds[position])`.
#
# </details>


# %%
# EXERCISE 2.4
def survivors(seconds, reduction_factor):
    # BEGIN SOLUTION
    keep = max(len(seconds) // reduction_factor, 1)
    order = sorted(range(len(seconds)), key=lambda position: seconds[position])
    return order[:keep]
    # END SOLUTION


# %%
survivors = checks.check_survivors(survivors)

# %% [markdown]
# Tune's **ASHA** does this without waiting: it decides at once for each trial that reaches a rung,
# by comparing it with those that were there before. So no core stands idle; but the first at a rung
# has nobody to be compared with and always goes on, and a trial that was stopped stays stopped (the
# published ASHA pauses it, and may take it up later). `max_t` is the full budget, `grace_period` the
# first rung, both counted in reports: here, walks.
#
# Configs are drawn at random here. To say with which seed, name the generator; it takes the limit of
# trials at a time itself, because beside a generator Tune ignores `max_concurrent_trials`.

# %%
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search import BasicVariantGenerator

early_results = search(
    "asha",
    sizes.num_early,
    num_walks=sizes.max_walks,
    scheduler=ASHAScheduler(max_t=sizes.max_walks, grace_period=3, reduction_factor=3),
    search_alg=BasicVariantGenerator(random_state=SEED, max_concurrent=AT_ONCE),
)
report(early_results)

# %%
walks = tuning.curves(early_results, "seconds")
least = ("least mean time", round(float(corridor.expected_time(*corridor.best_gait())), 1))
plots.plot_rungs(walks, full=sizes.max_walks, ceiling=least)
used, plain = sum(len(curve) for curve in walks), sizes.num_early * sizes.max_walks
ended = [curve[-1] for curve in walks if len(curve) == sizes.max_walks]
plots.reading(
    f"{used} walks instead of {plain} without stopping; {len(ended)} of {len(walks)} trials ran to "
    f"the end, the slowest of them with {max(ended, default=0):.0f} s."
)

# %% [markdown]
# Each line is a trial; a cross is where ASHA stopped it. After 3 walks a mean is still noisy, so now
# and then a good trial is stopped by bad luck, and a bad one that came first goes on. That is the price.
#
# Run the search again, and other trials may be stopped, although the seed is the same: who reaches a
# rung first is a matter of milliseconds.
#
# ### One search proves nothing
#
# Which search is best? You have seen each *once*. With another seed the order may be another. So: the
# same number of walks for all (about 180), 20 seeds each, and the **true** mean time of what each chose.
#
# Starting trials would take minutes; walks take microseconds. So call the two methods of the search
# algorithms right here, without trials.


# %%
def measure(config, rng, num_walks=sizes.num_walks):
    return walk_times(config["stride"], config["pace"], num_walks, rng=rng).mean()


def truth(config):
    return float(corridor.expected_time(config["stride"], config["pace"]))


def choose(searcher, rng):
    def score(config):
        return measure(config, rng)

    configs, seconds = tuning.run_search(searcher, score, sizes.num_trials, metric="seconds")
    return truth(configs[int(np.argmin(seconds))])


# %% [markdown]
# Successive halving with your `survivors`: 27 gaits walk 3 times, 9 of them 6 times more, 3 of them
# 18 times more.


# %%
def halving(rng, seed):
    random_search = tuning.RandomSearch(space, seed)
    alive = [random_search.suggest(str(number)) for number in range(sizes.num_early)]
    total, done = np.zeros(len(alive)), 0
    for budget in (3, 9, 27):
        more = budget - done
        total += [more * measure(config, rng, more) for config in alive]
        done = budget
        keep = survivors(list(total / done), 3)
        alive, total = [alive[index] for index in keep], total[keep]
    return truth(alive[0])


# %%
grid_configs = [
    {"stride": s, "pace": p}
    for s in grid["stride"]["grid_search"]
    for p in grid["pace"]["grid_search"]
]
outcomes = {"grid": [], "random": [], "TPE": [], "halving": []}
for seed in tqdm(range(sizes.num_repeats), desc="seeds", file=sys.stdout):
    rng = np.random.default_rng([SEED, seed])
    scores = [measure(config, rng) for config in grid_configs]
    outcomes["grid"].append(truth(grid_configs[int(np.argmin(scores))]))
    outcomes["random"].append(choose(tuning.RandomSearch(space, seed), rng))
    outcomes["TPE"].append(choose(tuning.tpe_search(space, "seconds", seed=seed), rng))
    outcomes["halving"].append(halving(rng, seed))

# %%
plots.plot_outcomes(outcomes, xlabel="true mean time (s)", line=("best possible", least[1]))
medians = {name: round(float(np.median(values)), 1) for name, values in outcomes.items()}
spread = {name: np.ptp(np.percentile(values, [10, 90])) for name, values in outcomes.items()}
steady = min(spread, key=spread.get)
plots.reading(
    f"medians in seconds: {medians}; the steadiest is {steady}: "
    f"eight of ten runs lie within {spread[steady]:.1f} s."
)

# %% [markdown]
# The spread of a row says more than its median: it is what *one* search of yours can get. How often
# would one run of each have told you another order? And mind what the seeds do not change: it is always
# this corridor and this grid. Whether a point of the grid lies close to the bottom of the valley is luck
# of its own.
#
# *40 min so far*
#
# ## 5 An agent walks the corridor
#
# Now the middle of the corridor has been mopped. On wet tiles each step costs 1.5 times the effort, so
# no single gait is right for the whole way. The agent has five gaits, from creep to run. On each
# tile of 2 m it may go one notch `slower`, `keep` its gait, or go one notch `faster`. The reward is
# minus the seconds of the tile.

# %%
env = gym.make("course/Corridor-v0", render_mode="rgb_array")
env.reset(seed=SEED)
for action in (2, 2, 2, 1, 1, 0, 0, 1):
    env.step(action)
_, ax = plt.subplots(figsize=(9, 1.2), layout="constrained")
ax.imshow(env.render())
ax.axis("off")
plots.reading(
    "the wet tiles are blue, the posts are start and end; brake before the water, not in it."
)

# %% [markdown]
# Lower is better here. The line to beat is the best constant gait, and nobody gets below the best policy. We
# know the corridor's risks, so **dynamic programming** gives the best policy exactly: it works out the
# least mean time still to go, from the last tile back to the first. The agent knows nothing of this.

# %%
env = env.unwrapped
floor = ("random agent", round(env.random_time(), 1))
constant = ("best constant gait", round(env.best_constant_time(), 1))
ceiling = ("best policy", round(env.best_time(), 1))
for name, seconds in (floor, constant, ceiling):
    print(f"{name:18} {seconds:5.1f} s")

# %% [markdown]
# To beat the constant gait, an agent has to find out where the floor is wet, and to brake in time.
# Here is the Q-learning of notebook 01. The observation is one number (tile and gait), so a table will
# do. Gamma is 1: a walk ends after 15 tiles, and all of its seconds count.
#
# `env.greedy_time` gives the *exact* mean of a greedy walk, because we know the risks. Outside a toy
# nobody does: there one measures some walks, and all that section 2 said of winners holds.


# %%
def learn(learning_rate, epsilon, seed, num_rounds=sizes.agent_rounds):
    rng = np.random.default_rng([SEED, seed])
    q_table, seconds = np.zeros((env.observation_space.n, env.action_space.n)), []
    for _ in range(num_rounds):
        tabular.q_learning(
            env,
            num_episodes=ROUND_EPISODES,
            learning_rate=learning_rate,
            gamma=1.0,
            epsilon=epsilon,
            rng=rng,
            q_table=q_table,
        )
        seconds.append(env.greedy_time(q_table))
    return seconds, q_table


# %% [markdown]
# ### Exercise 2.5 - predict the learning rate (4 min, difficulty 2 of 3)
#
# In 01 learning rate 1 was as good as any. What will it do here, where the same gait on the same tile
# takes another time at every try? Predict before you look. Write `predicted()`. It returns a dict that
# gives each of the rates 0.03, 0.3 and 1.0 (epsilon 0.1, 1,200 walks) one of
#
# * `"gets there"`: in the end it walks within 5 s of the best policy;
# * `"too slow"`: it has heard the news, and hardly moved; far from the best in the end;
# * `"too hasty"`: it is quick at first, then stays about as slow as the best constant gait.
#
# <details><summary>Hint</summary>
#
# With rate 1 a q-value *is* the latest target. What was a lucky try worth then?
#
# </details>


# %%
# EXERCISE 2.5
def predicted():
    # BEGIN SOLUTION
    return {0.03: "too slow", 0.3: "gets there", 1.0: "too hasty"}
    # END SOLUTION


# %%
predicted = checks.check_predicted(predicted)

# %% rates
by_rate = {0.03: [], 0.3: [], 1.0: []}
for seed in tqdm(range(sizes.rate_seeds), desc="seeds", file=sys.stdout):
    for rate, curves in by_rate.items():
        curves.append(learn(rate, epsilon=0.1, seed=seed)[0])

# %%
episodes = np.arange(1, sizes.agent_rounds + 1) * ROUND_EPISODES
levels = {"floor": constant, "ceiling": ceiling, "ylabel": "greedy walk, mean (s)"}
_, ax = plt.subplots(figsize=(9, 3.6), layout="constrained")
for rate, curves in by_rate.items():
    lines = levels if rate == 1.0 else {}
    plots.plot_band(curves, x=episodes, label=f"rate {rate}", ax=ax, **lines)
ax.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False, fontsize="small")
ends = {rate: round(float(np.median(curves, axis=0)[-1]), 1) for rate, curves in by_rate.items()}
plots.reading(
    f"after {episodes[-1]} walks the medians of {len(by_rate[1.0])} agents each are, in seconds: {ends}; "
    f"best {ceiling[1]}."
)

# %% [markdown]
# *A small rate averages over many tries, and needs many. Rate 1 averages over none: the luckiest latest
# try looks best, and that is the trap of the winner once more.*
#
# *48 min so far*
#
# ## 6 Tune finds the agent's settings; stop, and resume
#
# Each trial is one learning rate and one epsilon. Because one agent proves nothing, each trial trains
# **several agents** and reports the mean of their greedy walks after every 150 episodes.
#
# `QLearningTrial` is a **class trainable**, an objective in the form of a class: `setup`, then `step`
# again and again, each with a report. It can also save a **checkpoint**, all that it needs to go on
# later, and load it again; the function above could not.
#
# A trial holds its **resources** while it runs: 1 core, unless you say otherwise with
# `tune.with_resources(objective, {"cpu": 2})`. Fractions share a core; a trial that asks for more than there
# is stays `PENDING` for ever, and Tune only warns.

# %%
agent_space = {
    "learning_rate": tune.loguniform(0.01, 1.0),
    "epsilon": tune.uniform(0.02, 0.8),
    "num_seeds": sizes.agent_seeds,
    "num_rounds": sizes.agent_rounds,
    "seed": SEED,
}
marks = {"best": ceiling[1], "constant": constant[1]}
live = widgets.LiveFigure(
    lambda figure, rows: plots.draw_settings(figure, rows, sizes.agent_rounds, **marks),
    figsize=(10, 3.4),
    min_interval_s=1.0,
)

# %% [markdown]
# And then somebody shuts the laptop. `StopButton` presses the notebook's stop button (■) part-way,
# after as many reports as there are trials, so that you can see what happens. Tune saves its state and
# returns.

# %% agent-stopped
began = time.perf_counter()
stop = StopButton(after=sizes.agent_trials)
watch = tuning.TrialProgress(sizes.agent_trials, live.update)
with tuning.quiet(), live:
    stopped = tune.Tuner(
        QLearningTrial,
        param_space=agent_space,
        tune_config=tune.TuneConfig(
            metric="seconds",
            mode="min",
            num_samples=sizes.agent_trials,
            scheduler=ASHAScheduler(max_t=sizes.agent_rounds, grace_period=2, reduction_factor=2),
            search_alg=BasicVariantGenerator(random_state=SEED, max_concurrent=AT_ONCE),
            reuse_actors=True,
        ),
        run_config=tuning.run_config("agent", stop, watch, keep_progress=True),
    ).fit()
clock_s = time.perf_counter() - began

# %% [markdown]
# All that is needed to go on is the experiment's folder, even in a new notebook tomorrow.
# `Tuner.restore` reads it. Finished trials stay as they are, interrupted ones go on from their last
# checkpoint, and those that had not begun begin. On a cluster elsewhere the workers need a way to
# your disk: that is `storage_filesystem`; `tuning.run_config` gives it to a new search.

# %% agent-search
began = time.perf_counter()
with tuning.quiet():
    agent_results = tune.Tuner.restore(
        stopped.experiment_path,
        trainable=QLearningTrial,
        storage_filesystem=cluster.storage_filesystem,
    ).fit()
clock_s += time.perf_counter() - began
table, rounds = tuning.frame(agent_results), tuning.curves(agent_results, "seconds")
of = {one.path: curve for one, curve in zip(agent_results, rounds, strict=True)}
table["rung"] = [of[path][:2][-1] if len(of[path]) else np.nan for path in table["path"]]
table = table.sort_values("seconds")
print(
    f"finished: {len(table)} of {sizes.agent_trials} trials; `worst` is the worst of a trial's {sizes.agent_seeds} agents"
)
table[["learning_rate", "epsilon", "seconds", "worst", "episodes"]].head(5).round(3).rename_axis(
    columns="trial"
)

# %% [markdown]
# All trials in one picture. Which of the two settings matters more here? Most trials were stopped early
# and had less time to learn, so compare them where all had the same: at ASHA's first rung, after 2
# reports.

# %%
figure = plt.figure(figsize=(10, 3.4), layout="constrained")
plots.draw_settings(figure, table.to_dict("records"), sizes.agent_rounds, **marks)
gaps = {}
for name in ("learning_rate", "epsilon"):
    high = table[name] > table[name].median()
    gaps[name] = abs(table["rung"][high].median() - table["rung"][~high].median())
plots.reading(
    "at the first rung the medians of the trials with high and with low values differ by "
    + ", ".join(f"{gap:.1f} s for {name}" for name, gap in gaps.items())
    + "."
)

# %%
plots.plot_rungs(
    rounds,
    full=sizes.agent_rounds,
    step=ROUND_EPISODES,
    xlabel="episodes of each agent",
    **levels,
)
trial_s, turns = table["time_total_s"].mean(), -(-len(table) // AT_ONCE)
plots.reading(
    f"{len(table)} trials, {AT_ONCE} at a time: {turns} turns of {trial_s:.1f} s of work make "
    f"{turns * trial_s:.0f} s; the clock said {clock_s:.0f} s."
)

# %% [markdown]
# The difference is Tune's own work: starting, saving, stopping, drawing. For trials of a second that is
# most of the time; for trials of ten minutes, nothing.
#
# **The proof.** The chosen settings were the luckiest of many. So train *fresh* agents, with seeds that
# no trial has used.

# %%
best = agent_results.get_best_result().config
chosen = {name: best[name] for name in ("learning_rate", "epsilon")}
fresh = []
for seed in tqdm(range(sizes.proof_seeds), desc="agents", file=sys.stdout):
    fresh.append(learn(**chosen, seed=1_000 + seed))

# %%
after = [seconds for seconds, _ in fresh]
ax = plots.plot_band(by_rate[0.03], x=episodes, label="rate 0.03")
plots.plot_band(by_rate[0.3], x=episodes, label="rate 0.3", ax=ax)
plots.plot_band(after, x=episodes, label="found by Tune", ax=ax, **levels)
ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=2, frameon=False)
final = np.array(after)[:, -1]
print({name: round(value, 3) for name, value in chosen.items()})
plots.reading(
    f"{np.sum(final < constant[1])} of {len(final)} fresh agents beat the best constant gait; "
    f"median {np.median(final):.1f} s, of rate 0.3 that nobody searched for {ends[0.3]:.1f} s."
)

# %% [markdown]
# What has the search gained over rate 0.3? Where the bands overlap it has confirmed a good guess; that is
# worth knowing, and no more than that.
#
# And what have they learned? One agent's gaits beside the best ones:

# %%
learned = env.gaits_of(fresh[0][1].argmax(axis=1))
optimum = env.gaits_of(env.best_policy())
plots.plot_gaits({"best policy": optimum, "one agent": learned}, env.is_wet)
agree = int(np.sum(learned == optimum))
plots.reading(f"the agent uses the best gait on {agree} of {env.num_tiles} tiles.")

# %% [markdown]
# *55 min so far*
#
# ## 7 TensorBoard
#
# Tune has written all along. Each trial has a folder with its config (`params.json`), all that it
# reported (`result.json`, `progress.csv`) and an event file for **TensorBoard**.

# %%
folder = Path(agent_results.get_best_result().path)
print(*sorted(path.name for path in folder.iterdir()), sep="\n")
print(f'\n"{sys.executable}" -m tensorboard.main --logdir "{folder.parent}"')

# %% [markdown]
# Run the last line in a terminal (in JupyterLab: File, New, Terminal) and open the address that it
# prints. Under *Time Series* find `ray/tune/seconds`: one line per trial. Under *HParams* all
# trials stand in one table, with a view of learning rate and epsilon against seconds. What is below
# `results/` can be deleted at any time.

# %%
cluster.disconnect()

# %% [markdown]
# ## Summary
#
# * A **trial** runs the objective with one config and reports a metric. The **search algorithm** chooses
#   configs; the **scheduler** decides who goes on; **resources** decide who runs at the same time.
# * Measurements are noisy. The best of many looks better than it is, the more so the more there are:
#   measure it again, with fresh seeds.
# * Compare searches over several seeds, with the same budget.
# * An agent can beat every constant gait, because what it does depends on where it is.
# * `Tuner.restore` goes on where a stopped search was.
#
# ## Common mistakes
#
# * **Trials stay PENDING**: they ask for more cores or GPUs than there are.
# * **A limit that is ignored**: `max_concurrent_trials` beside a `BasicVariantGenerator` has no effect.
# * **`mode` forgotten or wrong**: with `"max"` Tune proudly finds the slowest walk.
# * **A number instead of a recipe**: `random.uniform(0, 1)` in the search space is drawn once, and all
#   trials get the same value.
# * **A uniform learning rate**: between 0.0001 and 1, nine draws in ten are above 0.1. Use
#   `loguniform`.
# * **One seed per config**: then you choose the luckiest seed.
# * **No reports on the way**: a scheduler cannot stop what says nothing before its end.
#
# ## Try next
#
# * Give TPE 60 trials in the comparison of section 4. Who gains more from them, random or TPE?
# * Set `reuse_actors=False` for 6 trials, and look at the clock.
# * `corridor.CorridorEnv(wet=(2, 13))`: are the settings that Tune found still good?
# * Search with TPE *and* ASHA together. What does TPE hear of a trial that was stopped?
#
# ## References
#
# * Liaw et al., *Tune: A Research Platform for Distributed Model Selection and Training*, 2018.
# * Bergstra et al., *Algorithms for Hyper-Parameter Optimization*, 2011 (TPE).
# * Li et al., *A System for Massively Parallel Hyperparameter Tuning*, 2020 (ASHA).
# * Bergstra and Bengio, *Random Search for Hyper-Parameter Optimization*, 2012.
# * [Ray Tune's documentation](https://docs.ray.io/en/latest/tune/index.html)
