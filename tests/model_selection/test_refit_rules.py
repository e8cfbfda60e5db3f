"""Rules that choose among candidates, on tables that fit on a hand."""

import pickle

import numpy as np
import pytest

from skmem.model_selection import (
    best_log_density,
    memorization_below,
    pareto_front,
    pareto_knee,
    within_one_standard_error,
)

TABLE = {
    "mean_test_log_density": np.array([-9.0, -2.5, -2.1, -2.0, np.nan]),
    "standard_error_test_log_density": np.array([0.1, 0.1, 0.1, 0.2, np.nan]),
    "memorization_q95": np.array([0.0, 0.6, 1.0, 5.0, np.nan]),
    "n_memorized": np.array([0.0, 4.0, 2.0, 9.0, np.nan]),
}
RULES = [best_log_density, within_one_standard_error, pareto_knee, memorization_below(2.0)]


@pytest.mark.parametrize(
    ("rule", "index"),
    [
        (best_log_density, 3),
        # -2.1 is within 0.2 of -2.0, -2.5 is not
        (within_one_standard_error, 2),
        # from 0 to 5 nats and -9 to -2, most is won by the first 0.6 to 1 nat
        (pareto_knee, 1),
        (memorization_below(2.0), 2),
        (memorization_below(0.8), 1),
        (memorization_below(3.0, column="n_memorized"), 2),
    ],
)
def test_choice_by_hand(rule, index):
    assert rule(TABLE) == index


def test_the_front_leaves_out_what_another_candidate_beats():
    # candidate 1 is less likely than candidate 2 and, in rows above the threshold, no better
    np.testing.assert_array_equal(
        pareto_front(TABLE, "n_memorized"), [True, False, True, True, False]
    )
    np.testing.assert_array_equal(pareto_front(TABLE), [True, True, True, True, False])


def test_a_front_of_equals_keeps_them_all():
    table = {"mean_test_log_density": [-1.0, -1.0], "memorization_q95": [2.0, 2.0]}
    assert pareto_front(table).all()
    assert pareto_knee(table) == 0


def test_infinite_memorization_is_above_every_bound():
    table = {"mean_test_log_density": [-1.0, -2.0], "memorization_q95": [np.inf, 2.0]}
    assert memorization_below(1e300)(table) == 1
    # a front with an infinite end has no line to measure from
    assert pareto_knee(table) == 0


@pytest.mark.parametrize("rule", RULES)
def test_nothing_to_choose_from_is_an_error(rule):
    nothing = {name: np.full(2, np.nan) for name in TABLE}
    with pytest.raises(ValueError, match="No candidate can be chosen"):
        rule(nothing)


@pytest.mark.parametrize("rule", RULES)
def test_a_failed_candidate_is_not_chosen_before_one_of_density_zero(rule):
    table = {name: np.array([np.nan, 1.0]) for name in TABLE}
    table["mean_test_log_density"][1] = -np.inf
    # -inf is a score, as a kernel without tails has it of a row that it does not reach.
    assert rule(table) == 1


def test_a_bound_holds_where_all_below_it_have_density_zero():
    table = {
        "mean_test_log_density": np.array([-1.0, -np.inf]),
        "memorization_q95": np.array([3.0, 1.0]),
    }
    # The likelier one memorizes more than is allowed.
    assert memorization_below(2.0)(table) == 1


def test_an_unknown_column_is_named():
    with pytest.raises(ValueError, match=r"column must be one of .* got 'memorization_q50'"):
        memorization_below(1.0, "memorization_q50")(TABLE)


def test_rules_can_be_pickled():
    assert pickle.loads(pickle.dumps(memorization_below(2.0)))(TABLE) == 2


@pytest.mark.parametrize("bound", ["3", np.nan, None])
def test_a_bound_is_a_number(bound):
    with pytest.raises(ValueError, match="'bound' parameter of memorization_below"):
        memorization_below(bound)
