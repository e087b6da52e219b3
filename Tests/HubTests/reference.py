"""What Python's hashlib and huggingface_hub make of the same. Run as `reference.py COMMAND ...`; the answer
is printed as JSON.
"""

import hashlib
import importlib
import json
import os
import sys

os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HUB_DISABLE_XET"] = "1"
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"


def hash_lengths(count):
    """SHA-256 of the first n bytes of 0, 7, 14, ... modulo 256, for every n below `count`."""
    content = bytes(7 * i % 256 for i in range(int(count)))
    return [hashlib.sha256(content[:length]).hexdigest() for length in range(int(count))]


def check_ids(ids):
    """Whether the library takes each for a model id."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    def is_valid(text):
        try:
            validate_repo_id(text)
            return True
        except HFValidationError:
            return False

    return [is_valid(text) for text in json.loads(ids)]


def read_environments(environments):
    """What the library makes of environments: each an object of variables."""
    from huggingface_hub import constants
    from huggingface_hub.utils._auth import get_token

    answers = []
    for environment in json.loads(environments):
        os.environ.clear()
        os.environ.update(environment)
        importlib.reload(constants)
        answers.append(
            {
                "cache": os.path.abspath(constants.HF_HUB_CACHE),
                "endpoint": constants.ENDPOINT,
                "isOffline": constants.HF_HUB_OFFLINE,
                "token": get_token(),
            }
        )
    return answers


def use_cache(endpoint, cache, *patterns):
    os.environ["HF_ENDPOINT"] = endpoint
    os.environ["HF_HUB_CACHE"] = cache
    return {"allow_patterns": list(patterns) or None}


def fetch(endpoint, cache, model, *patterns):
    """The folder of a model, fetched by the library."""
    options = use_cache(endpoint, cache, *patterns)
    from huggingface_hub import snapshot_download

    return snapshot_download(model, **options)


def find(endpoint, cache, model, commit, *files):
    """What the library finds without asking: the folder of the model, and of its commit the files."""
    options = use_cache(endpoint, cache)
    from huggingface_hub import hf_hub_download, snapshot_download

    return {
        "folder": snapshot_download(model, local_files_only=True, **options),
        # Online, but a file of a commit that is in the cache is not asked for.
        "files": [hf_hub_download(model, file, revision=commit) for file in files],
    }


def scan(cache):
    """What the library says of a whole cache."""
    from huggingface_hub import scan_cache_dir

    report = scan_cache_dir(cache)
    return {
        "warnings": [str(warning) for warning in report.warnings],
        "repositories": [repository.repo_id for repository in report.repos],
        "files": sum(
            len(revision.files) for repository in report.repos for revision in repository.revisions
        ),
    }


def hold_lock(path):
    """Holds a lock as the library does while it fetches, until the end of standard input."""
    from huggingface_hub.utils import WeakFileLock

    os.makedirs(os.path.dirname(path), exist_ok=True)
    with WeakFileLock(path):
        print("held", flush=True)
        sys.stdin.read()


COMMANDS = [hash_lengths, check_ids, read_environments, fetch, find, scan, hold_lock]
command, *arguments = sys.argv[1:]
print(json.dumps({c.__name__: c for c in COMMANDS}[command](*arguments)))
