"""Where artifacts, tables and bundles lie: folders in buckets, on the Hugging Face Hub, on web
servers and on this machine."""

from .folder import Folder
from .uris import is_folder, split, without_secrets

__all__ = ["Folder", "is_folder", "split", "without_secrets"]
