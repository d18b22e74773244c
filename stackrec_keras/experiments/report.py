"""The report of a scenario: one table, and the same as JSON."""

import json
import os
from dataclasses import asdict
from statistics import fmean, stdev

import pandas as pd

from stackrec_keras import plot
from stackrec_keras.evaluation.table import TITLES
from stackrec_keras.experiments.arms import MONITOR
from stackrec_keras.runs.environment import environment

STACKED, SCRATCH = "stacked", "from scratch"
_NEARLY = 0.99


def write_report(out, scenario, split, arms):
    """Writes the report into the scenario's folder.

    Args:
        out: `Path` of the folder.
        scenario: String, its name.
        split: The `Split` that all arms were trained on.
        arms: List of `Arm`, of one or several seeds.

    Returns:
        String, the table.
    """
    speed_ups = [speed_up(arms, seed) for seed in _seeds(arms)]
    table = scenario_table(arms, speed_ups, split)
    _write(out / "scenario.md", table + "\n")
    figures = {
        "scenario": scenario,
        "split": split.hash,
        "test_rows": len(split.test),
        "arms": [_arm_figures(arm, arms) for arm in arms],
        "popularity": arms[0].popularity,
        "speed_ups": speed_ups,
        "environment": environment(),
    }
    plot.quality_vs_time(histories(arms), out / "scenario.png", MONITOR)
    _write(out / "scenario.json", json.dumps(figures, indent=2) + "\n")
    return table


def histories(arms):
    """Returns a dict from name to the frames of its arms, one a seed, in which the
    seconds of what was before count."""
    found: dict[str, list] = {}
    for arm in arms:
        frame = pd.DataFrame(arm.rows).assign(training_seconds=arm.clock)
        found.setdefault(arm.name, []).append(frame)
    return found


def speed_up(arms, seed):
    """How much sooner the stacked net was as good as the one from scratch.

    Returns:
        Dict: `seed`; `best`, the seconds of the net from scratch to its best epoch by
        those of the stacked net to the same validation quality; `nearly`, by those to
        99% of it; `both_nearly`, from and to 99% of it; `last_stage`, as `best`, but
        the stacked net's seconds begin with its last stage; and `quality`, the stacked
        net's MRR@5 on the test rows by the other's. A speed-up is `None` where the
        stacked net never came there, `quality` where the other's is 0.
    """
    stacked, scratch = (_find(arms, name, seed) for name in (STACKED, SCRATCH))
    goal = max(scratch.values)

    def ratio(share_there, share_here):
        there = scratch.seconds_to(share_there * goal)
        return _ratio(there, stacked.seconds_to(share_here * goal))

    return {
        "seed": seed,
        "best": ratio(1, 1),
        "nearly": ratio(1, _NEARLY),
        "both_nearly": ratio(_NEARLY, _NEARLY),
        "last_stage": _ratio(scratch.seconds_to(goal), stacked.last_stage_to(goal)),
        "quality": _quality_ratio(stacked.test["mrr@5"], scratch.test["mrr@5"]),
    }


def scenario_table(arms, speed_ups, split):
    """Returns the table and what is said below it, as Markdown."""
    popularity = arms[0].popularity
    names = list(dict.fromkeys(arm.name for arm in arms))
    header = ["", "blocks", "seconds", "by stage", "s to best", "s to 99%"]
    rows = [header + [TITLES[metric] for metric in popularity]]
    rows += [_row([a for a in arms if a.name == name], arms) for name in names]
    quality = [_quality([popularity[metric]]) for metric in popularity]
    rows.append(["popularity", "", "", "", "", "", *quality])
    return "\n".join([*_markdown(rows), "", *_remarks(arms, speed_ups, split)])


def _row(same, arms):
    """The row of an arm over its seeds."""
    return [
        same[0].name,
        " / ".join(dict.fromkeys(str(arm.num_blocks) for arm in same)),
        _seconds([arm.seconds for arm in same]),
        _by_stage(same),
        *(
            _seconds([arm.seconds_to(share * _goal(arms, arm.seed)) for arm in same])
            for share in (1, _NEARLY)
        ),
        *(_quality([arm.test[metric] for arm in same]) for metric in same[0].test),
    ]


def _by_stage(same):
    """Depth, share of the rows and mean seconds of each stage."""
    stages = zip(*(arm.stages for arm in same), strict=True)
    return " + ".join(
        f"{_stage_title(stage[0])}: {_seconds([s.seconds for s in stage])}"
        for stage in stages
    )


def _stage_title(stage):
    share = "" if stage.data_share == 1 else f" on {100 * stage.data_share:g}%"
    return f"{stage.task} {stage.num_blocks}{share}".strip()


def _remarks(arms, speed_ups, split):
    def told(name, without="never there"):
        found = [s[name] for s in speed_ups if s[name] is not None]
        missing = len(speed_ups) - len(found)
        text = f"{fmean(found):.2f}" if found else without
        if len(found) > 1:
            text += f" ({min(found):.2f} to {max(found):.2f})"
        if found and missing:
            text += f", in {missing} of {len(speed_ups)} seeds {without}"
        return text

    seeds = ", ".join(map(str, _seeds(arms)))
    lines = [
        f"Speed-up to the from-scratch net's best {MONITOR}: {told('best')}; to 99% of "
        f"it: {told('nearly')}; from 99% to 99%: {told('both_nearly')}.",
        f"Stacked by from scratch, MRR@5 on the test rows: "
        f"{told('quality', 'not to be told, as from scratch has 0')}.",
        f"{len(split.test):,} test rows · split {split.hash} · seeds {seeds} · weights "
        f"of the best epoch at a net's last depth, by {MONITOR} · seconds with "
        "validation, growth and compiling · to best, to 99%: until the net was as good "
        "as the best of the one from scratch, shallow stages included",
    ]
    if _shares_out(arms):
        lines.insert(
            1,
            "Counted from the last stage on, as the net before it is there already: "
            f"{told('last_stage')} to the best.",
        )
    rising = sum(
        arm.best_epoch == len(arm.rows) - 1 for arm in arms if arm.name == SCRATCH
    )
    if rising:
        lines.append(
            f"In {rising} of {len(_seeds(arms))} seeds the net from scratch was best "
            "in its last epoch: with more --epochs it may become better still."
        )
    return [line for text in lines for line in (text, "")][:-1]


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
        "clock": arm.clock,
        MONITOR: arm.values,
        "test": arm.test,
    }


def _goal(arms, seed):
    """The best validation quality of the net from scratch."""
    return max(_find(arms, SCRATCH, seed).values)


def _shares_out(arms):
    """Whether the stacked net did not see all rows at first."""
    stages = [stage for arm in arms for stage in arm.stages]
    return any(stage.data_share < 1 for stage in stages)


def _ratio(there, here):
    return None if here is None else round(there / here, 3)


def _find(arms, name, seed):
    return next(arm for arm in arms if (arm.name, arm.seed) == (name, seed))


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
        return "never" if len(values) == 1 else f"never in {missing}"
    digits = 0 if fmean(values) >= 10 else 1
    spread = f" ± {stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{fmean(values):.{digits}f}{spread}"


def _markdown(rows):
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return [lines[0], rule, *lines[1:]]


def _write(path, text):
    """Writes a file; it is there whole or not at all."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
