# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 08 Policies without q-values
#
# **What if nobody knows what an action is worth, or what the reward is?**
#
# At the end you will be able to
#
# * learn a policy directly, by making more likely what turned out well;
# * see the noise in such a gradient, and take most of it out with a baseline;
# * work PPO's clip by hand, and say what it is for;
# * train without any gradient, with one Ray task for each candidate;
# * train a reward from comparisons, as chat assistants are trained, and see what wrong answers do to it.
#
# **Time:** 75 minutes, of which the machine computes about 4.
#
# **Needed:** [03 CartPole with a DQN](03_cartpole_dqn.ipynb). **Helpful:** n steps and lambda from [06 Games and whole episodes](06_games.ipynb). Nothing here needs the network or a
# GPU; sections 3 and 4 use a local Ray.

# %%
from functools import partial

import gymnasium as gym
import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch

from course_lib import plots, profiles, widgets
from course_lib.agents import evolution, ppo, preferences
from course_lib.agents import policy_gradient as pg
from course_lib.checks import policies as checks
from course_lib.clock import clock
from course_lib.envs.animation import animate, play_frames
from course_lib.envs.rods import Rods
from course_lib.envs.rollouts import play, play_vector
from course_lib.plots import policies as pictures
from course_lib.plots.families import draw_families

# %%
SEED = 7
sizes = profiles.current().policies
ENV = "CartPole-v1"
FLOOR, CEILING = ("random", 22), ("best possible", 500)

# %% [markdown]
# ## 1 More of what turned out well
#
# Nearly every agent so far learned a number for each action, and took the largest. (PPO, seen beside the DQN in notebook 03, did not: section 3 takes it apart.) A **policy network** skips the numbers: it looks at an observation and says how likely each action should be. Its outputs can be any numbers, the **logits**; `softmax` makes probabilities of them, all above 0, with sum 1. Only differences between logits count.

# %%
logits = torch.tensor([[0.0, 0.0], [np.log(3), 0.0], [2.0, -2.0]])
table = pd.DataFrame(logits.softmax(dim=1).numpy(), columns=["left", "right"])
table.insert(0, "logits", [str(row.round(2)) for row in logits.numpy()])
table.round(3)

# %% [markdown]
# Actions are drawn with these probabilities. So there is no epsilon: as long as a policy is undecided, it explores.
#
# How does it learn? Play whole episodes. Then make each action that was taken more likely, in proportion to a **weight**: how good that turned out to be. This is REINFORCE (1992). Its loss is minus the mean of $w_t \log \pi(a_t \mid s_t)$. Rare actions are seen rarely; the logarithm makes each of their moves larger by just that factor, so on average all moves together follow the slope of the expected return. It works even if all weights are above 0: every action that was taken is pushed up, the better ones more, and as probabilities have the sum 1, the others fall.
#
# ### Exercise 8.1 - the loss (6 min, difficulty 2 of 3)
#
# Return REINFORCE's loss, one number as a tensor. `logits` has shape (B, num_actions), a row for each step; `actions` (B,) says what was taken, and `weights` (B,) how good it was: numbers from outside, also below 0. With logits 0 and 0 and weight 1 it is $-\log 0.5 = 0.693$. A gradient has to flow back to the logits, so stay with PyTorch's own functions.
#
# <details><summary>Hint</summary>
#
# `torch.distributions.Categorical(logits=logits).log_prob(actions)`, or `log_softmax(dim=1)` and `gather`.
# </details>


# %%
# EXERCISE 8.1
def log_prob_loss(logits, actions, weights):
    """Return minus the mean of log-probability times weight."""
    # BEGIN SOLUTION
    chances = torch.distributions.Categorical(logits=logits)
    return -(chances.log_prob(actions) * weights).mean()
    # END SOLUTION


# %%
log_prob_loss = checks.check_log_prob_loss(log_prob_loss)

# %% [markdown]
# With your loss, ten agents learn to balance the pole, side by side: ten networks in one, as in notebooks 05 and 06 ten tables were one array. Each plays 16 episodes, takes one step, and plays again. The weight of every step is what its whole episode returned.

# %%
NUM_AGENTS, NUM_EPISODES = 10, 16


def poles(num_agents=NUM_AGENTS, each=NUM_EPISODES):
    return gym.make_vec(ENV, num_envs=num_agents * each, vectorization_mode="vector_entry_point")


