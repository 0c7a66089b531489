"""Every operation of Secrets Manager: secrets, versions, deletion, rotation, replicas, lists."""
import json
import uuid
from datetime import datetime, timedelta, timezone

from checks import client, equal, every_page, refused, settings, true

secrets = client("secretsmanager")
NOT_FOUND = "Secrets Manager can't find the specified secret."
MARKED = "You can't perform this operation on the secret because it was marked for deletion."


def life_of_a_secret():
    token = str(uuid.uuid4())
    made = secrets.create_secret(
        Name="prod/db", SecretBinary=b"one", ClientRequestToken=token, Description="d", Tags=[{"Key": "team", "Value": "a"}]
    )
    arn = made["ARN"]
    equal(made["VersionId"], token)
    true(arn.startswith(f"arn:aws:secretsmanager:{settings['region']}:{settings['account']}:secret:prod/db-"), arn)
    refused("ResourceExistsException", "already exists", secrets.create_secret, Name="prod/db", SecretString="x")
    equal(secrets.get_secret_value(SecretId="prod/db")["SecretBinary"], b"one")
    second = secrets.put_secret_value(SecretId=arn, SecretString="two")
    equal(second["VersionStages"], ["AWSCURRENT"])
    described = secrets.describe_secret(SecretId=arn[:-7])
    equal(described["VersionIdsToStages"], {token: ["AWSPREVIOUS"], second["VersionId"]: ["AWSCURRENT"]})
    equal(described["Tags"], [{"Key": "team", "Value": "a"}])
    true("KmsKeyId" not in described and "RotationEnabled" not in described, described)
    accessed = described["LastAccessedDate"].astimezone(timezone.utc)
    equal((accessed.hour, accessed.minute, accessed.second), (0, 0, 0))
    secrets.update_secret_version_stage(
        SecretId=arn, VersionStage="AWSCURRENT", RemoveFromVersionId=second["VersionId"], MoveToVersionId=token
    )
    equal(secrets.get_secret_value(SecretId=arn)["VersionId"], token)
    refused(
        "InvalidParameterException",
        "RemoveFromVersionId can't be empty",
        secrets.update_secret_version_stage,
        SecretId=arn,
        VersionStage="AWSCURRENT",
        MoveToVersionId=second["VersionId"],
    )
    refused(
        "InvalidRequestException",
        "VersionStage that is not associated",
        secrets.get_secret_value,
        SecretId=arn,
        VersionId=token,
        VersionStage="AWSPREVIOUS",
    )
    missing = str(uuid.uuid4())
    refused("ResourceNotFoundException", f"for VersionId: {missing}", secrets.get_secret_value, SecretId=arn, VersionId=missing)
    refused("ResourceNotFoundException", "staging label: X", secrets.get_secret_value, SecretId=arn, VersionStage="X")
    secrets.tag_resource(SecretId=arn, Tags=[{"Key": "env", "Value": "prod"}])
    secrets.untag_resource(SecretId=arn, TagKeys=["team"])
    equal(secrets.describe_secret(SecretId=arn)["Tags"], [{"Key": "env", "Value": "prod"}])
    third = secrets.update_secret(SecretId=arn, SecretString="three")
    versions = secrets.list_secret_version_ids(SecretId=arn, IncludeDeprecated=True)
    equal((versions["ARN"], versions["Name"]), (arn, "prod/db"))
    by_id = {version["VersionId"]: version for version in versions["Versions"]}
    equal(by_id[third["VersionId"]]["VersionStages"], ["AWSCURRENT"])
    true("VersionStages" not in by_id[second["VersionId"]], by_id)
    equal(by_id[token]["KmsKeyIds"], ["DefaultEncryptionKey"])
    equal(len(secrets.list_secret_version_ids(SecretId=arn)["Versions"]), 2)
    return arn


