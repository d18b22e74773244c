"""`stackrec recipes`: lists the configurations of published results."""

from textwrap import indent


def add_parser(subparsers):
    return subparsers.add_parser(
        "recipes",
        help="list the recipes of `train --recipe`",
        description="List the configurations of published results. Each comes with "
        "the published figures and those measured with this package.",
        epilog="Example: stackrec recipes, then stackrec train --recipe sasrec-ml1m "
        "--out runs/sasrec-ml1m",
    )


def run(args):
    from stackrec_keras.runs.named_recipes import recipes

    blocks = (f"{name}\n{indent(text, '    ')}" for name, text in recipes().items())
    print("\n\n".join(blocks))
