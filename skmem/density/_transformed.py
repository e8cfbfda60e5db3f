"""A density of transformed rows, as a density of the rows themselves."""

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, has_fit_parameter, validate_data

from skmem._base import BaseDensity
from skmem._random import child_seeds
from skmem._sklearn import HasMethods, fit_context, get_feature_names
from skmem.density._checks import check_train_mask, check_weights
from skmem.density._inverses import draw, preimages
from skmem.density._jacobians import change_variables
from skmem.density._transformers import fit_transformer, is_fixed

_DRAWS = (1, 4, 16, 64)  # times the rows asked for


def _density_has(name):
    """Check that the density has a method."""
    return lambda self: hasattr(getattr(self, "density_", self.density), name)


def _in_closed_form(name):
    """Check that the density has a closed form and that the transformer is the same in all fits."""
    return lambda self: is_fixed(self.transformer) and _density_has(name)(self)


class TransformedDensity(BaseDensity):
    """Density of the rows before a transformer, from a density of the rows after it.

    Log-densities are in nats of the untransformed rows, higher where rows are dense; they have no natural zero.

    Unlike those of a Pipeline, they can be compared between transformers, and between fits of one transformer.

    Parameters
    ----------
    transformer : transformer
        An invertible one that :func:`log_abs_det_jacobian` knows, or that has a method of that name. It is fitted
        first, to all rows; a FrozenEstimator around a fitted one holds it fixed.
    density : density
        An estimator with `score_samples`, in nats, which is fitted to the transformed rows.

    Attributes
    ----------
    transformer_, density_ : estimator objects
        The fitted transformer and density.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of features seen in `fit`, where X has names that are all strings.

    See Also
    --------
    log_abs_det_jacobian : The second term, and which transformers have it.

    Notes
    -----
    The change of variables of z = T(x), with J the Jacobian matrix of T,

        log p(x) = log p_density(T(x)) + log |det J(x)|.

    It integrates to the probability that the density gives to the values of T: to one for scalers and PCA, to less
    where values are bounded, as those of a QuantileTransformer and of some PowerTransformers are.

    Arrays are transformed in double precision. A data frame is handed on as it is, so that a ColumnTransformer may
    name its columns.

    A refitted transformer moves every row, so that no closed form of the density is one of the whole:
    `leave_one_out_score_samples` and `cross_fit_score_samples` are there only for a transformer that is the same in
    all fits, such as a FrozenEstimator or a FunctionTransformer.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.preprocessing import MinMaxScaler, StandardScaler
    >>> from skmem.density import GaussianMixture, TransformedDensity
    >>> X = load_iris().data
    >>> for scaler in StandardScaler(), MinMaxScaler():
    ...     density = TransformedDensity(scaler, GaussianMixture(reg_covar=0)).fit(X)
    ...     in_space_of_scaler = density.density_.score(density.transformer_.transform(X))
    ...     print(f"{in_space_of_scaler:.3f} {density.score(X):.3f}")
    -3.268 -2.533
    2.274 -2.533
    """

    _parameter_constraints = {
        "transformer": [HasMethods(["fit", "transform"])],
        "density": [HasMethods(["fit", "score_samples"])],
    }

    def __init__(self, transformer, density):
        self.transformer = transformer
        self.density = density

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, sample_weight=None):
        """Fit the transformer, and the density to the transformed rows.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
            Training rows.
        y : None
            Ignored; here for scikit-learn's conventions.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, for the density and, where its `fit` takes them, the transformer. Other transformers
            count every row of positive weight once.

        Returns
        -------
        self : object
            The fitted density.

        Raises
        ------
        TypeError
            If log|det J| is not known for the transformer, or the density takes no weights.
        ValueError
            If the transformer is not invertible.
        """
        X = self._check_rows(X, reset=True)
        weights = {} if sample_weight is None else self._check_weights(sample_weight, X)
        transformer = fit_transformer(self.transformer, X, **weights)
        Z, log_det = change_variables(transformer, X)
        self.density_ = clone(self.density).fit(Z, None, **weights)
        self.transformer_, self._fit_log_det = transformer, log_det
        return self

    def score_samples(self, X):
        """Log-density of each row, in the units of `X`.

        In nats; -inf where the transformer is flat, as a QuantileTransformer beyond the training rows.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
            Rows to score.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            Log p(x).
        """
        Z, log_det = self._change_variables(X)
        return self.density_.score_samples(Z) + log_det

    @available_if(_density_has("staged_score_samples"))
    def staged_score_samples(self, X):
        """Log-density of each row at every stage of the density's fit.

        In nats, as `score_samples`.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
            Rows to score.

        Yields
        ------
        log_density : ndarray of shape (n_samples,)
            Log p(x) at one stage.
        """
        Z, log_det = self._change_variables(X)
        for log_density in self.density_.staged_score_samples(Z):
            yield log_density + log_det

    @property
    def stages_(self):
        """Stages of the density's fit, where it names them."""
        return self.density_.stages_

    @available_if(_in_closed_form("leave_one_out_score_samples"))
    def leave_one_out_score_samples(self):
        """Log-density of each training row under all the other training rows, the transformer held fixed.

        In nats; ``score_samples`` on the training rows minus this is their memorization.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            Log p(x_i | all rows but i).
        """
        check_is_fitted(self)
        return self.density_.leave_one_out_score_samples() + self._fit_log_det

    @property
    def leave_one_out_is_exact(self):
        """Whether :meth:`leave_one_out_score_samples` equals refits: as the density says."""
        return getattr(self.density, "leave_one_out_is_exact", True)

    @available_if(_in_closed_form("cross_fit_score_samples"))
    def cross_fit_score_samples(self, X, train_mask, X_eval=None):
        """Log-densities under a fit to every row of `train_mask`, the transformer held fixed.

        In nats; equal to refitting on ``X[mask]`` for each mask, as far as those of the density are.

        Parameters
        ----------
        X : {array-like, dataframe} of shape (n_samples, n_features)
            All rows.
        train_mask : ndarray of shape (n_fits, n_samples) of bool
            Which rows each fit is trained on.
        X_eval : {array-like, dataframe} of shape (n_points, n_features), default=None
            Rows to score; by default X.

        Returns
        -------
        log_density : ndarray of shape (n_fits, n_points)
            Log p(x_j | fit k).
        """
        model = clone(self)
        X = model._check_rows(X, reset=True)
        mask = check_train_mask(train_mask, len(X))
        model.transformer_ = fit_transformer(self.transformer, X)
        Z, log_det = change_variables(model.transformer_, X)
        Z_eval = None
        if X_eval is not None:
            Z_eval, log_det = change_variables(
                model.transformer_, model._check_rows(X_eval, reset=False)
            )
        return model.density.cross_fit_score_samples(Z, mask, X_eval=Z_eval) + log_det

    @available_if(_density_has("sample"))
    def sample(self, n_samples=1, random_state=None):
        """Draw rows from the density and transform them back.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            Seed of the draws; None leaves it to the density.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Rows drawn. Draws that are no value of the transformer are drawn again.

        Raises
        ------
        ValueError
            If nearly no draws are values of the transformer.
        """
        check_is_fitted(self)
        rng = check_random_state(random_state)
        seed = None if random_state is None else int(child_seeds(rng, 1)[0])
        for times in _DRAWS:
            Z = draw(self.density_, times * n_samples, seed)
            X = preimages(self.transformer_, Z, self._as_seen)
            if len(X) >= n_samples:
                # A mixture draws its components in order, so the first rows are no fair choice.
                return X if times == 1 else X[rng.choice(len(X), n_samples, replace=False)]
        raise ValueError(
            f"{type(self.transformer_).__name__} takes {len(X)} of {len(Z)} rows that the density draws as values: "
            f"too few to sample n_samples={n_samples}."
        )

    def _check_rows(self, X, reset):
        """`X` checked: an array of double precision, or the data frame that it is."""
        checked = validate_data(self, X, dtype=np.float64, reset=reset)
        return checked if get_feature_names(X) is None else X

    def _check_weights(self, sample_weight, X):
        weights = check_weights(sample_weight, X)
        if not has_fit_parameter(self.density, "sample_weight"):
            raise TypeError(
                f"sample_weight must be None for density={self.density!r}, which does not take it."
            )
        return {"sample_weight": weights}

    def _as_seen(self, X):
        """An array as what `fit` saw: with the names of its columns, if they have names."""
        if not hasattr(self, "feature_names_in_"):
            return X
        import pandas as pd

        return pd.DataFrame(X, columns=self.feature_names_in_)

    def _change_variables(self, X):
        check_is_fitted(self)
        return change_variables(self.transformer_, self._check_rows(X, reset=False))