def policies(arn):
    true("ResourcePolicy" not in secrets.get_resource_policy(SecretId=arn), "there is no policy yet")
    policy = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"AWS": settings["otherAccount"]}}]})
    secrets.put_resource_policy(SecretId=arn, ResourcePolicy=policy)
    equal(secrets.get_resource_policy(SecretId=arn)["ResourcePolicy"], policy)
    refused("MalformedPolicyDocumentException", "", secrets.put_resource_policy, SecretId=arn, ResourcePolicy="{")
    other = client("secretsmanager", credentials=settings["otherCredentials"])
    equal(other.describe_secret(SecretId=arn)["Name"], "prod/db")
    refused("InvalidRequestException", "from a different AWS account", other.get_secret_value, SecretId=arn)
    refused("ResourceNotFoundException", NOT_FOUND, other.describe_secret, SecretId="prod/db")


def deletion(arn):
    before = datetime.now(timezone.utc)
    deleted = secrets.delete_secret(SecretId=arn, RecoveryWindowInDays=7)
    true(deleted["DeletionDate"] - before > timedelta(days=6, hours=23), deleted)
    described = secrets.describe_secret(SecretId=arn)
    true(abs(described["DeletedDate"] - before) < timedelta(seconds=10), described)
    refused("InvalidRequestException", MARKED, secrets.get_secret_value, SecretId=arn)
    refused("InvalidRequestException", MARKED, secrets.tag_resource, SecretId=arn, Tags=[])
    refused("InvalidRequestException", MARKED, secrets.delete_secret, SecretId=arn)
    refused("InvalidRequestException", "already scheduled for deletion", secrets.create_secret, Name="prod/db")
    batch = secrets.batch_get_secret_value(SecretIdList=[arn, "never"])
    equal([error["ErrorCode"] for error in batch["Errors"]], ["InvalidRequestException", "ResourceNotFoundException"])
    equal(secrets.list_secrets()["SecretList"], [])
    equal([s["Name"] for s in secrets.list_secrets(IncludePlannedDeletion=True)["SecretList"]], ["prod/db"])
    secrets.restore_secret(SecretId=arn)
    equal(secrets.get_secret_value(SecretId=arn)["SecretString"], "three")
    secrets.create_secret(Name="brief")
    refused("ResourceNotFoundException", "staging label: AWSCURRENT", secrets.get_secret_value, SecretId="brief")
    true("VersionIdsToStages" not in secrets.describe_secret(SecretId="brief"), "a secret that was never filled")
    secrets.delete_secret(SecretId="brief", ForceDeleteWithoutRecovery=True)
    refused("InvalidRequestException", "was deleted", secrets.get_secret_value, SecretId="brief")
    refused("ResourceNotFoundException", NOT_FOUND, secrets.describe_secret, SecretId="never")
    refused(
        "InvalidParameterException",
        "in conjunction",
        secrets.delete_secret,
        SecretId=arn,
        ForceDeleteWithoutRecovery=True,
        RecoveryWindowInDays=7,
    )


def rotation():
    arn = secrets.create_secret(Name="rotated", SecretString="x")["ARN"]
    refused("InvalidRequestException", "No Lambda rotation function ARN", secrets.rotate_secret, SecretId=arn)
    unknown = settings["rotationDone"] + "-unknown"
    refused("AccessDeniedException", "cannot invoke", secrets.rotate_secret, SecretId=arn, RotationLambdaARN=unknown)
    true("RotationEnabled" not in secrets.describe_secret(SecretId=arn), "a refused rotation leaves no trace")
    rules = {"AutomaticallyAfterDays": 1, "ScheduleExpression": "rate(4 hours)"}
    done = secrets.rotate_secret(SecretId=arn, RotationLambdaARN=settings["rotationDone"], RotationRules=rules)
    described = secrets.describe_secret(SecretId=arn)
    equal((described["RotationEnabled"], described["RotationRules"]), (True, rules))
    equal(described["VersionIdsToStages"][done["VersionId"]], ["AWSCURRENT"])
    equal((described["NextRotationDate"].minute, described["NextRotationDate"].second), (59, 59))
    stuck = secrets.rotate_secret(SecretId=arn, RotationLambdaARN=settings["rotationStuck"])
    equal(secrets.describe_secret(SecretId=arn)["VersionIdsToStages"][stuck["VersionId"]], ["AWSPENDING"])
    refused("ResourceNotFoundException", "AWSPENDING", secrets.get_secret_value, SecretId=arn, VersionStage="AWSPENDING")
    refused("InvalidRequestException", "isn't complete", secrets.rotate_secret, SecretId=arn)
    equal(secrets.cancel_rotate_secret(SecretId=arn)["VersionId"], stuck["VersionId"])
    cancelled = secrets.describe_secret(SecretId=arn)
    equal(cancelled["RotationEnabled"], False)
    true("NextRotationDate" not in cancelled, cancelled)


