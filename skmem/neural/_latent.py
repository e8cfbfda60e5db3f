"""What a fitted latent-variable model can be asked: log-densities with their error, codes and samples."""

from numbers import Integral

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_array, check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skmem._math import logmeanexp, mean
from skmem.neural._psis import pareto_shapes
from skmem.neural._tables import TableDensity


def _keeps_stages(estimator):
    return estimator.checkpoint_epochs is not None


def standard_errors(log_weights, n_replicates):
    """Standard error of each column's log-mean-exp, from independent replicates of equal size.

    In nats; by the delta method, the standard error of the mean weight over that mean; nan for one replicate, or where
    all weights are zero.
    """
    if n_replicates < 2:
        return np.full(log_weights.shape[1], np.nan)
    replicates = logmeanexp(log_weights.reshape(n_replicates, -1, log_weights.shape[1]), axis=1)
    with np.errstate(invalid="ignore"):
        relative = np.exp(replicates - logmeanexp(replicates, axis=0))
    return relative.std(axis=0, ddof=1) / np.sqrt(n_replicates)


def _bound_and_error(log_weights, n_replicates):
    return np.stack([logmeanexp(log_weights, axis=0), standard_errors(log_weights, n_replicates)])


def _elbo(log_weights, n_replicates):
    return mean(log_weights, axis=0)[None]


def _pareto_shapes(log_weights, n_replicates):
    return pareto_shapes(log_weights)[None]


