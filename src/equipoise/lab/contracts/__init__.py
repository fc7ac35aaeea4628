"""The laws that every part must keep, as public checks: for our own tests and for authors of plug-ins.

::

    from equipoise.lab.contracts import check_policy
    check_policy(lambda: MyPolicy(space), space, floor=0.001)

or law by law, so that a test run shows each::

    @pytest.mark.parametrize("law", laws("policy"), ids=str)
    def test_law(law):
        law(PolicyCase(lambda: MyPolicy(space), space, floor=0.001))
"""

from __future__ import annotations

from typing import Any

from equipoise.core import InputError
from equipoise.lab.contracts.encoders import ENCODER_LAWS, EncoderCase, check_encoder
from equipoise.lab.contracts.estimators import ESTIMATOR_LAWS, EstimatorCase, check_estimator
from equipoise.lab.contracts.journal_case import JournalCase
from equipoise.lab.contracts.journals import JOURNAL_LAWS, check_journal
from equipoise.lab.contracts.law import ContractError, Law
from equipoise.lab.contracts.policies import POLICY_LAWS, check_policy
from equipoise.lab.contracts.policy_case import PolicyCase
from equipoise.lab.contracts.retrievers import RETRIEVER_LAWS, RetrieverCase, check_retriever

_LAWS: dict[str, tuple[Law[Any], ...]] = {
    "encoder": ENCODER_LAWS,
    "retriever": RETRIEVER_LAWS,
    "policy": POLICY_LAWS,
    "journal": JOURNAL_LAWS,
    "estimator": ESTIMATOR_LAWS,
}


def laws(protocol: str) -> tuple[Law[Any], ...]:
    """The laws of `encoder`, `retriever`, `policy`, `journal` or `estimator`; each is called with its case.

    Raises: InputError: there is no such protocol.
    """
    if protocol not in _LAWS:
        raise InputError(f"there are no laws of {protocol!r}: choose one of {', '.join(_LAWS)}")
    return _LAWS[protocol]


__all__ = [
    "ContractError",
    "EncoderCase",
    "EstimatorCase",
    "JournalCase",
    "Law",
    "PolicyCase",
    "RetrieverCase",
    "check_encoder",
    "check_estimator",
    "check_journal",
    "check_policy",
    "check_retriever",
    "laws",
]
