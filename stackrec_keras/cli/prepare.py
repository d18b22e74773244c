"""`stackrec prepare`: writes the rows of a log larger than memory to a folder."""

from stackrec_keras.cli.options import add_options, typed_options
from stackrec_keras.runs.config import TrainConfig
from stackrec_keras.runs.data_checks import LEAVE_ONE_OUT_OPTIONS

_OPTIONS = ("user", "item", "timestamp", "length", "split", "split_seed")


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "prepare",
        help="split a log larger than memory, for `train --data`",
        description="Read a log from Parquet files, split it, and write its rows to a "
        "folder for `stackrec train --data FOLDER`. The log need not fit into memory.",
        epilog="Example: stackrec prepare 'clicks/*.parquet' --out prepared, then "
        "stackrec train --data prepared --out runs/first",
    )
    parser.add_argument(
        "data", metavar="LOG", help="Parquet files: a folder, a pattern or one file"
    )
    parser.add_argument(
        "--out", required=True, metavar="FOLDER", help="the folder to write"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace the prepared log in --out"
    )
    parser.add_argument(
        "--engine",
        choices=("local", "dask"),
        default="local",
        help="local uses this process, dask a Dask cluster (default: local)",
    )
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="the address of the Dask scheduler, such as tcp://10.0.0.1:8786",
    )
    add_options(parser, (*_OPTIONS, *LEAVE_ONE_OUT_OPTIONS))
    return parser


def run(args):
    from stackrec_keras.runs.prepared_data import prepare

    config = TrainConfig(**typed_options(args))
    split = prepare(config, args.out, args.overwrite, args.engine, args.scheduler)
    print(f"{split}\nWrote {args.out}")
