"""The report of an experiment: its tables, also as JSON."""

import json
import os
from dataclasses import asdict
from statistics import fmean, stdev
from textwrap import fill

import pandas as pd

from stackrec_keras import plot
from stackrec_keras.evaluation.markdown import markdown_table
from stackrec_keras.evaluation.table import column_title
from stackrec_keras.runs.config import MONITOR
from stackrec_keras.runs.environment import environment
from stackrec_keras.stacking import growth_bound
from stackrec_keras.wording import counted

STACKED, SCRATCH, SHALLOW = "stacked", "from scratch", "shallow, as long"
TRAINED_ON = "shallow, trained on"
_NEARLY = 0.99
_WHOLE_WORDS = {"break_long_words": False, "break_on_hyphens": False}


def write_report(out, scenario, split, arms):
    """Writes the report into an experiment's folder.

    Args:
        out: `Path` of the folder.
        scenario: String, the experiment's name.
        split: The `Split` that all arms were trained on.
        arms: List of `Arm`, of one or several seeds.

    Returns:
        String, the tables and remarks.
    """
    speed_ups = [speed_up(arms, seed) for seed in _seeds(arms)]
    bounds = growth_bounds(arms)
    table = scenario_table(arms, speed_ups, split, bounds)
    _write(out / "scenario.md", table + "\n")
    figures = {
        "scenario": scenario,
        "split": split.hash,
        "test_rows": len(split.test),
        "arms": [_arm_figures(arm, arms) for arm in arms],
        "popularity": arms[0].popularity,
        "speed_ups": speed_ups,
        "growth_bounds": bounds,
        "environment": environment(),
    }
    plot.quality_vs_time(histories(arms), out / "scenario.png", MONITOR)
    _write(out / "scenario.json", json.dumps(figures, indent=2) + "\n")
    return table


def histories(arms):
    """Returns a dict from an arm's name to a list of frames, one for each seed. The
    column `training_seconds` counts from the start of the arm's first stage."""
    found: dict[str, list] = {}
    for arm in arms:
        frame = pd.DataFrame(arm.rows).assign(training_seconds=arm.clock)
        found.setdefault(arm.name, []).append(frame)
    return found


def speed_up(arms, seed):
    """Returns the speed-ups of the stacked model over the model from scratch.

    Returns:
        A dict. `best` is the time of the model from scratch to its best validation
        quality, divided by the stacked model's time to the same quality. In
        `nearly`, the stacked model need only reach 99% of that quality. In
        `both_nearly`, this holds for both models. `last_stage` is `best` with the
        stacked model's time counted from the start of its last stage, when the last
        rows arrive. `trained_on` is the same for the shallow model that is trained on
        without growing, if there is one. These are `None`
        if the quality was not reached. `quality` is the stacked model's test MRR@5
        divided by the other model's, or `None` if the other's is 0. `seed` is the seed.
    """
    stacked, scratch, trained_on = (
        _find(arms, name, seed) for name in (STACKED, SCRATCH, TRAINED_ON)
    )
    goal = max(scratch.values)

    def ratio(part_there, part_here):
        there = scratch.seconds_to(part_there * goal)
        return _ratio(there, stacked.seconds_to(part_here * goal))

    def from_arrival(arm):
        return _ratio(scratch.seconds_to(goal), arm.last_stage_to(goal))

    found = {} if trained_on is None else {"trained_on": from_arrival(trained_on)}
    return {
        "seed": seed,
        "best": ratio(1, 1),
        "nearly": ratio(1, _NEARLY),
        "both_nearly": ratio(_NEARLY, _NEARLY),
        "last_stage": from_arrival(stacked),
        **found,
        "quality": _quality_ratio(stacked.test["mrr@5"], scratch.test["mrr@5"]),
    }


def growth_bounds(arms):
    """Returns the `growth_bound` of each seed that has a shallow model and a deep one
    from scratch, both trained on all rows."""
    if _uses_fractions(arms):
        return []
    curves = {
        (arm.name, arm.seed): {"seconds": arm.clock, MONITOR: arm.values}
        for arm in arms
        if not arm.before
    }
    pairs = [[(name, seed) for name in (SHALLOW, SCRATCH)] for seed in _seeds(arms)]
    return [
        round(growth_bound(curves[shallow], curves[deep], MONITOR), 3)
        for shallow, deep in pairs
        if shallow in curves and deep in curves
    ]


def scenario_table(arms, speed_ups, split, bounds=()):
    """Returns two tables, times and quality, and the remarks below them, as
    Markdown."""
    popularity = arms[0].popularity
    same = [
        [arm for arm in arms if arm.name == name]
        for name in dict.fromkeys(arm.name for arm in arms)
    ]
    times = [["", "blocks", "seconds", "by stage", "s to best", "s to 99%"]]
    times += [_times(of_one, arms) for of_one in same]
    if _uses_fractions(arms):
        times[0].append("s from arrival")
        for row, of_one in zip(times[1:], same):
            row.append(_seconds([_from_arrival(arm, arms) for arm in of_one]))
    quality = [["", *map(column_title, popularity)]]
    quality += [_qualities(of_one[0].name, [a.test for a in of_one]) for of_one in same]
    quality.append(_qualities("popularity", [popularity]))
    tables = [markdown_table(times), markdown_table(quality)]
    remarks = [
        fill(text, 100, **_WHOLE_WORDS)
        for text in _remarks(arms, speed_ups, split, bounds)
    ]
    return "\n\n".join([*tables, *remarks])


