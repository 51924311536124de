"""http.client of the standard library; the variant is its pause before the body, in milliseconds."""

import sys
import time
from http.client import HTTPConnection
from urllib.parse import urlsplit

import common

pause = int(sys.argv[1]) / 1000


def upload(url, body, expect, token):
    target = urlsplit(url)
    connection = HTTPConnection(target.netloc)
    headers = {"Authorization": f"Bearer {token}"}
    if expect:
        headers["Expect"] = "100-continue"
    try:
        if pause:
            put_after_pause(connection, target.path, body, headers)
        else:
            connection.request("PUT", target.path, body, headers)
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def put_after_pause(connection, path, body, headers):
    connection.putrequest("PUT", path)
    for name, value in {**headers, "Content-Length": len(body)}.items():
        connection.putheader(name, value)
    connection.endheaders()
    time.sleep(pause)
    connection.send(body)


common.main(upload, sys.argv[2:])
