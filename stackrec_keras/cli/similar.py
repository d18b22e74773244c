"""`stackrec similar`: finds items that a run's model treats as similar."""

import json

from stackrec_keras.cli.options import add_trained_options
from stackrec_keras.cli.trained_model import read_trained_model
from stackrec_keras.cli.typed_ids import (
    print_ranked,
    ranked_as_json,
    ranked_pairs,
    typed_items,
)


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "similar",
        help="find similar items",
        description="Find similar items by the cosine similarity of their input "
        "embeddings in the model of a run.",
        epilog="Example: stackrec similar runs/first --items 'Jaws (1975)' --k 5",
    )
    add_trained_options(parser, "a run folder, .keras file or preset")
    parser.add_argument(
        "--items",
        nargs="+",
        action="extend",
        metavar="ID",
        required=True,
        help="ids of items; each gets its own list",
    )
    parser.add_argument(
        "--k", type=int, default=10, help="how many items per item (default: 10)"
    )
    return parser


def run(args):
    model = read_trained_model(args.folder)
    items = typed_items(args.items, model.vocabulary)
    ids, scores = model.similar_items(items, args.k)
    found = [ranked_pairs(*row) for row in zip(ids, scores, strict=True)]
    if args.json:
        output = [
            {"item": item, "similar": ranked_as_json(ranked)}
            for item, ranked in zip(items, found, strict=True)
        ]
        print(json.dumps(output, indent=2, ensure_ascii=False, default=str))
        return
    for item, ranked in zip(items, found, strict=True):
        print(f"Similar to {item}")
        print_ranked(ranked)