def draw_rounds(figure, rows, label):
    curves = np.array([row["returns"].mean(axis=1) for row in rows]).T
    plots.plot_band(curves, ax=figure.subplots(), label=label, floor=FLOOR, ceiling=CEILING,
                    xlabel="round of 16 episodes")  # fmt: skip


def learn(label, weigh, num_rounds=sizes.num_rounds):
    """Let ten agents learn by REINFORCE, in sight."""
    with widgets.LiveFigure(partial(draw_rounds, label=label), min_interval_s=1.0) as live:
        _, rows = pg.reinforce(
            poles(), num_agents=NUM_AGENTS, num_rounds=num_rounds, learning_rate=0.02, gamma=0.99,
            seed=SEED, weigh=weigh, loss=log_prob_loss, on_row=live.update,
        )  # fmt: skip
    if len(rows) < num_rounds:
        raise KeyboardInterrupt
    return np.array([row["returns"].mean(axis=1) for row in rows]).T


# %% whole-returns
curves = {"whole returns": learn("whole returns", pg.whole_returns)}
last = curves["whole returns"][:, -5:].mean(axis=1)
plots.reading(f"in the last rounds half of the agents are below {np.median(last):.0f} of 500.")

# %% [markdown]
# The line is the median agent, the band holds eight of ten. It learns a little, from nothing but returns; and ten agents with the same settings are far apart.
#
# *15 min so far*
#
# ## 2 The noise in it
#
# What one episode says about the slope is mostly luck. Here is how much: one policy, half trained, plays 100 episodes, and each of them alone gives an estimate of the gradient. Three weights are tried on the same episodes:
#
# * **whole returns**: as above. Each action is praised also for what came *before* it;
# * **returns to go**: only what came after it, as it cannot have caused what came before;
# * **a baseline**: what came after it, minus what came on average. An action is good if it was *better than usual*, so about half of all weights are negative.
#
# ### Exercise 8.2 - better than usual (5 min, difficulty 2 of 3)
#
# `to_go` is a numpy array with a row for each episode and a column for each step: what was still to come, and `nan` where the episode was over. Return, as a new array, how much better than the mean of its column each entry is. Episodes that are over do not count in the mean, and stay `nan`. For `[[3, 2], [1, nan]]` it is `[[1, 0], [-1, nan]]`.
#
# <details><summary>Hint</summary>
#
# `np.nanmean(..., axis=0)`.
# </details>


# %%
# EXERCISE 8.2
def advantages(to_go):
    """Return how much better than the mean of its column each entry is."""
    # BEGIN SOLUTION
    return to_go - np.nanmean(to_go, axis=0)
    # END SOLUTION


# %%
advantages = checks.check_advantages(advantages)

# %% [markdown]
# Such a difference is called an **advantage**. Why may a mean be taken off at all? It changes single moves. But averaged over the actions that the policy would draw, these changes cancel: what makes one action likelier makes the others less likely. So, over many episodes, the average of the estimates stays, and their spread shrinks.

# %% gradients
baseline = partial(pg.with_baseline, advantages=advantages)
kinds = {
    "whole returns": pg.whole_returns,
    "returns to go": pg.returns_to_go,
    "with a baseline": baseline,
}
half, _ = pg.reinforce(poles(1), num_agents=1, num_rounds=sizes.half_rounds, learning_rate=0.02,
                       gamma=0.99, seed=SEED, weigh=baseline)  # fmt: skip
dice = torch.Generator().manual_seed(SEED)
episodes = pg.play_episodes(poles(1, sizes.num_looks), half, 1, dice)
found = {name: pg.gradients(half, episodes, weigh(episodes, 0.99)) for name, weigh in kinds.items()}
found = {name: each / np.linalg.norm(each.mean(axis=0)) for name, each in found.items()}
figure = plt.figure(figsize=(11, 3.6), layout="constrained")
pictures.draw_gradients(figure, found)
plots.reading("each dot is one episode's opinion, the cross their mean; two of many directions.")

# %%
spread = {name: each.var(axis=0).sum() for name, each in found.items()}
pictures.plot_spread(spread)
needs = ", ".join(f"{name} {episodes:.0f}" for name, episodes in spread.items())
plots.reading(f"episodes for one usable estimate: {needs}.")

