"""`stackrec convert`: a checkpoint of StackRec's release as a `.keras` file."""

from pathlib import Path

from stackrec_keras.runs.config import CONVOLUTIONAL, TRANSFORMERS, integers


def add_parser(subparsers):
    """Adds the command to the command line."""
    parser = subparsers.add_parser(
        "convert",
        help="bring over a checkpoint of StackRec's release",
        description="Read a checkpoint of StackRec's release (the prefix of a "
        "TensorFlow 1 checkpoint, or a torch state_dict) and write a model that "
        "keras.saving.load_model reads. Sizes and depth follow from the file. With the "
        "file of sequences that it was trained on, the model knows its items by their "
        "ids; else by the release's numbers, which count from 1 as they appear in it.",
        epilog="Example: stackrec convert model.ckpt --model nextitnet --sequences "
        "movielen_20.csv --out model.keras",
    )
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help="what to read")
    parser.add_argument(
        "--model",
        required=True,
        choices=CONVOLUTIONAL + TRANSFORMERS,
        help="what it is of",
    )
    parser.add_argument(
        "--out", required=True, metavar="FILE.keras", help="what to write"
    )
    parser.add_argument(
        "--sequences",
        metavar="FILE.csv",
        help="what it was trained on: a sequence a row, padded with 0 or not",
    )
    parser.add_argument(
        "--user-column",
        action="store_true",
        help="the first column of --sequences is the user's id, as for ssept",
    )
    parser.add_argument(
        "--dilations",
        type=integers,
        metavar="N,N,...",
        help="of nextitnet and grec (default: 1,4)",
    )
    parser.add_argument(
        "--num-heads", type=int, metavar="N", help="of sasrec and ssept (default: 1)"
    )
    return parser


def run(args):
    """Runs the command."""
    from stackrec_keras.convert import build_stackrec_model, read_checkpoint
    from stackrec_keras.evaluation import model_title

    _check_out(args.out)
    given = {"dilations": args.dilations, "num_heads": args.num_heads}
    model = build_stackrec_model(
        args.model,
        read_checkpoint(args.checkpoint),
        args.sequences,
        args.user_column,
        **{name: value for name, value in given.items() if value is not None},
    )
    model.save(args.out)
    print(
        f"{model_title(model)}, {model.num_items:,} items, "
        f"{model.count_params():,} parameters: {args.out}"
    )


def _check_out(out):
    if Path(out).suffix != ".keras":
        raise ValueError(f"--out {out} must end in .keras.")
    if Path(out).exists():
        raise ValueError(f"--out {out} is there already. Give another name.")
