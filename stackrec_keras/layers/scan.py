import keras
from keras import ops


def scan_blocks(stack, x, training, context):
    """Applies the blocks of a stack in a loop that compiles one cycle of them.

    It computes, and draws at random, what applying them one by one does.

    Args:
        stack: A `BlockStack` of at least one cycle.
        x: Tensor of shape `(batch, time, dim)`.
        training: As in the call of the stack.
        context: As in the call of the stack.

    Returns:
        Tensor of shape `(batch, time, dim)`.
    """
    cycles = stack.depth // stack.cycle
    blocks = {
        name: ops.convert_to_tensor(variable)
        for name, variable in stack.variables_by_name().items()
    }
    shared = [(weight, ops.convert_to_tensor(weight)) for weight in stack.weights]
    are_weights = {id(weight) for weight in stack.weights}
    states = [v for v in stack.variables if id(v) not in are_weights]  # of random seeds

    def apply(carried, weights):
        x, values = carried
        # What is traced within the loop must not be assigned outside it.
        mapping = [*shared, *zip(states, values)]
        with keras.StatelessScope(state_mapping=mapping) as scope:
            for kind in range(len(next(iter(weights.values())))):
                block = {name: weight[kind] for name, weight in weights.items()}
                x = stack.block(x, block, kind, training, context)
            return (x, [scope.get_current_value(state) for state in states]), None

    def in_cycles(weight):
        whole = weight[: cycles * stack.cycle]
        return ops.reshape(whole, (cycles, stack.cycle, *weight.shape[1:]))

    carried = (x, [ops.convert_to_tensor(state) for state in states])
    weights = {name: in_cycles(weight) for name, weight in blocks.items()}
    carried, _ = ops.scan(apply, carried, weights)
    rest = {name: weight[cycles * stack.cycle :] for name, weight in blocks.items()}
    (x, values), _ = apply(carried, rest)
    for state, value in zip(states, values):
        state.assign(value)
    return x