# %% [markdown]
# And does that show in learning? The same ten agents, with the two other weights.

# %% to-go-and-baseline
curves["returns to go"] = learn("returns to go", pg.returns_to_go)
curves["with a baseline"] = learn("with a baseline", baseline)

# %% three-weights tags=["picture"]
ax = None
for name, one in curves.items():
    last = name == "with a baseline"
    ax = plots.plot_band(one, ax=ax, label=name, floor=FLOOR if last else None,
                         ceiling=CEILING if last else None, xlabel="round of 16 episodes")  # fmt: skip
ax.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize="small", frameon=False)
means = ", ".join(f"{name} {one.mean():.0f}" for name, one in curves.items())
plots.reading(f"mean return over all rounds: {means}.")

# %% [markdown]
# *28 min so far*
#
# ## 3 Not too far at once
#
# Sixteen episodes for one small step is a waste: why not take many steps on the same episodes? Because after a few the policy is another one, and they no longer show what *it* would do. **PPO** (2017) takes many, and takes away what could be gained by moving a probability far. Let `ratio` be the new probability of what was done over the old one. It begins at 1. PPO makes the smaller of two products large: ratio times advantage, and the *clipped* ratio times advantage.


# %%
def draw_clip(figure, ratio, advantage, clip):
    pictures.draw_clip(figure, clip, ratio, advantage)


widgets.explore(
    draw_clip,
    figsize=(7, 3.4),
    ratio=ipywidgets.FloatSlider(value=1.5, min=0, max=2, step=0.1),
    advantage=ipywidgets.FloatSlider(value=1.0, min=-2, max=2, step=0.5),
    clip=ipywidgets.FloatSlider(value=0.2, min=0.1, max=0.5, step=0.1),
)

# %% [markdown]
# ### Exercise 8.3 - the clip (6 min, difficulty 2 of 3)
#
# Return PPO's objective for each step, a tensor like `ratio`: the smaller of `ratio * advantage` and the same with the ratio held between `1 - clip` and `1 + clip`. With ratio 1.5, advantage 2 and clip 0.2 it is 2.4: there is nothing more to gain. With advantage -2 it is -3: what got worse counts in full.
#
# <details><summary>Hint</summary>
#
# `torch.minimum` and `ratio.clamp(low, high)`.
# </details>


# %%
# EXERCISE 8.3
def clipped(ratio, advantage, clip):
    """Return what PPO makes large, for each step."""
    # BEGIN SOLUTION
    return torch.minimum(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage)
    # END SOLUTION


# %%
clipped = checks.check_clipped(clipped)

# %% [markdown]
# PPO also learns a **value** of each state, in a second network. An advantage is then the target of notebook 06, with lambda between 0 and 1, minus that value: the value is the baseline. An agent that learns both is called **actor-critic**. Ten agents, with your clip; at the end each is judged greedily, by its most likely actions:


# %%
def draw_steps(figure, rows, floor=FLOOR, ceiling=CEILING):
    """Draw the mean return of the episodes that ended, agent by agent."""
    at, curves = ppo.curves(rows)
    if len(at):
        plots.plot_band(curves, x=at, ax=figure.subplots(), label="PPO", floor=floor,
                        ceiling=ceiling, xlabel="environment steps")  # fmt: skip


# %% own-ppo
with widgets.LiveFigure(draw_steps, min_interval_s=1.0) as live:
    actors, ppo_rows = ppo.ppo(poles(10, 8), num_agents=10, num_steps=sizes.ppo_steps, seed=SEED,
                               objective=clipped, on_row=live.update)  # fmt: skip
if ppo_rows[-1]["env_steps"] < sizes.ppo_steps:
    raise KeyboardInterrupt

# %% tags=["learned"]
greedy = play_vector(actors.greedy, poles(10, 20), seed=SEED + 9).reshape(10, 20).mean(axis=1)
solved = (greedy >= 475).sum()
plots.reading(f"greedy, {solved} of 10 average 475 or more; the worst {greedy.min():.0f}.")

# %% [markdown]
# Ours is a page of code and was made for this lesson. For work one takes a library's, which is tested and takes any environment. Here is RLlib's PPO with settings near ours, nothing searched for: five seeds as Ray tasks, as many at a time as there are cores, for two thirds of the steps. About a minute and a half, with the start of Ray.

