"""The folder of a search, and the names of its files."""

from pathlib import Path

from stackrec_keras.errors import ArgumentError
from stackrec_keras.experiments.search_config import TuneConfig
from stackrec_keras.runs.folder import RunFolder


class SearchFolder(RunFolder):
    """The files of a search: the files of its best trial's run, and some more."""

    trials: Path
    picture: Path
    search_config: Path
    search: Path

    _FILES = {
        **RunFolder._FILES,
        "trials": "trials.csv",
        "picture": "quality_vs_time.png",
        "search_config": "search.json",
        "search": "search",
    }

    @property
    def holds_run(self):
        """Whether a trial was started here."""
        return self.search.exists() or super().holds_run

    def check_same_search(self, config):
        """Checks that a `TuneConfig` matches the search in this folder."""
        if TuneConfig.from_json(self.read("search_config")) != config:
            raise ArgumentError(
                "out",
                "holds a search that was started with other options",
                "Leave them out to resume it (they are in its search.json), or give "
                "another folder.",
                self.path,
            )
