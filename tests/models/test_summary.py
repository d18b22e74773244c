import stackrec_keras as sr


def summary(model):
    printed = []
    model.summary(print_fn=printed.append)
    return "\n".join(printed)


def test_it_tells_depth_dilations_and_parameters_of_a_block_after_a_growth_too():
    model = sr.NextItNet(9, 4, 2, dilations=(1, 2))
    # Two kernels (3, 4, 4), two biases, four vectors of norms and a gate.
    line = "stack (DilatedResidualStack): {} blocks, dilations 1, 2; 121 parameters"
    assert line.format(2) in summary(model)
    model.grow("stackC")
    assert line.format(4) in summary(model)


def test_each_stack_has_a_line_and_each_layer_its_shape():
    text = summary(sr.GRec(9, embedding_dim=4, num_blocks=2, encoder=True))
    assert "\n stack (DilatedResidualStack): 2 blocks" in text
    assert "\n encoder (DilatedResidualStack): 2 blocks" in text
    text = summary(sr.SSEPT(9, 3, 5, 2, 4, num_blocks=1, num_heads=2))
    assert "stack (ReZeroTransformerStack): 1 block, heads 2, norm post; " in text
    assert "(None, None, 6)" in text and "(None, 10)" in text
    assert "?" not in text


def test_without_print_fn_it_is_printed(capsys):
    sr.NextItNet(9, 4, 2).summary(line_length=60)
    assert "\n stack (DilatedResidualStack): 2 blocks" in capsys.readouterr().out
