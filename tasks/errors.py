"""What ends a command with one clear line; imports nothing, so `terrascope --help` is quick."""


class UserError(ValueError):
    """Something that the person at the keyboard can put right; the message says what and how."""


class ConfigError(UserError):
    """A configuration that no work may start from; the message names the value and what to do."""


class WorkerDied(UserError):
    """A worker process was killed or ran out of memory; finished granules are kept."""


class BatchFailed(UserError):
    """A batch of granules failed on a cluster again and again; the message names them."""
