"""Every operation of CodeBuild: projects with all their keys, builds, and what a lost secret or key does to one."""
import time

from checks import client, equal, refused, settings, true
from drive_kms import kms
from drive_secrets import secrets

builds = client("codebuild")
loose = client("codebuild", validate=False)
role = settings["buildRole"]
account, region = settings["account"], settings["region"]

ENVIRONMENT = {
    "type": "LINUX_CONTAINER",
    "image": "aws/codebuild/standard:7.0",
    "computeType": "BUILD_GENERAL1_SMALL",
}
INLINE = "version: 0.2\nenv:\n  secrets-manager:\n    PASSWORD: {}\nphases: {{}}\n"


def project(name, **more):
    return {
        "name": name,
        "source": {"type": "NO_SOURCE", "buildspec": "version: 0.2\nphases: {}\n"},
        "artifacts": {"type": "NO_ARTIFACTS"},
        "environment": ENVIRONMENT,
        "serviceRole": role,
        **more,
    }


def variable(value):
    return {"name": "SECRET", "value": value, "type": "SECRETS_MANAGER"}


def projects(key):
    given = project(
        "app",
        description="d",
        encryptionKey=key,
        environment={
            **ENVIRONMENT,
            "imagePullCredentialsType": "SERVICE_ROLE",
            "registryCredential": {"credential": "registry", "credentialProvider": "SECRETS_MANAGER"},
            "environmentVariables": [
                {"name": "PLAIN", "value": "v"},
                {"name": "PARAMETER", "value": "/p", "type": "PARAMETER_STORE"},
                variable("db:password:AWSCURRENT"),
            ],
        },
        artifacts={"type": "S3", "location": "bucket", "encryptionDisabled": True},
        secondaryArtifacts=[{"type": "S3", "location": "bucket", "artifactIdentifier": "more"}],
        cache={"type": "S3", "location": "bucket/cache"},
        logsConfig={"s3Logs": {"status": "ENABLED", "location": "bucket/logs", "encryptionDisabled": True}},
        tags=[{"key": "team", "value": "build"}],
    )
    made = builds.create_project(**given)["project"]
    equal(made["arn"], f"arn:aws:codebuild:{region}:{account}:project/app")
    for field in ["encryptionKey", "artifacts", "cache", "logsConfig", "tags", "serviceRole"]:
        equal(made[field], given[field])
    types = [item["type"] for item in made["environment"]["environmentVariables"]]
    equal(types, ["PLAINTEXT", "PARAMETER_STORE", "SECRETS_MANAGER"])
    equal(made["created"], made["lastModified"])
    usual = builds.create_project(**project("usual"))["project"]
    equal(usual["encryptionKey"], f"arn:aws:kms:{region}:{account}:alias/aws/s3")
    names = ["app", usual["arn"], "none", usual["arn"].replace(account, settings["otherAccount"])]
    found = builds.batch_get_projects(names=names)
    equal([item["name"] for item in found["projects"]], ["app", "usual"])
    equal(found["projectsNotFound"], names[2:])
    equal(found["projects"][0], made)
    changed = builds.update_project(name="app", encryptionKey="alias/app", description="e")["project"]
    equal((changed["encryptionKey"], changed["description"], changed["cache"]), ("alias/app", "e", given["cache"]))
    true(changed["lastModified"] > changed["created"], "the time of the change")
    refused("ResourceNotFoundException", "project/none", builds.update_project, name="none", description="e")
    refused("ResourceAlreadyExistsException", "already exists", builds.create_project, **project("app"))
    builds.delete_project(name="app")
    builds.delete_project(name="app")
    equal(builds.batch_get_projects(names=["app"])["projectsNotFound"], ["app"])


