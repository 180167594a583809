"""Answer to exercise 4.4; `make build` writes it from the lesson."""


def broken_options(settings):
    return {
        "lr": settings.learning_rate,
        "gamma": 0.1,
        "epsilon": [[0, 1.0], [settings.num_steps // 2, 1.0]],  # [decision, value], a line between
        "training_intensity": 32.0,  # each decision is replayed 32 times on average
        "target_network_update_freq": 500,
    }


# EXERCISE 4.4
def training_options(settings):
    """Return the options of config.training, mended."""
    options = broken_options(settings)
    options["epsilon"] = [[0, 1.0], [settings.num_steps // 2, 0.02]]
    options["gamma"] = settings.gamma
    options["n_step"] = settings.n_step
    return options


ANSWER = training_options