# %% ray
import ray

from course_lib.cluster import connect

cluster = connect()


# %%
@ray.remote(num_cpus=1)
def rllib_ppo(seed, num_steps):
    """Train RLlib's PPO; return its rows of numbers."""
    from ray.rllib.algorithms.ppo import PPOConfig

    from course_lib.rllib import runs

    config = PPOConfig().environment("CartPole-v1").debugging(seed=seed)
    config.env_runners(num_env_runners=0, num_envs_per_env_runner=16)
    config.training(lr=2e-3, train_batch_size_per_learner=1_024, minibatch_size=256, num_epochs=8,
                    gamma=0.99, lambda_=0.95, vf_loss_coeff=0.01, use_kl_loss=False)  # fmt: skip
    config.rl_module(model_config={"fcnet_hiddens": [64, 64], "vf_share_layers": False})
    algo = runs.build(config)
    rows = runs.train(algo, num_steps=num_steps, evaluate_on="CartPole-v1", seed=seed,
                      evaluate_every=4_000)  # fmt: skip
    runs.stop(algo)
    return rows


# %% rllib-ppo
tasks = [rllib_ppo.remote(seed, sizes.rllib_steps) for seed in range(sizes.rllib_seeds)]
rllib_rows = cluster.gather(tasks, desc="seeds", unit="seed")

# %% both-ppos tags=["picture"]
ax = None
at, curves_of_ours = ppo.curves(ppo_rows)
ax = plots.plot_band(curves_of_ours, x=at, label="ours")
steps = [row["env_steps"] for row in rllib_rows[0]]
theirs = [[row["mean_return"] for row in rows[: len(steps)]] for rows in rllib_rows]
plots.plot_band(theirs, x=steps, ax=ax, label="RLlib's", floor=FLOOR, ceiling=CEILING,
                xlabel="environment steps")  # fmt: skip
ax.plot(steps, np.array(theirs).T, color="grey", linewidth=0.7)
best = [pd.DataFrame(rows)["greedy_return"].max() for rows in rllib_rows]
plots.reading(
    f"RLlib's best greedy evaluations: {', '.join(f'{one:.0f}' for one in sorted(best))}."
)

# %% [markdown]
# The lines count training episodes, in which actions are drawn; greedy ones do better, as the reading says. And look at the thin lines, one for each of RLlib's seeds: they dip on their way. A policy is learned on the states that it visits. When it has become good, it sees hardly any falling poles, and the next steps change what it would do about them, until it falls again. PPO keeps such a step short; it does not forbid it. That is why one keeps the weights of the best evaluation, as `runs.train` does.
#
# Beside the DQN of notebook 03: that one learns from each step many times, PPO from each a few times and then forgets it. So a DQN usually needs fewer steps, and PPO fewer worries: no replay memory, no target network, no epsilon.
#
# *44 min so far*
#
# ## 4 No gradient at all
#
# And if the policy is not a network, or nothing about it can be differentiated? Then change its weights a little at random, try out each **candidate** for an episode or two, and move towards those that did well. That is an **evolution strategy**. Candidates need nothing from each other: the best case for Ray there is.
#
# ### Exercise 8.4 - a step of evolution (8 min, difficulty 3 of 3)
#
# `weights` has shape (D,), `noise` (K, D): K directions. Both stay as they are. The candidates are `weights + sigma * direction` for each direction and, of the same size, for its opposite, 2K in all. `evaluate_all` takes a list of candidates and gives their returns in the same order: hand over all in one call, so that they can be tried at the same time. `evolution.ranks` turns returns into numbers from -0.5, the worst, to 0.5, the best; equals get equal ones. Return
#
# $$\text{weights} + \frac{\text{learning\_rate}}{\text{sigma}} \cdot \text{mean over all } 2K \text{ candidates of } (\text{rank} \cdot \text{direction})$$
#
# With weights `[0]`, noise `[[1]]`, sigma 0.5, learning rate 0.2, and the forward candidate the better one, it is `[0.2]`.
#
# <details><summary>Hint</summary>
#
# `directions = np.concatenate([noise, -noise])`, and `ranks @ directions / len(directions)`.
# </details>


