"""Drives every operation of the sandbox with boto3 and checks the answers.

Reads its settings as JSON from stdin. Prints one JSON line: how many checks passed and which operations botocore really
sent. Any failed check ends it with a traceback.
"""
import json
import sys
import uuid
from datetime import datetime, timedelta, timezone

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

settings = json.load(sys.stdin)
driven = set()
checks = 0


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
    global checks
    checks += 1
    if actual != expected:
        raise AssertionError(f"expected {expected!r}, got {actual!r}")


def true(value, what):
    global checks
    checks += 1
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


secrets = client("secretsmanager")
kms = client("kms")
sts = client("sts")
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


def life_of_a_key():
    made = kms.create_key(Description="d", Tags=[{"TagKey": "team", "TagValue": "a"}])["KeyMetadata"]
    key, arn = made["KeyId"], made["Arn"]
    equal((made["KeyState"], made["Origin"], made["MultiRegion"]), ("Enabled", "AWS_KMS", False))
    kms.disable_key(KeyId=key)
    equal(kms.describe_key(KeyId=arn)["KeyMetadata"]["KeyState"], "Disabled")
    refused("DisabledException", f"{arn} is disabled.", kms.encrypt, KeyId=key, Plaintext=b"x")
    kms.enable_key(KeyId=arn)
    scheduled = kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    equal((scheduled["KeyId"], scheduled["KeyState"], scheduled["PendingWindowInDays"]), (arn, "PendingDeletion", 7))
    equal(kms.describe_key(KeyId=key)["KeyMetadata"]["DeletionDate"], scheduled["DeletionDate"])
    refused("KMSInvalidStateException", f"{arn} is pending deletion.", kms.encrypt, KeyId=key, Plaintext=b"x")
    refused("KMSInvalidStateException", "is pending deletion.", kms.enable_key, KeyId=key)
    equal(kms.cancel_key_deletion(KeyId=key)["KeyId"], arn)
    equal(kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"], "Disabled")
    refused("KMSInvalidStateException", "is not pending deletion", kms.cancel_key_deletion, KeyId=key)
    kms.enable_key(KeyId=key)
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "env", "TagValue": "b"}])
    kms.untag_resource(KeyId=key, TagKeys=["team"])
    equal(kms.list_resource_tags(KeyId=key)["Tags"], [{"TagKey": "env", "TagValue": "b"}])
    true("kms:*" in kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"], "the default policy")
    gone = str(uuid.uuid4())
    refused("NotFoundException", f"key/{gone}' does not exist", kms.describe_key, KeyId=gone)
    refused("NotFoundException", "Invalid keyId 'fake'", kms.describe_key, KeyId="fake")
    far = arn.replace(settings["region"], settings["otherRegion"])
    refused("NotFoundException", f"Invalid arn {settings['otherRegion']}", kms.describe_key, KeyId=far)
    return key, arn


def aliases(key):
    kms.create_alias(AliasName="alias/app", TargetKeyId=key)
    equal(kms.describe_key(KeyId="alias/app")["KeyMetadata"]["KeyId"], key)
    refused("AlreadyExistsException", "alias/app", kms.create_alias, AliasName="alias/app", TargetKeyId=key)
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.update_alias(AliasName="alias/app", TargetKeyId=other)
    equal([alias["AliasName"] for alias in kms.list_aliases(KeyId=other)["Aliases"]], ["alias/app"])
    listed = {alias["AliasName"]: alias for alias in kms.list_aliases()["Aliases"]}
    true("TargetKeyId" not in listed["alias/aws/ebs"], "an alias of a service that was never used")
    true("TargetKeyId" in listed["alias/aws/secretsmanager"], "the alias of a service that was used")
    equal(kms.describe_key(KeyId="alias/aws/secretsmanager")["KeyMetadata"]["KeyManager"], "AWS")
    pages = kms.get_paginator("list_aliases").paginate(PaginationConfig={"PageSize": 5})
    equal(sum(len(page["Aliases"]) for page in pages), len(listed))
    kms.delete_alias(AliasName="alias/app")
    refused("NotFoundException", "alias/app is not found.", kms.describe_key, KeyId="alias/app")


def key_rotation(key, arn):
    equal(kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"], False)
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
    status = kms.get_key_rotation_status(KeyId=key)
    equal((status["KeyRotationEnabled"], status["RotationPeriodInDays"]), (True, 90))
    true(status["NextRotationDate"] > datetime.now(timezone.utc), status)
    kms.disable_key_rotation(KeyId=key)
    first = kms.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"]
    for _ in range(3):
        equal(kms.rotate_key_on_demand(KeyId=key)["KeyId"], arn)
    current = kms.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"]
    true(current != first, "a rotation changes the material")
    pages = list(kms.get_paginator("list_key_rotations").paginate(KeyId=key, PaginationConfig={"PageSize": 2}))
    rotations = [rotation for page in pages for rotation in page["Rotations"]]
    equal([len(page["Rotations"]) for page in pages], [2, 1])
    equal((rotations[-1]["KeyMaterialId"], rotations[-1]["KeyMaterialState"]), (current, "CURRENT"))
    every = kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    equal(every[0]["KeyMaterialId"], first)
    refused("InvalidMarkerException", "", kms.list_keys, Marker="nonsense")
    rsa = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]
    true("CurrentKeyMaterialId" not in rsa, rsa)
    refused("UnsupportedOperationException", "", kms.enable_key_rotation, KeyId=rsa["KeyId"])


def encryption(key, arn):
    context = {"SecretARN": "a", "SecretVersionId": "b"}
    sealed = kms.encrypt(KeyId=key, Plaintext=b"hello", EncryptionContext=context)
    equal((sealed["KeyId"], sealed["EncryptionAlgorithm"]), (arn, "SYMMETRIC_DEFAULT"))
    opened = kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext=context)
    equal((opened["Plaintext"], opened["KeyId"]), (b"hello", arn))
    true("KeyMaterialId" in opened, opened)
    refused("InvalidCiphertextException", "", kms.decrypt, CiphertextBlob=sealed["CiphertextBlob"])
    refused("InvalidCiphertextException", "", kms.decrypt, CiphertextBlob=b"nonsense")
    dry = "The request would have succeeded, but the DryRun option is set."
    refused("DryRunOperationException", dry, kms.encrypt, KeyId=key, Plaintext=b"x", DryRun=True)
    refused("DryRunOperationException", dry, kms.decrypt, KeyId=key, DryRun=True, DryRunModifiers=["IGNORE_CIPHERTEXT"])
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    refused(
        "IncorrectKeyException",
        "does not identify a CMK",
        kms.decrypt,
        CiphertextBlob=sealed["CiphertextBlob"],
        EncryptionContext=context,
        KeyId=other,
    )


