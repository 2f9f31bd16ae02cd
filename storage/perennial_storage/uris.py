"""Split a file's URI into folder and name, and remove secrets from it.

The query of a web server's URI (of a presigned URL, say) belongs to every file of the folder; in a
bucket ``?`` and ``#`` are ordinary characters of a key.
"""

from urllib.parse import unquote, urlsplit


def split(uri: str) -> tuple[str, str]:
    """Return the folder of a file's URI and the file's name.

    >>> split("s3://data/flights/2013.parquet")
    ('s3://data/flights', '2013.parquet')
    >>> split("https://host/models/a%20b.skops?sig=x/y")
    ('https://host/models/?sig=x/y', 'a b.skops')
    """
    if is_web(uri):
        parts = urlsplit(uri)
        above, _, name = parts.path.rpartition("/")
        folder = parts._replace(path=f"{above}/").geturl()
        return (folder if parts.query else folder.rstrip("/")), unquote(name)
    folder, _, name = uri.rpartition("/")
    return folder or ("/" if uri.startswith("/") else "."), name


def is_folder(uri: str) -> bool:
    """Return whether a URI ends in a slash, as folders are written.

    >>> is_folder("gs://models/saved/"), is_folder("https://host/saved/?sig=x")
    (True, True)
    """
    return (urlsplit(uri).path if is_web(uri) else uri).endswith("/")


def is_web(uri: str) -> bool:
    """Return whether a URI belongs to a web server.

    >>> is_web("https://host/x"), is_web("s3://bucket/x")
    (True, False)
    """
    return uri.partition("://")[0].lower() in ("http", "https") and "://" in uri


def without_secrets(uri: str) -> str:
    """Return a URI for logs: the password and the query of a URL may be secrets.

    >>> without_secrets("https://me:pass@host/x?sig=abc")
    'https://host/x'
    """
    if not is_web(uri):
        return uri
    try:
        parts = urlsplit(uri)
    except ValueError:  # malformed, such as https://[host/x
        scheme, _, rest = uri.partition("://")
        return f"{scheme}://{rest.partition('?')[0].partition('#')[0].rpartition('@')[2]}"
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
