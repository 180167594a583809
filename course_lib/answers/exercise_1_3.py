"""Answer to exercise 1.3; `make build` writes it from the lesson."""

from course_lib.answers.exercise_1_1 import epsilon_greedy
from course_lib.answers.exercise_1_2 import td_update


# EXERCISE 1.3
def learn_episode(env, q_table, *, learning_rate, gamma, epsilon, rng):
    """Walk one episode, update q_table in place after each step, return the return."""
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


ANSWER = learn_episode
