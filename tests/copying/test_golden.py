"""The copying tests on a few numbers, worked out by hand."""

import numpy as np
import pytest

from skmem.copying import (
    audit_copying,
    authenticity,
    coverage,
    data_copying_test,
    distance_to_closest_record,
    membership_inference,
    nearest_neighbor_distance_ratio,
)


def column(*values):
    return np.array(values, dtype=float)[:, None]


def test_distance_ratio_takes_each_rows_own_minima():
    # Nearest held-out: 1, 2, 0; nearest generated: 0.5, 4, 0. A published script took one row's
    # nearest for all of a block.
    X_train = column(0, 10, 20)
    result = nearest_neighbor_distance_ratio(X_train, column(1, 12, 20), column(-0.5, 14, 20))
    np.testing.assert_array_equal(result.distances_to_holdout, [1, 2, 0])
    np.testing.assert_array_equal(result.distances_to_generated, [0.5, 4, 0])
    # Above 1 the generated row is nearer; a row that is in both is a tie.
    np.testing.assert_array_equal(result.ratios, [2, 0.5, 1])
    assert result.share == 0.5
    assert result.expected_share == 0.5


def test_distance_ratio_of_a_copy_is_infinite():
    result = nearest_neighbor_distance_ratio(column(0), column(3), column(0))
    np.testing.assert_array_equal(result.ratios, [np.inf])


def test_data_copying_z_of_one_cell():
    # L: held-out 1, 2, 3; generated 0.5, 2, 4. U = 0 + 1.5 + 3 = 4.5 of 9 pairs.
    X_train = column(0)
    result = data_copying_test(X_train, column(1, 2, 3), column(0.5, 2, 4), min_expected=1)
    # Mid-ranks 1, 2, 3.5, 3.5, 5, 6 have sum 21 and variance 3.4: sd(U)^2 = 9 / 6 * 3.4 = 5.1.
    assert result.statistic == pytest.approx((4.5 - (4.5 - 0.5)) / np.sqrt(5.1))
    assert result.cells["n_holdout"].tolist() == [3]


def test_data_copying_averages_cells_by_held_out_rows():
    # Two far cells with 2 and 1 held-out rows. In the first U = 0 of 4, in the second 1 of 1.
    X_train = column(0, 0.1, 100)
    X_holdout, X_generated = column(1, 2, 101), column(0.5, 0.6, 102)
    result = data_copying_test(
        X_train, X_holdout, X_generated, n_cells=2, min_expected=1, random_state=0
    )
    z = [(0 - 1.5) / np.sqrt(4 * 5 / 12), (1 - 0) / np.sqrt(1 * 3 / 12)]
    by_size = dict(zip(result.cells["n_holdout"].tolist(), result.cells["z"], strict=True))
    assert by_size[2] == pytest.approx(z[0])
    assert by_size[1] == pytest.approx(z[1])
    assert result.statistic == pytest.approx((2 * z[0] + z[1]) / 3)


def test_cells_of_too_few_rows_are_not_used():
    X_train = column(0, 0.1, 100)
    X_holdout = column(1, 2, 3, 4, 101)
    X_generated = column(1, 2, 3, 4, 102)
    result = data_copying_test(
        X_train, X_holdout, X_generated, n_cells=2, min_expected=3, random_state=0
    )
    # One held-out row and one generated row are less than 3 of either.
    assert sorted(result.cells["used"].tolist()) == [False, True]
    assert np.isnan(result.cells["z"][~result.cells["used"]]).all()


def test_authenticity_compares_with_the_training_rows_own_neighbour():
    # Neighbours of 0, 1, 5 are 1, 1, 4 away. Generated: 6.5 from 5 is 1.5 <= 4; -2 from 0 is 2 > 1;
    # 1 is a copy; 9 from 5 is 4, which is not farther than 4.
    result = authenticity(column(0, 1, 5), None, column(6.5, -2, 1, 9))
    np.testing.assert_array_equal(result.authentic, [False, True, False, False])
    np.testing.assert_array_equal(result.nearest_train, [2, 0, 1, 2])
    assert result.share == 0.25


