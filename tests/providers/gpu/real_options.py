"""Prints what sd-scripts take, as JSON; run by their own Python, in their folder."""

import importlib
import json
import sys

SCRIPTS = ("train_network", "sdxl_train_network", "flux_train_network")


def kind(action):
    """Return how an option is written in playground/engine_options.json."""
    if action.nargs == 0:
        return "flag"
    if action.choices and action.nargs is None:
        return [str(choice) for choice in action.choices if choice is not None]
    return getattr(action.type, "__name__", "str") + ("*" if action.nargs in ("*", "+") else "")


def options(script):
    actions = importlib.import_module(script).setup_parser()._actions
    return {action.option_strings[-1]: kind(action) for action in actions if "-h" not in action.option_strings}


def dataset():
    sanitizer = importlib.import_module("library.config_util").ConfigSanitizer(True, True, False, True)
    schemas = {
        "general": sanitizer.general_schema,
        "datasets": sanitizer.db_dataset_schema,
        "subsets": sanitizer.db_subset_schema,
    }
    return {name: sorted(map(str, schema)) for name, schema in schemas.items()}


if __name__ == "__main__":
    sys.path.insert(0, ".")
    told = {"options": {f"{script}.py": options(script) for script in SCRIPTS}, "dataset": dataset()}
    sys.stdout.write("\n" + json.dumps(told) + "\n")
