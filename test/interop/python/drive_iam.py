"""IAM of the sandbox: roles, their policies, and what simulation says of them."""
import json

from checks import client, equal, refused, settings, true

# Where IAM is, its Region is no matter: botocore signs for the partition's own.
iam = client("iam", "us-east-1")

SECRET = f"arn:aws:secretsmanager:{settings['region']}:{settings['account']}:secret:prod/key-AbCdEf"
ROLE = f"arn:aws:iam::{settings['account']}:role/video/reader"
READ = "secretsmanager:GetSecretValue"


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(service):
    return {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole", "Sid": "OnlyUs"}


def roles():
    made = iam.create_role(
        RoleName="reader", Path="/video/", AssumeRolePolicyDocument=document(trust("mediaconnect.amazonaws.com"))
    )["Role"]
    equal((made["Arn"], made["Path"]), (ROLE, "/video/"))
    role = iam.get_role(RoleName="reader")["Role"]
    # botocore decodes what is percent-encoded on the wire.
    equal(role["AssumeRolePolicyDocument"]["Statement"], [trust("mediaconnect.amazonaws.com")])
    equal(role["RoleId"], made["RoleId"])
    iam.update_assume_role_policy(RoleName="reader", PolicyDocument=document(trust("codebuild.amazonaws.com")))
    [statement] = iam.get_role(RoleName="reader")["Role"]["AssumeRolePolicyDocument"]["Statement"]
    equal(statement["Principal"], {"Service": "codebuild.amazonaws.com"})
    refused("NoSuchEntity", "role with name none cannot be found", iam.get_role, 404, RoleName="none")
    refused(
        "EntityAlreadyExists", "already exists", iam.create_role, 409,
        RoleName="reader", AssumeRolePolicyDocument=document(trust("codebuild.amazonaws.com")),
    )
    refused(
        "MalformedPolicyDocument", "", iam.put_role_policy,
        RoleName="reader", PolicyName="broken", PolicyDocument="{}",
    )


def simulate(**more):
    question = {"PolicySourceArn": ROLE, "ActionNames": [READ], "ResourceArns": [SECRET], **more}
    pages = iam.get_paginator("simulate_principal_policy").paginate(**question)
    return [result for page in pages for result in page["EvaluationResults"]]


def simulation():
    [denied] = simulate()
    equal((denied["EvalActionName"], denied["EvalDecision"]), (READ, "implicitDeny"))
    allow = {"Effect": "Allow", "Action": "secretsmanager:Get*", "Resource": SECRET}
    bound = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*",
             "Condition": {"StringLike": {"kms:ViaService": "secretsmanager.*.amazonaws.com"}}}
    iam.put_role_policy(RoleName="reader", PolicyName="read", PolicyDocument=document(allow, bound))
    equal(iam.list_role_policies(RoleName="reader")["PolicyNames"], ["read"])
    kept = iam.get_role_policy(RoleName="reader", PolicyName="read")["PolicyDocument"]
    equal(kept["Statement"], [allow, bound])
    [allowed] = simulate()
    equal(allowed["EvalDecision"], "allowed")
    equal([one["EvalResourceDecision"] for one in allowed["ResourceSpecificResults"]], ["allowed"])
    equal([one["SourcePolicyId"] for one in allowed["MatchedStatements"]], ["role_reader_read"])
    [missing] = simulate(ActionNames=["kms:Decrypt"], ResourceArns=["*"])
    equal((missing["EvalDecision"], missing["MissingContextValues"]), ("implicitDeny", ["kms:ViaService"]))
    context = {"ContextKeyName": "kms:ViaService", "ContextKeyType": "string",
               "ContextKeyValues": [f"secretsmanager.{settings['region']}.amazonaws.com"]}
    [through] = simulate(ActionNames=["kms:Decrypt"], ResourceArns=["*"], ContextEntries=[context])
    equal(through["EvalDecision"], "allowed")
    several = simulate(ActionNames=[READ, "kms:Decrypt", "sqs:SendMessage"], PaginationConfig={"PageSize": 1})
    equal([one["EvalDecision"] for one in several], ["allowed", "implicitDeny", "implicitDeny"])
    refused("InvalidInput", "valid ARN format", iam.simulate_principal_policy,
            PolicySourceArn=ROLE, ActionNames=[READ], ResourceArns=["prod/key"])
    refused("InvalidInput", "isn't supported for IAM roles", iam.simulate_principal_policy,
            PolicySourceArn=ROLE, ActionNames=[READ], ResourcePolicy=document(allow))
    refused("NoSuchEntity", "cannot be found", iam.simulate_principal_policy, 404,
            PolicySourceArn=f"{ROLE}2", ActionNames=[READ])


def endings():
    refused("DeleteConflict", "must delete policies first", iam.delete_role, 409, RoleName="reader")
    iam.delete_role_policy(RoleName="reader", PolicyName="read")
    refused("NoSuchEntity", "cannot be found", iam.delete_role_policy, 404, RoleName="reader", PolicyName="read")
    iam.delete_role(RoleName="reader")
    refused("NoSuchEntity", "cannot be found", iam.delete_role, 404, RoleName="reader")
    true(iam.get_role(RoleName="media")["Role"]["Arn"].endswith(":role/media"), "a role that a script made is there")
    wrong = {**settings["credentials"], "secretAccessKey": "wrong"}
    refused("SignatureDoesNotMatch", "does not match", client("iam", credentials=wrong).get_role, 403, RoleName="x")


def drive():
    roles()
    simulation()
    endings()
