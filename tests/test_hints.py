import inspect

import pytest

import stackrec_keras as sr
from stackrec_keras import layers, models

SUBPACKAGES = [
    public for public in map(vars(sr).get, sr.__all__) if inspect.ismodule(public)
]
LATE = [sr.evaluation, sr.experiments, sr.runs, sr.tuning]
PACKAGES = [sr, models, layers, *LATE, *SUBPACKAGES]


def functions(public):
    """Name and function of what a user may call: itself, or a class' methods."""
    if inspect.isfunction(public):
        return {public.__name__: public}
    found = {}
    for kind in reversed(public.__mro__):
        if not kind.__module__.startswith("stackrec_keras"):
            continue  # Keras has no hints
        for name, member in vars(kind).items():
            member = getattr(member, "fget", getattr(member, "func", member))
            member = getattr(member, "__func__", member)
            is_public = not name.startswith("_") or name in ("__init__", "__call__")
            if is_public and inspect.isfunction(member):
                found[f"{public.__name__}.{name}"] = member
    return found


def lacking(function):
    """What of a function has no hint."""
    signature = inspect.signature(function)
    found = [
        parameter.name
        for parameter in signature.parameters.values()
        if parameter.annotation is parameter.empty
        and parameter.kind is not parameter.VAR_KEYWORD
        and parameter.name not in ("self", "cls")
    ]
    if signature.return_annotation is signature.empty:
        found.append("return")
    return found


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_all_that_is_public_has_hints(package):
    public = [getattr(package, name) for name in package.__all__]
    called = {}
    for each in public:
        if inspect.isclass(each) or inspect.isfunction(each):
            called |= functions(each)
    assert called
    without = {name: lacking(function) for name, function in called.items()}
    assert {name: found for name, found in without.items() if found} == {}
