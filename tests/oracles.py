"""Slow twins: every fast path of skmem is held against one of these, written as its definition reads."""

import numpy as np
from sklearn.base import clone
from sklearn.metrics import DistanceMetric

# Neighbours and the k-nearest-neighbour density


def neighbors_by_differences(X_query, X_train, n_neighbors, metric):
    """Distances and indices of the nearest rows, from all pairs; ties by index."""
    distances = DistanceMetric.get_metric(metric).pairwise(X_query, X_train)
    indices = np.argsort(distances, axis=1, kind="stable")[:, :n_neighbors]
    return np.take_along_axis(distances, indices, axis=1), indices


def duplicate_labels(X):
    """Label of the first row that equals each row, counted by first appearance."""
    seen = []
    labels = []
    for row in X.tolist():
        if row not in seen:
            seen.append(row)
        labels.append(seen.index(row))
    return np.array(labels)


def knn_log_density(x, X_train, n_neighbors, log_unit_volume, metric="euclidean"):
    """log k / (N V_d R_k^d) of one point; copies raise k to the first positive distance."""
    distances = np.sort(DistanceMetric.get_metric(metric).pairwise(x[None], X_train)[0])
    k = n_neighbors
    while distances[k - 1] == 0:
        k += 1
    n, d = X_train.shape
    return np.log(k) - np.log(n) - log_unit_volume - d * np.log(distances[k - 1])


def refit_score_samples(estimator, X, train_mask, X_eval):
    """Score `X_eval` by a refit for each row of `train_mask`, shape (n_fits, n_points)."""
    return np.array([clone(estimator).fit(X[mask]).score_samples(X_eval) for mask in train_mask])
