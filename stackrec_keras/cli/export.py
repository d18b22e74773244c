"""`stackrec export`: writes a program that recommends."""

from stackrec_keras.cli.trained_model import read_trained_model


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "export",
        help="write a program that recommends items and needs no Keras",
        description="Write a program that recommends as `stackrec recommend` does: it "
        "takes histories and returns the best items. It needs neither Keras nor this "
        "package. PATH.items.json, beside it, lists the raw ids, from index 1 on.",
        epilog="Example: stackrec export runs/first --out recommender.onnx --format "
        "onnx (with KERAS_BACKEND=torch in the environment)",
    )
    parser.add_argument(
        "folder", metavar="FOLDER", help="a run folder, .keras file or preset"
    )
    parser.add_argument(
        "--out",
        dest="path",
        required=True,
        metavar="PATH",
        help="the program to write: a folder for tf_saved_model, or a file whose name "
        "ends in .onnx, .xml (openvino), .tflite (litert) or .pt2 (torch)",
    )
    parser.add_argument(
        "--format",
        default="tf_saved_model",
        metavar="NAME",
        help="tf_saved_model, onnx, openvino, litert or torch, where the backend "
        "allows it (default: tf_saved_model)",
    )
    parser.add_argument(
        "--k", type=int, default=10, help="how many items per history (default: 10)"
    )
    parser.add_argument(
        "--include-seen",
        action="store_true",
        help="also recommend items that are in the history",
    )
    return parser


def run(args):
    model = read_trained_model(args.folder)
    model.export_recommender(
        args.path, args.k, not args.include_seen, args.format, verbose=False
    )
    print(f"Wrote {args.path} and {args.path.rstrip('/')}.items.json")
