"""requests."""

import sys

import common
import requests


def upload(url, body, expect, token):
    headers = {"Authorization": f"Bearer {token}"}
    if expect:
        headers["Expect"] = "100-continue"
    return requests.put(url, data=body, headers=headers).status_code


common.main(upload, sys.argv[1:])
