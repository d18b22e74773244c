import keras
from keras import ops


def scan_blocks(stack, x, training, context):
    """Applies the blocks of a stack in a loop over cycles, and compiles one cycle only.

    The result, including random numbers, is the same as when the blocks are applied one
    by one.

    Args:
        stack: A `BlockStack` of at least one whole cycle.
        x: Tensor of shape `(batch, time, dim)`.
        training: As in `BlockStack.call`.
        context: As in `BlockStack.call`.

    Returns:
        Tensor of shape `(batch, time, dim)`.
    """
    cycles = stack.depth // stack.cycle
    blocks = {
        name: ops.convert_to_tensor(variable)
        for name, variable in stack.variables_by_name().items()
    }
    shared = [(weight, ops.convert_to_tensor(weight)) for weight in stack.weights]
    weight_ids = {id(weight) for weight in stack.weights}
    seed_states = [v for v in stack.variables if id(v) not in weight_ids]

    def apply(carried, weights):
        x, values = carried
        # Seed states are passed through the loop: a value traced inside the loop must
        # not be assigned to a variable outside it.
        mapping = [*shared, *zip(seed_states, values)]
        with keras.StatelessScope(state_mapping=mapping) as scope:
            for kind in range(len(next(iter(weights.values())))):
                block = {name: weight[kind] for name, weight in weights.items()}
                x = stack.block(x, block, kind, training, context)
            values = [scope.get_current_value(state) for state in seed_states]
            return (x, values), None

    def split_into_cycles(weight):
        whole = weight[: cycles * stack.cycle]
        return ops.reshape(whole, (cycles, stack.cycle, *weight.shape[1:]))

    carried = (x, [ops.convert_to_tensor(state) for state in seed_states])
    weights = {name: split_into_cycles(weight) for name, weight in blocks.items()}
    carried, _ = ops.scan(apply, carried, weights)
    rest = {name: weight[cycles * stack.cycle :] for name, weight in blocks.items()}
    (x, values), _ = apply(carried, rest)
    for state, value in zip(seed_states, values):
        state.assign(value)
    return x