def import_material(key, fill, **more):
    parameters = kms.get_parameters_for_import(
        KeyId=key, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
    )
    public = serialization.load_der_public_key(parameters["PublicKey"])
    oaep = padding.OAEP(mgf=padding.MGF1(algorithm=hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
    arguments = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE", **more}
    return kms.import_key_material(
        KeyId=key,
        ImportToken=parameters["ImportToken"],
        EncryptedKeyMaterial=public.encrypt(bytes([fill]) * 32, oaep),
        **arguments,
    )


def imported_material():
    key = kms.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
    equal(kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"], "PendingImport")
    refused("KMSInvalidStateException", "is pending import.", kms.encrypt, KeyId=key, Plaintext=b"x")
    first = import_material(key, 1)["KeyMaterialId"]
    until = datetime.now(timezone.utc) + timedelta(days=1)
    second = import_material(
        key, 2, ImportType="NEW_KEY_MATERIAL", ExpirationModel="KEY_MATERIAL_EXPIRES", ValidTo=until
    )["KeyMaterialId"]
    equal(kms.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"], first)
    kms.rotate_key_on_demand(KeyId=key)
    described = kms.describe_key(KeyId=key)["KeyMetadata"]
    equal((described["CurrentKeyMaterialId"], described["ExpirationModel"]), (second, "KEY_MATERIAL_EXPIRES"))
    true(abs(described["ValidTo"] - until) < timedelta(seconds=2), described)
    equal(kms.delete_imported_key_material(KeyId=key)["KeyMaterialId"], second)
    lost = kms.describe_key(KeyId=key)["KeyMetadata"]
    equal((lost["KeyState"], lost["CurrentKeyMaterialId"]), ("PendingImport", second))
    refused("UnsupportedOperationException", "origin is EXTERNAL", kms.get_key_rotation_status, KeyId=key)
    states = kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    equal([rotation["ImportState"] for rotation in states], ["IMPORTED", "PENDING_IMPORT"])


def keys_in_regions():
    key = kms.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    true(key.startswith("mrk-"), key)
    replica = kms.replicate_key(KeyId=key, ReplicaRegion=settings["otherRegion"])["ReplicaKeyMetadata"]
    equal((replica["KeyState"], replica["Enabled"]), ("Creating", False))
    equal(replica["MultiRegionConfiguration"]["MultiRegionKeyType"], "REPLICA")
    equal(kms.schedule_key_deletion(KeyId=key)["KeyState"], "PendingReplicaDeletion")
    pages = list(kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 3}))
    listed = [entry["KeyId"] for page in pages for entry in page["Keys"]]
    equal(len(listed), len(set(listed)))
    true(key in listed and len(pages) > 1, listed)


def coupling():
    old = kms.create_key()["KeyMetadata"]
    new = kms.create_key()["KeyMetadata"]
    secrets.create_secret(Name="sealed", SecretString="x", KmsKeyId=old["KeyId"])
    secrets.update_secret(SecretId="sealed", KmsKeyId=new["Arn"])
    [version] = secrets.list_secret_version_ids(SecretId="sealed")["Versions"]
    equal(version["KmsKeyIds"], [old["Arn"], new["Arn"]])
    kms.disable_key(KeyId=new["KeyId"])
    equal(secrets.get_secret_value(SecretId="sealed")["SecretString"], "x")
    kms.disable_key(KeyId=old["KeyId"])
    text = f"{new['Arn']} is disabled. (Service: AWSKMS; Status Code: 400; Error Code: DisabledException;"
    refused("DecryptionFailure", text, secrets.get_secret_value, SecretId="sealed")
    refused("EncryptionFailure", "", secrets.put_secret_value, SecretId="sealed", SecretString="y")


def identities():
    equal(sts.get_caller_identity()["Account"], settings["account"])
    role = {"RoleArn": settings["roleArn"], "RoleSessionName": "boto3"}
    refused("AccessDenied", "not authorized to perform: sts:AssumeRole", sts.assume_role, status=403, **role)
    answer = sts.assume_role(ExternalId="e-1", DurationSeconds=900, **role)
    session = answer["Credentials"]
    keys = {"accessKeyId": session["AccessKeyId"], "secretAccessKey": session["SecretAccessKey"]}
    assumed = client("sts", credentials=keys, token=session["SessionToken"]).get_caller_identity()
    equal((assumed["Account"], assumed["Arn"]), (settings["otherAccount"], answer["AssumedRoleUser"]["Arn"]))
    true(session["Expiration"] > datetime.now(timezone.utc), session)
    theirs = client("secretsmanager", credentials=keys, token=session["SessionToken"])
    equal(theirs.list_secrets()["SecretList"], [])
    wrong = {**settings["credentials"], "secretAccessKey": "wrong"}
    refused("InvalidSignatureException", "does not match", client("kms", credentials=wrong).list_keys)
    unknown = {**settings["credentials"], "accessKeyId": "AKIAUNKNOWN"}
    refused("UnrecognizedClientException", "invalid", client("secretsmanager", credentials=unknown).list_secrets)
    refused(
        "SignatureDoesNotMatch", "does not match", client("sts", credentials=wrong).get_caller_identity, status=403
    )


arn = life_of_a_secret()
policies(arn)
deletion(arn)
rotation()
replication()
lists_of_secrets()
key_id, key_arn = life_of_a_key()
aliases(key_id)
key_rotation(key_id, key_arn)
encryption(key_id, key_arn)
imported_material()
keys_in_regions()
coupling()
identities()
print(json.dumps({"checks": checks, "driven": sorted(driven)}))
