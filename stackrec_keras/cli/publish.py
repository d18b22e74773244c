"""`stackrec publish`: writes the model of a run for the Hugging Face hub."""


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "publish",
        help="write the model of a run and its model card, for the Hugging Face hub",
        description="Write what a repository on the Hugging Face hub holds: the model "
        "with its vocabulary, and a model card with its results and the command that "
        "trained it. sr.load_preset loads the folder, from disk or from the hub.",
        epilog="Example: stackrec publish runs/films --out films, then "
        "hf upload USER/films films",
    )
    parser.add_argument("run_folder", metavar="RUN", help="a run folder")
    parser.add_argument(
        "--out",
        dest="folder",
        required=True,
        metavar="FOLDER",
        help="the folder to write; its name is the name of the model",
    )
    parser.add_argument(
        "--license",
        metavar="NAME",
        help="the license of the weights, in the hub's spelling, such as apache-2.0",
    )
    return parser


def run(args):
    from stackrec_keras.runs import publish

    folder = publish(args.run_folder, args.folder, args.license)
    print(f"Wrote {folder}. To upload it: hf upload USER/{folder.name} {args.folder}")
