"""Which constructor arguments of a model are set by the data or the search space."""

import inspect
from dataclasses import replace

from stackrec_keras.errors import ArgumentError
from stackrec_keras.models.sequential_recommender import SequentialRecommender
from stackrec_keras.tuning.search_space import SearchSpace
from stackrec_keras.wording import did_you_mean

_WIDTHS = (("embedding_dim",), ("item_dim", "user_dim"))


def set_by_data(model_class, data):
    """Returns a dict of the arguments that a `Split` determines."""
    known = {
        "num_items": data.num_items,
        "num_users": data.num_users,
        "max_length": data.train.length - 1,
    }
    names = argument_names(model_class)
    return {name: value for name, value in known.items() if name in names}


def set_by_space(model_class, drawn):
    """Returns a dict of the arguments that a trial's `SearchSpace` values set."""
    arguments = {"num_blocks": drawn.start_blocks}
    if drawn.dropout is not None:
        arguments["dropout"] = drawn.dropout
    if drawn.width is not None:
        arguments.update(dict.fromkeys(width_names(model_class), drawn.width))
    return arguments


def fit_space(space, model_class):
    """Returns a `SearchSpace` without the parameters that a model does not have."""
    for name, exists in (
        ("width", bool(width_names(model_class))),
        ("dropout", "dropout" in argument_names(model_class)),
    ):
        value = getattr(space, name)
        if exists or value is None:
            continue
        if value != getattr(SearchSpace, name):
            reason = f"does not fit {model_class.__name__}, which has no {name}"
            raise ArgumentError(name, reason, "Leave it out of SearchSpace.", value)
        space = replace(space, **{name: None})
    return space


def check_model_arguments(model_class, data, given):
    """Checks that a model has the given arguments, and that nothing else sets them."""
    names = argument_names(model_class)
    elsewhere = {
        **dict.fromkeys(set_by_data(model_class, data), "is set by data"),
        "num_blocks": "is set by start_blocks of SearchSpace",
        "dropout": "is set by dropout of SearchSpace",
        **dict.fromkeys(width_names(model_class), "is set by width of SearchSpace"),
    }
    for name, value in given.items():
        if name in elsewhere:
            raise ArgumentError(name, elsewhere[name], "Leave it out.", value)
        if name not in names:
            free = sorted(set(names) - set(elsewhere))
            raise ArgumentError(
                name,
                f"is not an argument of {model_class.__name__}, which has "
                f"{', '.join(free)}",
                did_you_mean(name, free),
                value,
            )


def width_names(model_class):
    """Returns the names of the arguments that set a model's width."""
    names = argument_names(model_class)
    return next((widths for widths in _WIDTHS if set(widths) <= set(names)), ())


def argument_names(model_class):
    """Returns the names of the constructor's arguments, including those that it passes
    to a parent class."""
    kinds = {}
    for cls in model_class.__mro__:
        if cls is SequentialRecommender:
            kinds.update(_options_of_base())
            break
        if "__init__" in vars(cls):
            _, *parameters = inspect.signature(cls.__init__).parameters.values()
            kinds.update({p.name: p.kind for p in parameters})
            if inspect.Parameter.VAR_KEYWORD not in kinds.values():
                break
    return [name for name, kind in kinds.items() if kind != kind.VAR_KEYWORD]


def _options_of_base():
    """Returns the arguments that every model passes on to `SequentialRecommender`.
    These are the arguments with a default. Those without one are sizes, which each
    model sets itself."""
    parameters = inspect.signature(SequentialRecommender.__init__).parameters.values()
    return {p.name: p.kind for p in parameters if p.default is not p.empty}
