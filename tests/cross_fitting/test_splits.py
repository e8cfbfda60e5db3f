"""Laws of SubsetSplit and train_masks."""

import numpy as np
import pytest
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    PredefinedSplit,
    RepeatedKFold,
    ShuffleSplit,
)
from sklearn.neighbors import KernelDensity

from skmem.cross_fitting import SubsetSplit
from skmem.cross_fitting._splits import train_masks

X = np.arange(24.0).reshape(12, 2)
y = np.repeat([0, 1], [8, 4])
groups = np.repeat(np.arange(4), 3)


def as_masks(pairs):
    masks = []
    for train, _ in pairs:
        masks.append(np.isin(np.arange(len(X)), train))
    return np.array(masks)


# SubsetSplit


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.7, 0.9])
def test_subsets_have_the_asked_size_and_partition_the_rows(fraction):
    splits = list(SubsetSplit(fraction, n_subsets=5, random_state=0).split(X))
    assert len(splits) == 5
    for train, test in splits:
        assert len(train) == round(fraction * len(X))
        # train and test together are all rows, each once
        assert np.array_equal(np.sort(np.concatenate([train, test])), np.arange(len(X)))


def test_subsets_are_reproducible_and_the_first_of_more():
    few = as_masks(SubsetSplit(n_subsets=3, random_state=0).split(X))
    again = as_masks(SubsetSplit(n_subsets=3, random_state=0).split(X))
    many = as_masks(SubsetSplit(n_subsets=9, random_state=0).split(X))
    other = as_masks(SubsetSplit(n_subsets=3, random_state=1).split(X))
    assert np.array_equal(few, again)
    # subsets are drawn one after the other from one seed
    assert np.array_equal(few, many[:3])
    assert not np.array_equal(few, other)


def test_every_row_is_in_a_fraction_of_the_subsets():
    masks = as_masks(SubsetSplit(0.75, n_subsets=2000, random_state=0).split(X))
    # the share of a row is a mean of 2000 draws of standard deviation 0.43: 5 sigma are 0.05
    assert np.abs(masks.mean(axis=0) - 0.75).max() < 0.05


def test_subset_split_prints_and_counts_as_splitters_do():
    splitter = SubsetSplit(fraction=0.5, n_subsets=4)
    assert repr(splitter) == "SubsetSplit(fraction=0.5, n_subsets=4, random_state=None)"
    assert splitter.get_n_splits(X, y, groups) == 4


def test_subset_split_serves_a_search():
    search = GridSearchCV(
        KernelDensity(), {"bandwidth": [1.0, 2.0]}, cv=SubsetSplit(n_subsets=3, random_state=0)
    )
    search.fit(X)
    # one test score for each of the three subsets
    assert "split2_test_score" in search.cv_results_
    assert "split3_test_score" not in search.cv_results_


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"fraction": 0.0}, r"fraction must be .* got 0.0"),
        ({"fraction": 1}, r"fraction must be .* got 1"),
        ({"fraction": "a"}, r"fraction must be .* got 'a'"),
        ({"fraction": np.nan}, r"fraction must be .* got nan"),
        ({"fraction": 0.01}, r"fraction=0.01 of n_samples=12 .* got 0 training"),
        ({"fraction": 0.99}, r"fraction=0.99 of n_samples=12 .* got 12 training"),
        ({"n_subsets": 0}, r"n_subsets must be .* got 0"),
        ({"n_subsets": 2.5}, r"n_subsets must be .* got 2.5"),
    ],
)
def test_subset_split_names_the_bad_parameter(params, message):
    with pytest.raises(ValueError, match=message):
        next(SubsetSplit(**params).split(X))


# train_masks


@pytest.mark.parametrize("stratify", [False, True])
@pytest.mark.parametrize("n_repeats", [1, 3])
def test_an_int_leaves_each_row_out_once_a_repeat(n_repeats, stratify):
    masks = train_masks(4, X, y, n_repeats=n_repeats, stratify=stratify, random_state=0)
    assert masks.dtype == np.bool_
    assert masks.shape == (4 * n_repeats, len(X))
    # the folds of a repeat partition the rows
    assert (~masks.reshape(n_repeats, 4, len(X))).sum(axis=1).tolist() == [[1] * 12] * n_repeats


def test_stratified_folds_hold_out_equal_shares_of_each_class():
    masks = train_masks(4, X, y, stratify=True, random_state=0)
    # 8 and 4 rows in 4 folds
    assert [(~m[y == 0]).sum() for m in masks] == [2] * 4
    assert [(~m[y == 1]).sum() for m in masks] == [1] * 4


@pytest.mark.parametrize("stratify", [False, True])
def test_masks_of_fewer_repeats_are_the_first_of_more(stratify):
    few = train_masks(3, X, y, n_repeats=3, stratify=stratify, random_state=5)
    many = train_masks(3, X, y, n_repeats=10, stratify=stratify, random_state=5)
    assert np.array_equal(few, many[:9])
    # the repeats differ, and so do seeds
    assert not np.array_equal(many[:3], many[3:6])
    assert not np.array_equal(few, train_masks(3, X, y, n_repeats=3, random_state=6))


@pytest.mark.parametrize(
    "cv",
    [
        LeaveOneOut(),
        KFold(3),
        RepeatedKFold(n_splits=3, n_repeats=2, random_state=0),
        ShuffleSplit(4, train_size=0.5, test_size=0.2, random_state=0),
        PredefinedSplit(np.repeat([-1, 0, 1], 4)),
        GroupKFold(2),
        LeaveOneGroupOut(),
        SubsetSplit(n_subsets=3, random_state=0),
        [([0, 1], [2]), ([5], [6, 7])],
        [(np.array([3, 2]), np.array([2]))],
    ],
    ids=lambda cv: type(cv).__name__,
)
def test_a_splitter_is_used_as_it_stands(cv):
    needs_groups = "Group" in type(cv).__name__
    given = groups if needs_groups else None
    expected = as_masks(cv.split(X, y, given) if hasattr(cv, "split") else cv)
    assert np.array_equal(train_masks(cv, X, y, given), expected)


