"""What the URI of a file says of its folder. A web server's query (a presigned URL's, say) belongs
to every file of the folder; in a bucket ``?`` and ``#`` are ordinary characters of a key."""

from urllib.parse import unquote, urlsplit


def split(uri: str) -> tuple[str, str]:
    """The folder that a file's URI lies in, and its name.

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
    """Whether a URI is written as a folder's.

    >>> is_folder("gs://models/saved/"), is_folder("https://host/saved/?sig=x")
    (True, True)
    """
    return (urlsplit(uri).path if is_web(uri) else uri).endswith("/")


def is_web(uri: str) -> bool:
    """Whether it is a web server's.

    >>> is_web("https://host/x"), is_web("s3://bucket/x")
    (True, False)
    """
    return uri.startswith(("http://", "https://"))


def without_secrets(uri: str) -> str:
    """As it may stand in logs: a URL's password and query may be secrets.

    >>> without_secrets("https://me:pass@host/x?sig=abc")
    'https://host/x'
    """
    if not is_web(uri):
        return uri
    parts = urlsplit(uri)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
