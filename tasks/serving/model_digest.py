"""Which model answered: a digest over its files, so that a changed weight is another model."""

from tasks.files_digest import files_digest
from tasks.serving.settings import ServerSettings


def model_digest(settings: ServerSettings) -> str:
    """Return what names the model's content in provenance.

    For a folder: the digest of its files; hidden files and folders are left out, since they hold
    what a download noted. For a model on the hub: its name and revision, which is a promise and no
    proof unless it is a commit.
    """
    folder = settings.folder
    if folder is None:
        return f"{settings.model}@{settings.revision or 'main'}"
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    seen = [name for name in names if not any(part.startswith(".") for part in name.split("/"))]
    return files_digest(folder, seen)
