"""The peers, taught the same rows: bayesianbandits' shared linear Thompson, vowpalwabbit's SquareCB, MABWiser's LinUCB
and river's Bayesian regression.

`pip install 'equipoise[peers]'`. Both get their items ready beforehand (arrays, parsed examples), as ours are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .measure import Call
from .world import World


def shared_agent(made: World) -> Any:
    """bayesianbandits: one NormalRegressor over all arms; the features are request x item, as ours are."""
    from bayesianbandits import Arm, LipschitzContextualAgent, NormalRegressor, ThompsonSampling
    from bayesianbandits._arm_featurizer import ArmFeaturizer

    items = made.items.astype(np.float64)

    class Product(ArmFeaturizer[int]):
        def transform(self, X: Any, *, action_tokens: Any) -> Any:
            return X[0] * (items if len(action_tokens) == len(items) else items[action_tokens])

    arms = [Arm(number, learner=None) for number in range(len(items))]
    agent = LipschitzContextualAgent(
        arms, ThompsonSampling(), Product(), NormalRegressor(1.0, 4.0), random_seed=0
    )
    for item, request, reward in zip(made.shown.tolist(), made.asked.tolist(), made.rewards, strict=True):
        agent.select_for_update(item).update(_context(made, request), np.array([reward]))
    return agent


def agent_decides(agent: Any, made: World) -> Call:
    """One draw of the weights; no distribution, no propensity."""
    contexts = [_context(made, number) for number in range(len(made.requests))]
    return lambda number: agent.pull(contexts[number % len(contexts)])


def agent_learns(agent: Any, made: World) -> Call:
    """One row."""
    contexts = [_context(made, number) for number in range(len(made.requests))]
    reward, arm = np.array([1.0]), made.shown.tolist()
    return lambda number: agent.select_for_update(arm[number]).update(
        contexts[number % len(contexts)], reward
    )


def _context(made: World, request: int) -> Any:
    return made.requests[request].astype(np.float64)[None]


def squarecb(made: World, *, interactions: bool) -> Call:
    """vowpalwabbit over all items: cached examples for them, and one for the request, new with every decision.

    Without `interactions` the request's features are there, but cannot change the order of the items.
    """
    import vowpalwabbit as vw

    label = vw.LabelType.CONTEXTUAL_BANDIT
    options = "--cb_explore_adf --squarecb --quiet" + (" -q sa -l 0.02" if interactions else "")
    workspace = vw.Workspace(options, enable_logging=False)

    def example(space: str, numbers: list[float], text: str = "") -> Any:
        parsed = vw.Example(workspace, {space: list(enumerate(numbers))}, labelType=label)
        if text:
            parsed.set_label_string(text)
        return parsed

    items, requests = made.items.tolist(), made.requests.tolist()
    rng = np.random.default_rng(1)
    # each row with nine further actions, its own chosen with a chance of one in ten
    for item, request, reward in zip(made.shown[:500], made.asked[:500], made.rewards, strict=False):
        others = [example("a", items[other]) for other in rng.integers(0, len(items), 9)]
        shown = example("a", items[item], f"0:{-reward}:0.1")
        workspace.learn([example("s", requests[request], "shared"), shown, *others])
    actions = [example("a", item) for item in items]
    return lambda number: workspace.predict(
        [example("s", requests[number % len(requests)], "shared"), *actions]
    )


def lin_ucb(made: World) -> Call:
    """MABWiser: a ridge regression of its own for each item, on the request alone; half a megabyte an item."""
    from mabwiser.mab import MAB, LearningPolicy

    agent = MAB(list(range(len(made.items))), LearningPolicy.LinUCB(alpha=1.0), n_jobs=1)
    requests = made.requests.astype(np.float64)
    agent.fit(made.shown[:500], made.rewards[:500], requests[made.asked[:500]])
    return lambda number: agent.predict(requests[number % len(requests)][None])


def regression(made: World) -> Any:
    """river: one Bayesian regression over all items; the features are request x item, as ours are."""
    from river.linear_model import BayesianLinearRegression

    model = BayesianLinearRegression(alpha=1.0, beta=4.0)
    for x, reward in zip(made.features()[:500].tolist(), made.rewards.tolist(), strict=False):
        model.learn_one(dict(enumerate(x)), reward)
    return model


def regression_with_spread(model: Any, made: World) -> Call:
    """Mean and spread of every item, which only one at a time can be asked for, and one draw of each."""
    rng, items, requests = np.random.default_rng(2), made.items.astype(np.float64), made.requests

    def once(number: int) -> object:
        features = (requests[number % len(requests)] * items).tolist()
        found = [model.predict_one(dict(enumerate(x)), with_dist=True) for x in features]
        return int(np.argmax([rng.normal(one.mu, one.sigma) for one in found]))

    return once


def regression_means(model: Any, made: World) -> Call:
    """The mean of every item at once: greedy, with nothing to explore by."""
    import pandas

    items, requests = made.items.astype(np.float64), made.requests
    return lambda number: model.predict_many(
        pandas.DataFrame(requests[number % len(requests)] * items)
    ).idxmax()