def test_generators_and_boolean_splits_are_splits():
    train = groups > 0
    masks = train_masks(((m, ~m) for m in [train, ~train]), X)
    assert np.array_equal(masks, [train, ~train])


@pytest.mark.parametrize("cv", [GroupKFold(4), 4, 3], ids=["splitter", "4", "3"])
def test_group_folds_keep_groups_together(cv):
    masks = train_masks(cv, X, groups=groups, random_state=0)
    for mask in masks:
        # a group is in or out as a whole
        assert all(len(set(mask[groups == g])) == 1 for g in range(4))
    # and every row is out once
    assert ((~masks).sum(axis=0) == 1).all()


def test_groups_are_dealt_out_evenly_and_anew_in_each_repeat():
    labels = np.array(list("aabbbcdefghij"))[:12]
    few = train_masks(3, X, groups=labels, n_repeats=2, random_state=0)
    more = train_masks(3, X, groups=labels, n_repeats=5, random_state=0)
    # the first repeats do not depend on how many follow
    assert np.array_equal(more[:6], few)
    folds = [tuple(np.argmin(masks, axis=0)) for masks in more.reshape(5, 3, 12)]
    assert len(set(folds)) > 1
    # nine groups, three in each fold, whatever their sizes
    assert all(len(set(labels[~mask])) == 3 for mask in more)


def test_groups_are_stratified_by_their_labels():
    data, label = np.zeros((40, 1)), np.repeat([0, 1], [32, 8])
    masks = train_masks(4, data, label, np.arange(40) // 2, stratify=True, random_state=0)
    # 20 groups, 4 of them of the rare label: one of those in each fold
    assert [label[~mask].sum() for mask in masks] == [2, 2, 2, 2]


def test_groups_of_one_row_are_rows():
    masks = train_masks(4, X, groups=np.arange(12), n_repeats=3, random_state=0)
    assert ((~masks).sum(axis=1) == 3).all()


@pytest.mark.parametrize(
    ("cv", "options", "message"),
    [
        (13, {}, "cv must be from 2 to the number of rows of X, 12, got 13"),
        (1, {}, "cv must be from 2 .* got 1"),
        (-3, {}, "cv must be from 2 .* got -3"),
        (None, {}, "cv must be an int, .* got None"),
        (True, {}, "cv must be an int, .* got True"),
        ("3", {}, "cv.* Got 3"),
        (2.0, {}, "cv.* Got 2.0"),
        ([], {}, "cv must yield at least one .* got none"),
        (5, {"groups": groups}, "cv must be at most the number of groups, 4, got 5"),
        (3, {"groups": groups[1:]}, "groups must have one entry .* got 11"),
        (3, {"groups": np.zeros((12, 2))}, r"groups must have one entry .* got shape \(12, 2\)"),
        (3, {"groups": np.zeros(12)}, "groups must leave a row outside every group, got all 12"),
        (3, {"groups": [*groups[1:], np.nan]}, "groups must have no missing labels, got nan"),
        (3, {"groups": [*"abcdefghijk", None]}, "groups must be labels of one kind"),
        (3, {"stratify": True}, "y must be given to stratify"),
        (3, {"n_repeats": 0}, "n_repeats must be an int of at least 1, got 0"),
        (3, {"n_repeats": 1.5}, "n_repeats must be an int of at least 1, got 1.5"),
        (KFold(3), {"n_repeats": 2}, "n_repeats must be 1 unless cv is an int, got 2"),
        ([([0], [1])], {"n_repeats": 2}, "n_repeats must be 1 unless cv is an int, got 2"),
        (GroupKFold(3), {}, r"groups must be given for cv=GroupKFold\(n_splits=3.*got None"),
        (LeaveOneGroupOut(), {}, r"groups must be given for cv=LeaveOneGroupOut\(\)"),
        (GroupShuffleSplit(2), {}, "groups must be given for cv=GroupShuffleSplit"),
        (3, {"y": y[:-1]}, "y must have one entry for each of the 12 rows of X, got 11"),
        (GroupKFold(3), {"groups": groups[1:]}, "groups must have one entry .* got 11"),
        ([([0, 12], [1])], {}, "training rows from 0 to 11, got 0 to 12 in fit 0"),
        ([([0], [1]), ([-1, 3], [1])], {}, "training rows from 0 to 11, got -1 to 3 in fit 1"),
        ([([], [1])], {}, "non-empty 1-d array of indices, got shape \\(0,\\)"),
        ([([0.0, 1.0], [1])], {}, "indices, got shape .* float64 in fit 0"),
        ([(np.zeros(12, bool), [1])], {}, "non-empty"),
        ([(np.ones(5, bool), [1])], {}, "dtype bool in fit 0"),
        ([([1, 1, 2], [0])], {}, "each training row once, got 1 repeats in fit 0"),
    ],
)
def test_bad_splits_are_named(cv, options, message):
    with pytest.raises(ValueError, match=message):
        train_masks(cv, X, **options)


@pytest.mark.parametrize("n_rows", [0, 1])
def test_there_must_be_a_row_to_leave_out(n_rows):
    with pytest.raises(ValueError, match=f"X must have at least 2 rows .* got n_samples={n_rows}"):
        train_masks(LeaveOneOut(), X[:n_rows])