def _times(same, arms):
    """Returns a row of the table of times: one arm, over all its seeds."""
    return [
        same[0].name,
        " / ".join(dict.fromkeys(str(arm.num_blocks) for arm in same)),
        _seconds([arm.seconds for arm in same]),
        _by_stage(same),
        *(
            _seconds([arm.seconds_to(part * _goal(arms, arm.seed)) for arm in same])
            for part in (1, _NEARLY)
        ),
    ]


def _qualities(name, results):
    """Returns a row of the table of quality: one arm, over the results of all seeds."""
    found = [[one[metric] for one in results] for metric in results[0]]
    return [name, *map(_quality, found)]


def _from_arrival(arm, arms):
    """Returns the seconds from the arrival of the last rows to the best validation
    quality of the model from scratch."""
    goal = _goal(arms, arm.seed)
    before = any(stage.data_share < 1 for stage in arm.stages)
    return arm.last_stage_to(goal) if before else arm.seconds_to(goal)


def _by_stage(same):
    """Returns the depth, fraction of the rows and mean seconds of each stage."""
    stages = zip(*(arm.stages for arm in same), strict=True)
    return " + ".join(
        f"{_stage_title(stage[0])}: {_seconds([s.seconds for s in stage])}"
        for stage in stages
    )


def _stage_title(stage):
    share = "" if stage.data_share == 1 else f" on {100 * stage.data_share:g}%"
    return f"{stage.task} {stage.num_blocks}{share}".strip()


def _remarks(arms, speed_ups, split, bounds):
    def told(name, without="not reached"):
        found = [s[name] for s in speed_ups if s[name] is not None]
        missing = len(speed_ups) - len(found)
        text = _spread(found) if found else without
        if found and missing:
            text += f", {without} in {missing} of {counted(len(speed_ups), 'seed')}"
        return text

    seeds = ", ".join(map(str, _seeds(arms)))
    lines = [
        f"Speed-up to the best {MONITOR} of the model from scratch: {told('best')}. If "
        f"the stacked model need only reach 99% of it: {told('nearly')}. If both "
        f"models need only reach 99% of it: {told('both_nearly')}."
    ]
    if _uses_fractions(arms):
        text = (
            "Speed-up from the arrival of the last rows, when only the last stage of "
            "the stacked model counts, because the model before it already exists: "
            f"{told('last_stage')}."
        )
        if "trained_on" in speed_ups[0]:
            text += (
                " The same for the shallow model that is trained on without growing: "
                f"{told('trained_on')}."
            )
        lines.append(text)
    if bounds:
        lines.append(
            f"Growth bound: {_spread(bounds)}. With a perfect growth step, the shallow "
            f"model could reach the best {MONITOR} of the model from scratch this many "
            "times faster. If the bound is near 1, growing cannot save much here."
        )
    undefined = "undefined (the from-scratch score is 0)"
    lines += [
        "Test MRR@5 of the stacked model divided by that of the model from scratch: "
        f"{told('quality', undefined)}.",
        "Each model is tested with the weights of its best epoch at its last depth, by "
        f'{MONITOR}. Seconds include validation, growth steps and compiling. "s to '
        'best" are the seconds, shallow stages included, until the model was as good '
        'as the best epoch of the model from scratch, and "s to 99%" until it reached '
        "99% of that.",
        f"{counted(len(split.test), 'test row')} · split {split.hash} · seeds {seeds}",
    ]
    rising = sum(
        arm.best_epoch == len(arm.rows) - 1 for arm in arms if arm.name == SCRATCH
    )
    if rising:
        lines.append(
            f"In {rising} of {counted(len(_seeds(arms)), 'seed')} the model from "
            "scratch was best in its last epoch: with more epochs it may improve "
            "further."
        )
    return lines


def _arm_figures(arm, arms):
    goal = _goal(arms, arm.seed)
    return {
        "name": arm.name,
        "seed": arm.seed,
        "num_blocks": arm.num_blocks,
        "best_epoch": arm.best_epoch,
        "stages": [asdict(stage) for stage in arm.stages],
        "seconds": arm.seconds,
        "seconds_to_best": arm.seconds_to(goal),
        "seconds_to_99_percent": arm.seconds_to(_NEARLY * goal),
        "seconds_from_arrival": _from_arrival(arm, arms),
        "clock": arm.clock,
        MONITOR: arm.values,
        "test": arm.test,
    }


def _spread(values):
    """Returns the mean as text, with the range if there are several values."""
    text = f"{fmean(values):.2f}"
    if len(values) > 1:
        text += f" ({min(values):.2f} to {max(values):.2f})"
    return text


def _goal(arms, seed):
    """Returns the best validation quality of the model from scratch."""
    return max(_find(arms, SCRATCH, seed).values)


def _uses_fractions(arms):
    """Returns whether a stage was trained on a fraction of the rows."""
    stages = [stage for arm in arms for stage in arm.stages]
    return any(stage.data_share < 1 for stage in stages)


def _ratio(there, here):
    return None if here is None else round(there / here, 3)


def _find(arms, name, seed):
    found = (arm for arm in arms if (arm.name, arm.seed) == (name, seed))
    return next(found, None)


def _seeds(arms):
    return list(dict.fromkeys(arm.seed for arm in arms))


def _quality_ratio(stacked, scratch):
    return round(stacked / scratch, 4) if scratch else None


def _quality(values):
    spread = f" ± {stdev(values):.4f}" if len(values) > 1 else ""
    return f"{fmean(values):.4f}{spread}"


def _seconds(values):
    if None in values:
        missing = f"{values.count(None)} of {len(values)}"
        return "not reached" if len(values) == 1 else f"not reached in {missing}"
    digits = 0 if fmean(values) >= 10 else 1
    spread = f" ± {stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{fmean(values):.{digits}f}{spread}"


def _write(path, text):
    """Writes a file atomically."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