# %%
# EXERCISE 8.4
def evolution_step(evaluate_all, weights, noise, *, sigma, learning_rate):
    """Try candidates on both sides; return the weights a step further."""
    # BEGIN SOLUTION
    directions = np.concatenate([noise, -noise])
    returns = evaluate_all([weights + sigma * direction for direction in directions])
    step = evolution.ranks(returns) @ directions / len(directions)
    return weights + learning_rate / sigma * step
    # END SOLUTION


# %%
evolution_step = checks.check_evolution_step(evolution_step)

# %% [markdown]
# The policy is as small as can be: four weights, one for each number of an observation, and to the right where their sum is above 0. Each candidate is a Ray task of its own.


# %%
def lean(weights):
    return lambda obs: (obs @ weights > 0).astype(int)


@ray.remote
def try_out(weights, seed):
    return float(play(lambda obs: (obs @ weights > 0).astype(int), "CartPole-v1",
                      num_episodes=2, seed=seed).mean())  # fmt: skip


def evaluate_all(candidates):
    tasks = [try_out.remote(one, SEED + len(climb)) for one in candidates]
    return ray.get(tasks)


# %% evolution
rng, climb = np.random.default_rng(SEED), [np.zeros(4)]
with clock("evolution", total=sizes.evolution_rounds, unit="round") as bar:
    for _ in range(sizes.evolution_rounds):
        noise = rng.normal(size=(8, 4))
        climb.append(evolution_step(evaluate_all, climb[-1], noise, sigma=0.5, learning_rate=0.5))
        bar.update()

# %%
heights = [play(lean(one), ENV, num_episodes=10, seed=SEED + 30).mean() for one in climb]
plots.plot_returns(
    heights,
    x=range(len(climb)),
    window=1,
    xlabel="rounds of 16 tasks",
    floor=FLOOR,
    ceiling=CEILING,
)
plots.reading(f"{len(climb) - 1} rounds, {16 * (len(climb) - 1)} tasks: return {heights[-1]:.0f}.")
cluster.disconnect()

# %% [markdown]
# With four weights that is hard to beat. The more weights there are, the less one random direction says about each, and the more candidates, and machines, it takes.
#
# *54 min so far*
#
# ## 5 A dial instead of buttons
#
# A rod hangs from an axle; the agent turns with a force between -2 and 2, too weak to lift it at one go, and each step costs the more, the further the rod is from upright (Gymnasium's Pendulum). *Any number* between -2 and 2 is an action. Which one has the largest q-value? That question is a search of its own, in every single step. A policy need not ask it: it says where a bell curve lies and how wide it is, and the action is drawn from that. PPO is the same as before, down to your clip, with another gamma and learning rate.

# %% pendulum
DIAL = "Pendulum-v1"
SWING = ppo.PPOSettings(gamma=0.9, learning_rate=3e-3)
swing = partial(draw_steps, floor=("random", -1_220), ceiling=("good", -150))
with widgets.LiveFigure(swing, min_interval_s=1.0) as live:
    swingers, swing_rows = ppo.ppo(Rods(3 * 8), num_agents=3, num_steps=sizes.swing_steps, seed=SEED,
                                   settings=SWING, objective=clipped, on_row=live.update)  # fmt: skip

# %% tags=["learned"]
swung = play_vector(swingers.greedy, Rods(3 * 20), seed=SEED + 60).reshape(3, 20).mean(axis=1)
plots.reading(f"greedy: {', '.join(f'{one:.0f}' for one in swung)}; an expert comes to about -150.")

# %% [markdown]
# *58 min so far*
#
# ## 6 Which one is better?
#
# Nobody can write down a reward for a good answer, a graceful walk, a fair joke. But everybody can say which of two is better. So let people compare, learn a **reward model** that explains their answers, and let a policy learn from *that* reward. Chat assistants are trained so, with PPO or its relatives, on texts; here in small, on a swinging rod. No reward of Gymnasium's is used from here on.
#
# A clip is a second of the rod, 20 steps: faint at its beginning, dark at its end. **What do you want to see?** A rod that stands? One that spins to the left? Decide, and click. You may stop at any time.

# %%
rng = np.random.default_rng(SEED)
clips = preferences.record_clips(Rods(200), num_steps=20, hold=10, rng=rng)
pairs = preferences.draw_pairs(200, sizes.num_questions, rng)


def draw_pair(figure, left, right):
    pictures.draw_clips(figure, {"left": clips.obs[left], "right": clips.obs[right]})