def test_authenticity_of_more_generated_than_training_rows():
    # The published code looks up training rows by the generated rows' numbers, and fails here.
    X_generated = column(*range(10, 30))
    result = authenticity(column(0, 1), column(0.5), X_generated)
    assert result.share == 1.0
    # 0.5 is 0.5 from a row whose neighbour is 1 away.
    assert result.floor == 0.0
    # All 20 of 20 authentic rows are generated: nothing fewer is possible, nor more.
    assert result.p_value == 1.0


def test_closest_and_second_closest_record():
    X_train = column(0, 4, 4, 10)
    result = distance_to_closest_record(X_train, column(1, 7, 9), column(4, 3, 9.5))
    np.testing.assert_array_equal(result.distances, [0, 1, 0.5])
    # The second-closest is another value, not the copy of the closest one.
    np.testing.assert_allclose(result.ratios, [0, 1 / 3, 0.5 / 5.5])
    np.testing.assert_array_equal(result.nearest_train, [1, 1, 3])
    np.testing.assert_array_equal(result.copies, [True, False, False])
    # Ratios of the held-out rows: 1/3, 1, 1/6. Ties count against suspicion.
    np.testing.assert_allclose(result.p_values, [1 / 4, 3 / 4, 1 / 4])
    assert (result.n_copies, result.n_holdout_copies) == (1, 0)


def test_p_values_by_distance():
    result = distance_to_closest_record(
        column(0, 10), column(1, 2, 13), column(1, 2.5, 10), statistic="distance"
    )
    # Held-out distances 1, 2, 3; generated 1, 2.5, 0.
    np.testing.assert_allclose(result.p_values, [2 / 4, 3 / 4, 1 / 4])


def test_nearer_to_training_rows_than_to_held_out_ones():
    # Generated 1, 6, 5: to training rows 0 and 10 they are 1, 4, 5 away, to held-out 4 and 7: 3, 1, 1.
    result = distance_to_closest_record(column(0, 10), column(4, 7), column(1, 6, 5))
    assert result.share == pytest.approx(1 / 3)
    assert result.expected_share == 0.5
    # A value of both tables is half a vote for either.
    result = distance_to_closest_record(column(0), column(0), column(0))
    assert result.share == 0.5


def test_membership_by_hand():
    # Scores: training 0, -5; held-out -1, -1, -9. Pairs won: 3 and 1 of 3.
    result = membership_inference(
        column(0, 10), column(4, 6, 14), column(0, 5), fpr=[0.2, 0.4, 0.9]
    )
    np.testing.assert_array_equal(result.train_scores, [0, -5])
    np.testing.assert_array_equal(result.holdout_scores, [-1, -1, -9])
    assert result.auc == pytest.approx(4 / 6)
    # At most 0, 1 and 2 held-out rows above the threshold: the two that tie count as two.
    assert result.thresholds == (-1.0, -1.0, -9.0)
    assert result.tpr == (0.5, 0.5, 1.0)
    # Wilson's interval of 1 in 2 is 0.5 -+ 0.4055.
    np.testing.assert_allclose(result.tpr_intervals[0], [0.0945, 0.9055], atol=1e-4)


def test_coverage_by_hand():
    # Balls of 0, 1, 5 reach 1, 1, 4; those of the generated 1.5, 9.5 reach 8 each.
    result = coverage(column(0, 1, 5), None, column(1.5, 9.5), n_neighbors=1)
    # 1.5 is in the balls of 1 and 5, 9.5 in none; all training rows are within 8 of 1.5.
    assert (result.precision, result.recall) == (0.5, 1.0)
    assert result.density == (2 + 0) / (1 * 2)
    assert result.coverage == pytest.approx(2 / 3)


def test_balls_are_closed():
    # The generated row is the copy of the neighbour at which the ball around 0 ends.
    result = coverage(column(0, 1, 9), None, column(1, 50), n_neighbors=1)
    # Balls of 0 (to 1) and of 1 (to 0) hold 1; that of 9 ends at 1 as well.
    assert result.density == 3 / 2
    assert result.coverage == 1.0


def test_audit_by_hand():
    audit = audit_copying(column(0, 5), None, column(5, 3))
    # One copy, of training row 1; without a holdout nobody can say what that means.
    assert audit.copying is None
    assert audit.suspects["generated"].tolist() == [0]
    assert audit.suspects["train"].tolist() == [1]
    assert audit.suspects["distance"].tolist() == [0.0]
    assert "cannot be concluded without held-out rows" in audit.verdict
