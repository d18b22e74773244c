"""The folder of a search, and which file is what."""

from pathlib import Path

from stackrec_keras.experiments.search_config import TuneConfig
from stackrec_keras.runs.folder import RunFolder


class SearchFolder(RunFolder):
    """The files of a search: those of a run, of its best trial, and some more."""

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
        """Whether a trial was begun here."""
        return self.search.exists() or super().holds_run

    def check_same_search(self, config):
        """Raises a ValueError if a `TuneConfig` is not that of the search here."""
        if TuneConfig.from_json(self.read("search_config")) != config:
            raise ValueError(
                f"The options do not fit the search in {self.path}, which was started "
                "with those in its search.json. Leave them out to --resume, or give "
                "another --out."
            )