def replication():
    arn = secrets.create_secret(Name="copied", SecretString="x")["ARN"]
    region = settings["otherRegion"]
    answer = secrets.replicate_secret_to_regions(SecretId=arn, AddReplicaRegions=[{"Region": region}])
    equal([status["Region"] for status in answer["ReplicationStatus"]], [region])
    primary = secrets.describe_secret(SecretId=arn)
    equal((primary["PrimaryRegion"], primary["ReplicationStatus"][0]["Status"]), (settings["region"], "InSync"))
    far = client("secretsmanager", region=region)
    replica = far.describe_secret(SecretId="copied")
    equal((replica["KmsKeyId"], replica["ARN"][-6:]), ("alias/aws/secretsmanager", arn[-6:]))
    true("ReplicationStatus" not in replica, replica)
    refused("InvalidParameterException", "replica secret", far.put_secret_value, SecretId="copied", SecretString="y")
    refused("InvalidParameterException", "still has replica regions", secrets.delete_secret, SecretId=arn)
    far.create_secret(Name="taken", SecretString="x")
    taken = secrets.create_secret(Name="taken", SecretString="x", AddReplicaRegions=[{"Region": region}])
    equal(taken["ReplicationStatus"][0]["Status"], "Failed")
    true("already exists in region" in taken["ReplicationStatus"][0]["StatusMessage"], taken)
    gone = secrets.remove_regions_from_replication(SecretId=arn, RemoveReplicaRegions=[region])
    equal(gone["ReplicationStatus"], [])
    refused("ResourceNotFoundException", NOT_FOUND, far.describe_secret, SecretId="copied")


def lists_of_secrets():
    for number in range(230):
        secrets.create_secret(Name=f"many/{number:03}", SecretString="x")
    filters = [{"Key": "name", "Values": ["many/"]}]
    pages = list(secrets.get_paginator("list_secrets").paginate(Filters=filters, PaginationConfig={"PageSize": 100}))
    equal([len(page["SecretList"]) for page in pages], [100, 100, 30])
    names = [secret["Name"] for page in pages for secret in page["SecretList"]]
    equal(names, [f"many/{number:03}" for number in range(230)])
    true("SecretVersionsToStages" in pages[0]["SecretList"][0], "a list spells the field differently")
    last = secrets.list_secrets(Filters=filters, SortBy="name", SortOrder="desc", MaxResults=1)
    equal(last["SecretList"][0]["Name"], "many/229")
    refused("InvalidNextTokenException", "", secrets.list_secrets, NextToken="nonsense")
    pages = every_page(secrets.batch_get_secret_value, Filters=filters, MaxResults=20)
    equal(sum(len(page["SecretValues"]) for page in pages), 230)
    for number in range(7):
        secrets.put_secret_value(SecretId="many/000", SecretString=str(number))
    versions = every_page(secrets.list_secret_version_ids, SecretId="many/000", IncludeDeprecated=True, MaxResults=3)
    equal([len(page["Versions"]) for page in versions], [3, 3, 2])
    lax = client("secretsmanager", validate=False)
    refused("ValidationException", "less than or equal to 100", lax.list_secrets, MaxResults=101)
    refused("ValidationException", "must not be null", lax.describe_secret)


def drive():
    arn = life_of_a_secret()
    policies(arn)
    deletion(arn)
    rotation()
    replication()
    lists_of_secrets()
