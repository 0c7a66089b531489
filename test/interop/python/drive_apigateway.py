"""Stages of API Gateway, which say whether calls to a key provider are logged."""
from datetime import datetime

from checks import client, equal, refused, settings, true

gateway = client("apigateway")
quiet, logged = settings["apis"]["quiet"], settings["apis"]["logged"]


def stages():
    stage = gateway.get_stage(restApiId=quiet, stageName="live")
    equal((stage["stageName"], stage["methodSettings"]), ("live", {}))
    true("accessLogSettings" not in stage, "no access log")
    true(isinstance(stage["createdDate"], datetime), stage["createdDate"])
    stage = gateway.get_stage(restApiId=logged, stageName="live")
    method = stage["methodSettings"]["*/*"]
    equal((method["loggingLevel"], method["dataTraceEnabled"]), ("INFO", True))
    equal(stage["accessLogSettings"]["destinationArn"], settings["apis"]["accessLog"])


def absent():
    text = f"Invalid API identifier specified {settings['account']}:none"
    refused("NotFoundException", text, gateway.get_stage, 404, restApiId="none", stageName="live")
    text = "Invalid stage identifier specified"
    refused("NotFoundException", text, gateway.get_stage, 404, restApiId=quiet, stageName="none")
    elsewhere = client("apigateway", settings["otherRegion"])
    refused("NotFoundException", "Invalid API identifier", elsewhere.get_stage, 404, restApiId=quiet, stageName="live")
    theirs = client("apigateway", credentials=settings["otherCredentials"])
    refused("NotFoundException", "Invalid API identifier", theirs.get_stage, 404, restApiId=quiet, stageName="live")


def drive():
    stages()
    absent()