asked = widgets.compare_clips(draw_pair, pairs)

# %% [markdown]
# ### Exercise 8.5 - a loss for comparisons (5 min, difficulty 2 of 3)
#
# The reward model gives each step a number; `left` and `right` are their sums along two clips, shape (Q,). It claims that the left clip is preferred with probability `sigmoid(left - right)` (Bradley and Terry, 1952). `prefers_left` is 1 where the left one was preferred, 0 where the right one was, 0.5 where neither. The loss of an answer is
#
# $$-\text{prefers\_left} \cdot \log P(\text{left}) - (1 - \text{prefers\_left}) \cdot \log P(\text{right})$$
#
# Return the mean over all answers. Sums 3 and 1: $-\log \text{sigmoid}(2) = 0.127$ if the left was preferred, 2.127 if the right was, 1.127 if neither. With sums 200 apart and the wrong one preferred it is 200, not infinite.
#
# <details><summary>Hint</summary>
#
# `torch.nn.functional.logsigmoid` is exact also far out. The chance for the right is `sigmoid(right - left)`.
# </details>


# %%
# EXERCISE 8.5
def preference_loss(left, right, prefers_left):
    """Return how badly rewards explain what was preferred, on average."""
    # BEGIN SOLUTION
    log_left = torch.nn.functional.logsigmoid(left - right)
    log_right = torch.nn.functional.logsigmoid(right - left)
    return -(prefers_left * log_left + (1 - prefers_left) * log_right).mean()
    # END SOLUTION


# %%
preference_loss = checks.check_preference_loss(preference_loss)

# %% [markdown]
# Your answers train a reward model. Where you stopped, or did not click at all, a **judge** of ours answers the rest, and the next cell says so. (So if you want something else than the judge does, answer all.) It prefers the clip in which the rod is higher on average. Two more sets of answers are the judge's alone: in one it is always right, in the other it errs in 20% of the questions.

# %% reward-models tags=["learned"]
higher = clips.obs[:, :, 0].mean(axis=1)
judge = partial(preferences.judged, higher, rng=np.random.default_rng(SEED + 1))
own = judge(pairs, wrong=0.0)
own[: len(asked.left)] = asked.left
print(
    f"{len(asked.left)} of {len(pairs)} answers are yours, {len(pairs) - len(asked.left)} the judge's."
)
sets = {"yours": [preferences.Answers(pairs, own)]}
for name, wrong in (("judge", 0.0), ("judge, 20% wrong", 0.2)):
    sets[name] = []
    for _ in range(3):
        drawn = preferences.draw_pairs(200, len(pairs), rng)
        sets[name].append(preferences.Answers(drawn, judge(drawn, wrong=wrong)))
names = [name for name, several in sets.items() for _ in several]
models = preferences.RewardModels(clips, len(names), seed=SEED)
losses = models.learn(sum(sets.values(), start=[]), loss=preference_loss)
plots.reading(f"the loss fell from {losses[0]:.2f} to {losses[-1]:.2f}; a coin has 0.69.")

# %% [markdown]
# Near 0 means that every answer is explained: they are known by heart, also the wrong ones. What counts is what a model says of clips that nobody compared. So here are 500 fresh pairs, and what each would be paid: for an angle, and for a turning speed, counted to the left.

# %% tags=["learned"]
fresh = preferences.draw_pairs(200, 500, rng)
scores = models.scores(clips)
says = scores[:, fresh[:, 0]] > scores[:, fresh[:, 1]]
agree = (says == (judge(fresh, wrong=0.0) == 1)).mean(axis=1)
for name in sets:
    own = agree[[one == name for one in names]]
    print(f"{name}: agrees with the judge in", ", ".join(f"{share:.0%}" for share in own))

# %% learned-rewards tags=["picture"]
figure = plt.figure(figsize=(11, 3.4), layout="constrained")
pictures.draw_learned_rewards(figure, models, {
    name: [number for number, one in enumerate(names) if one == name] for name in sets
})  # fmt: skip
plots.reading("thin lines are single models: three judges who err make three different rewards.")

# %% [markdown]
# Seven reward models, seven policies: each learns from its own model's reward alone.


