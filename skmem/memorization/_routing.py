"""Parameters of `fit` that go on to the estimator, as scikit-learn routes them."""

from sklearn import get_config
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing


class RoutedFit:
    """A meta-estimator that passes parameters of `fit` on to the one of its estimator."""

    def get_metadata_routing(self):
        """Routing of the parameters of `fit`: `groups` are for the scorer, all others for its estimator.

        Returns
        -------
        routing : MetadataRouter
            What the estimator and the scorer request.
        """
        to_fit = MethodMapping().add(caller="fit", callee="fit")
        router = MetadataRouter(owner=type(self).__name__).add_self_request(self)
        return router.add(estimator=self._estimator(), method_mapping=to_fit)

    def _routed(self, params):
        """Those of `params` that go on: all that are given, or with metadata routing those that are requested."""
        params = {name: value for name, value in params.items() if value is not None}
        if not params or not get_config()["enable_metadata_routing"]:
            return params
        return process_routing(self, "fit", **params).estimator.fit
