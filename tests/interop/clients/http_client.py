"""http.client of the standard library."""

import sys
from http.client import HTTPConnection
from urllib.parse import urlsplit

import common


def upload(url, body, expect, token):
    target = urlsplit(url)
    connection = HTTPConnection(target.netloc)
    headers = {"Authorization": f"Bearer {token}"}
    if expect:
        headers["Expect"] = "100-continue"
    try:
        connection.request("PUT", target.path, body, headers)
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


common.main(upload, sys.argv[1:])
