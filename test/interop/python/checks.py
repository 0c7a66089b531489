"""What the scripts that drive the sandbox share: settings from stdin, clients that note what they send, and checks."""
import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

settings = json.load(sys.stdin)
driven = set()
passed = 0


def client(service, region=None, credentials=None, **session):
    keys = credentials or settings["credentials"]
    made = boto3.client(
        service,
        endpoint_url=settings["endpoint"],
        region_name=region or settings["region"],
        aws_access_key_id=keys["accessKeyId"],
        aws_secret_access_key=keys["secretAccessKey"],
        aws_session_token=session.get("token"),
        config=Config(retries={"total_max_attempts": 1}, parameter_validation=session.get("validate", True)),
    )
    made.meta.events.register("before-call", lambda model, **_: driven.add(f"{service}:{model.name}"))
    return made


def equal(actual, expected):
    global passed
    passed += 1
    if actual != expected:
        raise AssertionError(f"expected {expected!r}, got {actual!r}")


def true(value, what):
    global passed
    passed += 1
    if not value:
        raise AssertionError(what)


def refused(code, text, call, status=400, **arguments):
    """The call must fail with this code, with `text` in its message, over this HTTP status."""
    try:
        call(**arguments)
    except ClientError as error:
        equal(error.response["Error"]["Code"], code)
        message = error.response["Error"].get("Message", "")
        true(text in message, f"{text!r} is not in {message!r}")
        equal(error.response["ResponseMetadata"]["HTTPStatusCode"], status)
        true(error.response["ResponseMetadata"].get("RequestId"), "an error has a request id")
        return error.response
    raise AssertionError(f"{code} was expected")


def every_page(call, **arguments):
    """For the lists that botocore has no paginator for."""
    pages = [call(**arguments)]
    while "NextToken" in pages[-1]:
        pages.append(call(NextToken=pages[-1]["NextToken"], **arguments))
    return pages


def report():
    return json.dumps({"checks": passed, "driven": sorted(driven)})
