"""The picture of a scenario: quality against wall-clock, all arms."""

from stackrec_keras.cli.scenario.arms import MONITOR


def draw_curve(arms, path):
    """Draws each arm's validation quality against the seconds of its training.

    An arm has one colour and a line a seed; a triangle marks the first epoch of each
    deeper stage.

    Args:
        arms: List of `Arm`.
        path: Where to write the picture.

    Returns:
        A `matplotlib.figure.Figure`.
    """
    from stackrec_keras.plot.figure import finished, new_figure

    figure = new_figure(8.0, 5.0)
    axes = figure.subplots()
    colours = {}
    for arm in arms:
        label = None if arm.name in colours else arm.name
        colour = colours.setdefault(arm.name, f"C{len(colours)}")
        axes.plot(arm.clock, arm.values, color=colour, label=label, linewidth=1.2)
        grown = _grown(arm)
        axes.plot(
            [arm.clock[epoch] for epoch in grown],
            [arm.values[epoch] for epoch in grown],
            color=colour,
            marker="^",
            linestyle="none",
        )
    axes.set_xlabel("seconds of training (▲: first epoch after a growth)")
    axes.set_ylabel(f"{MONITOR} (0 to 1)")
    axes.set_xlim(left=0)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    return finished(figure, path)


def _grown(arm):
    """The epochs that begin with a growth."""
    depths = [row["num_blocks"] for row in arm.rows]
    return [i for i in range(1, len(depths)) if depths[i] != depths[i - 1]]