def lists():
    for number in range(204):
        builds.create_project(**project(f"p{number * 7 % 204:03}"))
    pages = list(builds.get_paginator("list_projects").paginate())
    equal([len(page["projects"]) for page in pages], [100, 100, 5])
    names = [name for page in pages for name in page["projects"]]
    equal(names, sorted(names))
    equal(builds.list_projects(sortOrder="DESCENDING")["projects"][0], "usual")
    builds.update_project(name="p100", description="x")
    newest = builds.list_projects(sortBy="LAST_MODIFIED_TIME", sortOrder="DESCENDING")["projects"]
    equal((len(newest), newest[0]), (100, "p100"))
    equal(builds.list_projects(sortBy="CREATED_TIME")["projects"][0], "usual")


def bad_input():
    def bad(said, **fields):
        refused("InvalidInputException", said, loose.create_project, **{**project("bad"), **fields})

    bad("name", name="a")
    bad("name", name="a b")
    bad("serviceRole", serviceRole=None)
    bad("environment.type", environment={**ENVIRONMENT, "type": "MAC"})
    bad("timeoutInMinutes", timeoutInMinutes=1)
    bad("buildspec", source={"type": "NO_SOURCE"})
    bad("artifacts", artifacts={"type": "S3"})
    bad("cache", cache={"type": "S3"})
    credential = {"credential": "c", "credentialProvider": "SECRETS_MANAGER"}
    bad("SERVICE_ROLE", environment={**ENVIRONMENT, "registryCredential": credential})
    bad("sts:AssumeRole", serviceRole=f"{role}-gone")
    bad("sts:AssumeRole", serviceRole=settings["mediaRole"])
    refused("InvalidInputException", "token", builds.list_projects, nextToken="none")
    refused("InvalidInputException", "names", loose.batch_get_projects, names=[])
    refused("InvalidInputException", "names", loose.batch_get_projects, names=[f"p{n}" for n in range(101)])
    refused("InvalidInputException", "sortBy", loose.list_projects, sortBy="SIZE")
    bent = client("codebuild")

    def bend(params, **_):
        params["body"] = params["body"].replace(b'"encryptionKey"', b'"encriptionKey"')

    bent.meta.events.register("before-call.codebuild", bend)
    refused("InvalidInputException", "encriptionKey", bent.create_project, **project("bad", encryptionKey="alias/a"))
    said = f"codebuild:CreateProject on resource: arn:aws:codebuild:{region}:{account}:project/denied"
    refused("AccessDeniedException", said, builds.create_project, **project("denied"))
    refused("ThrottlingException", "Rate exceeded", builds.create_project, **project("throttled"))
    refused("InternalFailure", "", builds.create_project, status=500, **project("broken"))


def ended(build):
    """Waits for the end of a build, whose phases take milliseconds here."""
    while True:
        [found] = builds.batch_get_builds(ids=[build["id"]])["builds"]
        if found["buildComplete"]:
            return found
        time.sleep(0.02)


def failure(build):
    """Phase, code and text of what failed; nothing when nothing did."""
    done = ended(build)
    failed = [phase for phase in done["phases"] if phase.get("phaseStatus") == "FAILED"]
    equal(done["buildStatus"], "FAILED" if failed else "SUCCEEDED")
    return [(phase["phaseType"], *phase["contexts"][0].values()) for phase in failed]


def start(name="job", **overrides):
    return builds.start_build(projectName=name, **overrides)["build"]


