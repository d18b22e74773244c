"""`stackrec methods`: lists the stacking methods and which blocks they copy."""


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "methods",
        help="list the stacking methods",
        description="List the stacking methods. For each, show which block of the "
        "shallow model is copied into each block of the deep one, from the bottom; - "
        "means a new random block.",
        epilog="Example: stackrec methods --old 18 --new 24 --top-blocks 6",
    )
    parser.add_argument(
        "--old",
        type=int,
        default=4,
        metavar="N",
        help="blocks of the shallow model (default: %(default)s)",
    )
    parser.add_argument(
        "--new",
        type=int,
        default=8,
        metavar="N",
        help="blocks of the deep model (default: %(default)s)",
    )
    parser.add_argument(
        "--top-blocks",
        type=int,
        metavar="N",
        help="stack only this many of the top blocks",
    )
    parser.add_argument(
        "--cycle",
        type=int,
        default=1,
        metavar="N",
        help="number of blocks after which the dilations repeat (default: 1)",
    )
    return parser


def run(args):
    from stackrec_keras.stacking import block_sources, methods

    print(f"{args.old} -> {args.new} blocks")
    for method in methods():
        shown = "keeps no blocks, so --top-blocks does not apply"
        if args.top_blocks is None or method.keeps_rest:
            sources = block_sources(
                method.name, args.old, args.new, args.top_blocks, args.cycle
            )
            shown = " ".join("-" if s is None else str(s) for s in sources)
        print(f"\n{method.name}\n    {method.description}\n    {shown}")
