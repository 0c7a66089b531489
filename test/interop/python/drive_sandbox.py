"""Drives every operation of the sandbox with boto3 and checks the answers.

Reads its settings as JSON from stdin. Prints one JSON line: how many checks passed and which operations botocore really
sent. Any failed check ends it with a traceback.
"""
from datetime import datetime, timezone

import drive_apigateway
import drive_codebuild
import drive_iam
import drive_kms
import drive_mediaconnect
import drive_secrets
from checks import client, equal, refused, report, settings, true
from drive_kms import kms
from drive_secrets import secrets

sts = client("sts")


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


drive_secrets.drive()
drive_kms.drive()
coupling()
identities()
drive_mediaconnect.drive()
drive_codebuild.drive()
drive_iam.drive()
drive_apigateway.drive()
print(report())
