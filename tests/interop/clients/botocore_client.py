"""botocore's put_object, which always sends Expect. The path of the URL is bucket and key."""

import sys
from urllib.parse import urlsplit

import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

import common

session = botocore.session.Session()


def upload(url, body, expect, token):
    target = urlsplit(url)
    bucket, key = target.path[1:].split("/", 1)
    config = Config(
        signature_version=UNSIGNED,
        s3={"addressing_style": "path"},
        retries={"total_max_attempts": 1},
        request_checksum_calculation="when_required",
        connect_timeout=60,
        read_timeout=60,
    )
    client = session.create_client(
        "s3", "us-east-1", endpoint_url=f"http://{target.netloc}", config=config
    )
    client.meta.events.register(
        "before-send.s3.PutObject",
        lambda request, **_: request.headers.update(Authorization=f"Bearer {token}"),
    )
    try:
        answer = client.put_object(Bucket=bucket, Key=key, Body=body)
    except ClientError as error:
        answer = error.response
    return answer["ResponseMetadata"]["HTTPStatusCode"]


common.main(upload, sys.argv[1:])
