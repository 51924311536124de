"""Stores bytes as Amazon's SDK does: Expect, no Content-Length, aws-chunked with a trailing checksum.

put_object.py ENDPOINT ACCESS_KEY BYTES prints the status that it was shown.
"""

import sys
import warnings

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

endpoint, key, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
warnings.simplefilter("ignore")  # of a certificate that nobody trusts
client = botocore.session.get_session().create_client(
    "s3",
    region_name="us-east-1",
    endpoint_url=endpoint,
    verify=False,
    aws_access_key_id=key,
    aws_secret_access_key="secret",
    config=Config(
        proxies={},
        retries={"total_max_attempts": 1},
        request_checksum_calculation="when_supported",
        s3={"addressing_style": "path"},
    ),
)
try:
    response = client.put_object(Bucket="bucket", Key="new", Body=b"n" * size)
except ClientError as error:
    response = error.response
print(response["ResponseMetadata"]["HTTPStatusCode"])
