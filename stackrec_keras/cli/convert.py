"""`stackrec convert`: turns a checkpoint of StackRec's reference implementation into a
`.keras` file."""

from pathlib import Path

from stackrec_keras.errors import ArgumentError
from stackrec_keras.models.registry import STACKREC
from stackrec_keras.runs.config import integers
from stackrec_keras.wording import counted


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "convert",
        help="convert a checkpoint of StackRec's reference implementation",
        description="Read a checkpoint of StackRec's reference implementation (the "
        "prefix of a TensorFlow 1 checkpoint, or a torch state_dict) and write a model "
        "that keras.saving.load_model reads. The checkpoint determines sizes and "
        "depth. If you give --sequences, the model has the item ids of that file. "
        "Otherwise, it has the reference implementation's item numbers, which count "
        "from 1 in the order in which items first appear.",
        epilog="Example: stackrec convert model.ckpt --model nextitnet --sequences "
        "movielen_20.csv --out model.keras",
    )
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help="what to read")
    parser.add_argument(
        "--model",
        required=True,
        choices=STACKREC,
        help="the architecture",
    )
    parser.add_argument(
        "--out", required=True, metavar="FILE.keras", help="what to write"
    )
    parser.add_argument(
        "--sequences",
        metavar="FILE.csv",
        help="what the checkpoint was trained on: one sequence per row, 0 for padding",
    )
    parser.add_argument(
        "--user-column",
        action="store_true",
        help="each row of --sequences begins with a user id, as in files for ssept",
    )
    parser.add_argument(
        "--dilations",
        type=integers,
        metavar="N,N,...",
        help="nextitnet and grec: dilations (default: 1,4)",
    )
    parser.add_argument(
        "--num-heads",
        type=int,
        metavar="N",
        help="sasrec and ssept: attention heads (default: 1)",
    )
    return parser


def run(args):
    from stackrec_keras.convert import build_stackrec_model, read_checkpoint
    from stackrec_keras.evaluation import model_title

    if Path(args.out).suffix != ".keras":
        raise ArgumentError("out", "must end in .keras", received=args.out)
    if Path(args.out).exists():
        raise ArgumentError("out", "already exists", "Give another name.", args.out)
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
        f"{model_title(model)}, {counted(model.num_items, 'item')}, "
        f"{model.count_params():,} parameters, written to {args.out}"
    )
