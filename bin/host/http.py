"""Ask a web server: never from https to http, never more than was meant."""

import urllib.error
import urllib.request
from http.client import HTTPMessage
from typing import IO

from jailoc import __version__


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follow redirects, but never from https to http."""

    max_redirections = 10

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if req.full_url.startswith("https:") and not newurl.startswith("https:"):
            raise urllib.error.URLError(f"it redirects to `{newurl}`, which is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def get(url: str, *, timeout: float, limit: int, accept: str | None = None) -> tuple[int, bytes]:
    """Return status and body of an answer, the body cut off behind `limit` bytes and one more.

    Raises:
        OSError: there was no answer, or one of the statuses that mean an error.
        ValueError: the URL is none.
    """
    headers = {"User-Agent": f"jailoc/{__version__}"} | ({"Accept": accept} if accept else {})
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 -- the configuration only lets http and https through
    try:
        with urllib.request.build_opener(_Redirects).open(request, timeout=timeout) as answer:
            return answer.status, answer.read(limit + 1)
    except urllib.error.HTTPError as error:
        error.close()  # it is an answer, too; from Python 3.14 on one that is left open is told of
        raise