class LatentDensity(ClassNamePrefixFeaturesOutMixin, TransformerMixin, TableDensity):
    """Queries to a fitted net `net_` whose rows come from `X` through `_columns`."""

    def __sklearn_is_fitted__(self):
        return hasattr(self, "net_")

    @property
    def history_(self):
        """Skorch's history of the training: `train_loss` (minus the ELBO) for each epoch, and more."""
        check_is_fitted(self)
        return self.net_.history

    @property
    def stages_(self):
        """Epochs after which the parameters have been kept, and the last one, ascending."""
        check_is_fitted(self)
        from skmem.neural._checkpoints import stage_states

        return list(stage_states(self.net_))

    def score_samples(self, X, return_std=False):
        r"""Log-density of each row, by importance sampling.

        In nats; higher is better; the zero is that of the likelihood: a density for columns that are measured, a
        probability for those that are counted.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to score.
        return_std : bool, default=False
            Whether to return the Monte-Carlo standard errors too.

        Returns
        -------
        log_density : ndarray of shape (n_samples,)
            The importance-weighted bound, below log p(x) in expectation and equal to it in the limit.
        standard_error : ndarray of shape (n_samples,)
            Only with ``return_std=True``: the standard error of each; nan where there is one replicate alone, or
            the log-density is minus infinity.

        Notes
        -----
        With S = `n_importance_samples` draws :math:`z_s` of :math:`q(z|x)`, the encoder's or another `proposal`,

        .. math:: \log \hat p(x) = \log \frac{1}{S} \sum_s \frac{p(x|z_s)\, p(z_s)}{q(z_s|x)}

        (Burda, Grosse and Salakhutdinov 2016, eq. 8). The draws are the same normal noise for every row, from
        `noise_seed` alone: a row's value depends neither on its batch nor on its position, and differences between
        rows, or between fits, lose what their noise has in common. The standard error comes from independent
        scramblings of the Sobol points (with ``draws="random"``, from the draws) by the delta method. It can't be
        trusted where :meth:`pareto_k` is above 0.7. Below that it holds for the "laplace" proposal; an encoder's draws
        may all miss a part of the posterior, and in linear models 1 to 11 % of the rows are more than 3 of their
        errors off, the more the shorter the training.
        """
        module = self._scoring_module()
        bound, error = self._reduce_log_weights(module, X, _bound_and_error)
        return (bound, error) if return_std else bound

    @available_if(_keeps_stages)
    def staged_score_samples(self, X):
        """Log-density of each row after each epoch that `checkpoint_epochs` names, and as `score_samples` has it.

        In nats; higher is better; the zero is that of `score_samples`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows to score.

        Yields
        ------
        log_density : ndarray of shape (n_samples,)
            As :meth:`score_samples` would have given it after that epoch, with the same draws at every stage; at last
            what it gives now.

        Raises
        ------
        FileNotFoundError
            If a file that the fit has written to `checkpoint_dir` is gone.
        """
        for module in self._staged_modules():
            yield self._reduce_log_weights(module, X, _bound_and_error)[0]

    @available_if(_keeps_stages)
    def staged_elbo(self, X):
        """Evidence lower bound of each row after each epoch that `checkpoint_epochs` names.

        In nats; higher is better; the zero is that of `score_samples`, which takes several times as long.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Yields
        ------
        elbo : ndarray of shape (n_samples,)
            As :meth:`elbo` would have given it after that epoch.

        Raises
        ------
        FileNotFoundError
            If a file that the fit has written to `checkpoint_dir` is gone.
        """
        for module in self._staged_modules():
            yield self._reduce_log_weights(module, X, _elbo, "encoder")[0]

    def elbo(self, X):
        """Evidence lower bound of the log-density of each row.

        In nats; higher is better; below `score_samples` with ``proposal="encoder"``, by Jensen's inequality.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        elbo : ndarray of shape (n_samples,)
            Mean over draws of log p(x|z) + log p(z) - log q(z|x), with q the encoder's whatever `proposal` is, and
            whatever `beta` was in training.
        """
        module = self._scoring_module()
        return self._reduce_log_weights(module, X, _elbo, "encoder")[0]

    def pareto_k(self, X):
        """Pareto k-hat of each row's importance weights.

        Without unit; above 0.7 the row's log-density and standard error can't be trusted.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        k_hat : ndarray of shape (n_samples,)
            Estimated tail index; nan with fewer than 25 importance samples, inf where no draw has a density.

        Notes
        -----
        Vehtari et al., "Pareto smoothed importance sampling", JMLR 25 (2024). ``proposal="laplace"`` and more draws
        are the remedies.
        """
        module = self._scoring_module()
        return self._reduce_log_weights(module, X, _pareto_shapes)[0]

    def transform(self, X):
        """Mean of the encoder's distribution of each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        Z : ndarray of shape (n_samples, latent_dim)
            Codes; about standard normal over the training rows.
        """
        from skmem.neural._codes import posterior_means

        module = self._scoring_module()
        U, _ = self._columns.forward(self._check_query(X), self.noise_seed)
        return posterior_means(module, U)

    def inverse_transform(self, Z):
        """Mean of the decoder's distribution at each code.

        Parameters
        ----------
        Z : array-like of shape (n_samples, latent_dim)
            Codes.

        Returns
        -------
        X : ndarray of shape (n_samples, n_features)
            Means in the units of the columns; probabilities for "bernoulli" and "categorical"; for "codes" the number
            of the likeliest category; for "logit_gaussian" the level whose logit is the mean logit.
        """
        from skmem.neural._codes import decoded

        check_is_fitted(self)
        # Frames give read-only arrays, of which torch warns.
        Z = check_array(Z, dtype=(np.float64, np.float32), copy=True)
        if Z.shape[1] != self._n_features_out:
            raise ValueError(f"Z must have {self._n_features_out} columns, got {Z.shape[1]}.")
        return self._columns.backward(decoded(self._scoring_module(), Z, "mean"))

    def sample(self, n_samples=1, random_state=None):
        """Draw rows: a code from the prior, a row from the decoder's distribution at it.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows.
        random_state : int, RandomState instance or None, default=None
            Seed of the draws.

        Returns
        -------
        X : {ndarray, dataframe} of shape (n_samples, n_features)
            Rows drawn, each such as `fit` accepts; a frame if it was given one.
        """
        from skmem.neural._codes import decoded, prior_draws
        from skmem.neural._net import global_seed

        module = self._scoring_module()
        if not isinstance(n_samples, Integral) or n_samples < 1:
            raise ValueError(f"n_samples must be a positive integer, got {n_samples!r}.")
        seed = check_random_state(random_state).randint(2**31 - 1)
        with global_seed(seed, self.net_.device):
            U = decoded(module, prior_draws(module, n_samples), "sample")
        return self._as_fitted(self._columns.backward(U, possible=True))

    def _scoring_module(self):
        """A copy of the module that queries may change."""
        check_is_fitted(self)
        from skmem.neural._bounds import scoring_module

        return scoring_module(self.net_.module_, self.score_dtype)

    def _staged_modules(self):
        """The module of `_scoring_module` at each stage, one at a time."""
        from skmem.neural._checkpoints import stage_states

        module = self._scoring_module()
        for state in stage_states(self.net_).values():
            module.load_state_dict(state())
            yield module

    def _reduce_log_weights(self, module, X, reduce, proposal=None):
        """`reduce(log_weights, n_replicates)`, of shape (n_results, n_rows), for all rows side by side."""
        from skmem.neural._bounds import blocked_log_weights, standard_normal_draws
        from skmem.neural._proposals import resolve_proposal

        U, log_volume = self._columns.forward(self._check_query(X), self.noise_seed)
        noise, n_replicates = standard_normal_draws(
            self.n_importance_samples, self._n_features_out, self.draws, self.noise_seed
        )
        if proposal is None:
            proposal = resolve_proposal(self.proposal, self.module, self._n_features_out)
        blocks = blocked_log_weights(module, U, noise, proposal)
        results = [reduce(weights + log_volume[rows], n_replicates) for rows, weights in blocks]
        return np.concatenate(results, axis=1)