# %% from-comparisons
def draw_sets(figure, rows):
    at, curves = ppo.curves(rows)
    ax = figure.subplots()
    for name in sets if len(at) else ():
        own = curves[[one == name for one in names]]
        plots.plot_band(own, x=at, ax=ax, label=name, xlabel="environment steps",
                        ylabel="return, each by its own model")  # fmt: skip


worlds = preferences.LearnedReward(Rods(8 * len(names)), models)
with widgets.LiveFigure(draw_sets, min_interval_s=1.0) as live:
    trained, trained_rows = ppo.ppo(worlds, num_agents=len(names), num_steps=sizes.swing_steps,
                                    seed=SEED, settings=SWING, on_row=live.update)  # fmt: skip


# %%
def swing_of(agents, num_episodes=20):
    """For each agent: its share of the last 100 steps near upright, and its speed to the left."""
    envs = Rods(agents.num_agents * num_episodes)
    obs, seen = envs.reset(seed=SEED + 40)[0], []
    for _ in range(200):
        obs = envs.step(agents.greedy(obs))[0]
        seen.append((obs[:, 0] > np.cos(np.radians(30)), obs[:, 2]))
    means = np.mean(seen[100:], axis=0).reshape(2, agents.num_agents, num_episodes)
    return means.mean(axis=2)


upright, speeds = swing_of(trained)
shares = {name: upright[[one == name for one in names]] for name in sets}
shares["Gymnasium's reward"] = swing_of(swingers)[0]
pictures.plot_shares_upright(shares)
plots.reading(
    f"the policy from your answers turns to the left at {speeds[0]:.1f} radians a second."
)


# %% your-policy
frames, _ = play_frames(trained.best(0), DIAL, seed=SEED + 50, max_steps=200)
animate(frames, every=3, width=240, says="A rod, swung by the policy that your answers made.")

# %% [markdown]
# That is what *your* answers made (with the judge's help, if there were few), from one start; the mark above counts 20. Did it become what you wanted, or something that only looks like it to the model? A policy looks for whatever the model pays, also where nobody was ever asked. With more answers, and new clips of the policy itself to compare, it gets better: that is how it is done in practice.
#
# *72 min so far*
#
# ## 7 A map of families
#
# Where are you? This notebook was in *policies*, in *both*, *without gradients* and *from people*. A number is a lesson of this course; names without one you may meet elsewhere.

# %% families tags=["picture"]
draw_families()
plots.reading("from 'with a map', which tries nothing, to 'without gradients', which only tries.")

# %% [markdown]
# *75 min so far*
#
# ## Summary
#
# * A policy can be learned directly: make more likely what turned out better than usual. The gradient is right on average and noisy; a baseline takes noise out and changes nothing else.
# * PPO takes several steps on the same episodes, and its clip lets no probability gain by moving far. Value and policy together are called actor-critic.
# * Evolution strategies need returns only, and as many machines as there are candidates.
# * With a continuous action a policy says where and how wide; a largest q-value would have to be searched for.
# * A reward can be learned from comparisons. What the policy then does is what the model pays, not what was meant.
#
# ## Common mistakes
#
# * To read a policy's logits as q-values: only their differences mean anything, and they say how likely, not how good.
# * To let gradients flow through the weights: returns and advantages are numbers.
# * To take off a baseline that depends on the action: then the average is wrong, too.
# * To clip the ratio alone, without the smaller of the two products: what got worse is then hidden.
#
# ## Try next
#
# * Spin: answer all questions in favour of the rod that turns to the left. From how many starts does it spin, and what does it do from the others?
# * `with_baseline` compares each episode with the others of its batch. Group-relative methods for language models (GRPO, 2024) do the same with several answers to one question.
# * `ppo.PPOSettings(clip=10)` is no clip at all. How many of ten agents still solve CartPole?
#
# ## References
#
# * R. Williams: *Simple statistical gradient-following algorithms for connectionist reinforcement learning*. Machine Learning 8, 1992.
# * R. Sutton, A. Barto: *Reinforcement Learning: An Introduction*, 2nd edition, 2018, chapter 13.
# * J. Schulman and others: *Proximal policy optimization algorithms*. arXiv:1707.06347, 2017.
# * T. Salimans and others: *Evolution strategies as a scalable alternative to reinforcement learning*. arXiv:1703.03864, 2017.
# * P. Christiano and others: *Deep reinforcement learning from human preferences*. NeurIPS 2017.
