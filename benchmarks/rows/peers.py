"""The peers, taught the same rows: bayesianbandits' shared linear Thompson and vowpalwabbit's SquareCB.

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