def lost_secrets(key):
    secret = secrets.create_secret(Name="codebuild/db", SecretString='{"password":"x"}', KmsKeyId=key)["ARN"]
    name = "codebuild/db:password"
    builds.create_project(**project("job", environment={**ENVIRONMENT, "environmentVariables": [variable(name)]}))
    first = start()
    equal((first["buildStatus"], first["currentPhase"], first["buildNumber"]), ("IN_PROGRESS", "SUBMITTED", 1))
    equal(first["arn"], f"arn:aws:codebuild:{region}:{account}:build/{first['id']}")
    equal(failure(first), [])
    equal(len(ended(first)["phases"]), 11)
    phase, code = "DOWNLOAD_SOURCE", "Secrets Manager Error"

    def fails(text, **overrides):
        [(where, status, message)] = failure(start(**overrides))
        equal((where, status), (phase, code))
        true(text in message, f"{text!r} is not in {message!r}")
        true("status code: 400, request id: " in message, message)

    kms.disable_key(KeyId=key)
    fails("DecryptionFailure: Secrets Manager can't decrypt the secret value: ")
    kms.enable_key(KeyId=key)
    equal(failure(start()), [])
    secrets.delete_secret(SecretId=secret)
    fails("InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion.")
    fails("marked for deletion", buildspecOverride=INLINE.format(secret), environmentVariablesOverride=[])
    plain = [{"name": "SECRET", "value": "x"}]
    equal(failure(start(environmentVariablesOverride=plain)), [])
    fails("marked for deletion", buildspecOverride=INLINE.format(secret), environmentVariablesOverride=plain)
    secrets.restore_secret(SecretId=secret)
    version = secrets.describe_secret(SecretId=secret)["VersionIdsToStages"].popitem()[0]
    for good in [secret, secret[:-7], f"{secret}:password:AWSCURRENT", f"{secret[:-7]}:password::{version}", f"{name}::"]:
        equal(failure(start(environmentVariablesOverride=[variable(good)])), [])
    for bad in [f"{name}:AWSPREVIOUS", f"{secret}:password::{first['id'].split(':')[1]}", "codebuild/none"]:
        fails("ResourceNotFoundException: ", environmentVariablesOverride=[variable(bad)])
    private = "codebuild/revoked"
    secrets.create_secret(Name=private, SecretString="x")
    said = "assumed-role/build/AWSCodeBuild-"
    fails(said, environmentVariablesOverride=[variable(private)])
    fails("is not authorized to perform: secretsmanager:GetSecretValue on resource: codebuild/revoked because",
          environmentVariablesOverride=[variable(private)])


def lost_keys(key):
    [(phase, status, message)] = failure(
        start(
            registryCredentialOverride={"credential": "none", "credentialProvider": "SECRETS_MANAGER"},
            imagePullCredentialsTypeOverride="SERVICE_ROLE",
        )
    )
    equal((phase, status), ("PROVISIONING", "BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE"))
    true("ResourceNotFoundException" in message, message)
    artifacts = {"type": "S3", "location": "bucket"}
    kms.disable_key(KeyId=key)
    plain = {"environmentVariablesOverride": [{"name": "SECRET", "value": "x"}]}
    [(phase, status, message)] = failure(start(artifactsOverride=artifacts, encryptionKeyOverride=key, **plain))
    equal((phase, status), ("UPLOAD_ARTIFACTS", "CLIENT_ERROR"))
    true("KMS.DisabledException: arn:aws:kms:" in message, message)
    equal(failure(start(artifactsOverride=artifacts, **plain)), [])
    kms.enable_key(KeyId=key)


def list_builds():
    pages = list(builds.get_paginator("list_builds_for_project").paginate(projectName="job"))
    ids = [item for page in pages for item in page["ids"]]
    found = builds.batch_get_builds(ids=[*ids[:5], "job:none"])
    equal(found["buildsNotFound"], ["job:none"])
    numbers = [build["buildNumber"] for build in found["builds"]]
    equal(numbers, sorted(numbers, reverse=True))
    oldest = builds.list_builds_for_project(projectName="job", sortOrder="ASCENDING")["ids"]
    equal(oldest, ids[::-1])
    refused("ResourceNotFoundException", "project/none", builds.list_builds_for_project, projectName="none")
    refused("ResourceNotFoundException", "project/none", builds.start_build, projectName="none")
    refused("InvalidInputException", "ids", loose.batch_get_builds, ids=[])


def drive():
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    projects(kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"])
    lists()
    bad_input()
    lost_secrets(key)
    lost_keys(key)
    list_builds()
